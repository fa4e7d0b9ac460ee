"""The wheel and the sdist: that they hold everything, and that what is installed from them works elsewhere."""

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = ("MANIFEST.in", "LICENSE", "README.md", "pyproject.toml", "constraints.txt")


def ran(arguments: Sequence[object], folder: Path, **settings: str) -> str:
    """What a command says, its standard error last; fails where it fails. Nothing of this checkout is on its path."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("STORYWIRE_", "PYTHON"))}
    done = subprocess.run(
        [str(each) for each in arguments], cwd=folder, env=kept | settings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{arguments}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout + done.stderr


def built(folder: Path) -> tuple[Path, Path]:
    """The wheel and the sdist of what git tracks, built without the network."""
    source = folder / "source"
    ran(["git", "clone", "-q", ROOT, source], folder)
    ran(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder / "dist", source],
        folder,
        SOURCE_DATE_EPOCH="1700000000",
    )
    return next((folder / "dist").glob("*.whl")), next((folder / "dist").glob("*.tar.gz"))


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return built(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def tracked() -> set[str]:
    return set(ran(["git", "ls-files"], ROOT).split())


def test_the_wheel_holds_all_of_worker_and_nothing_else(packages: tuple[Path, Path], tracked: set[str]) -> None:
    """Scripts, templates, styles, feeds and words too: a file that is forgotten fails at the user's, not here."""
    with zipfile.ZipFile(packages[0]) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == {name for name in tracked if name.startswith("worker/")}


def test_the_sdist_holds_what_it_takes_to_test_and_to_run_it(packages: tuple[Path, Path], tracked: set[str]) -> None:
    """All but what only this repository's host reads."""
    with tarfile.open(packages[1]) as sdist:
        held = {name.partition("/")[2] for name in sdist.getnames()}
    left_out = {name for name in tracked - held if not name.startswith((".github/", ".gitignore", ".dockerignore"))}
    assert left_out == set()


@pytest.mark.slow
def test_the_same_commit_gives_the_same_bytes(packages: tuple[Path, Path], tmp_path: Path) -> None:
    """So anybody can tell what a published wheel was built from."""
    assert built(tmp_path)[0].read_bytes() == packages[0].read_bytes()


@pytest.fixture
def elsewhere(tmp_path: Path, packages: tuple[Path, Path]) -> Iterator[Path]:
    """The folder of the programs of an environment that has the wheel, and its dependencies from ours."""
    venv.create(tmp_path / "env", with_pip=False)
    site = next((tmp_path / "env" / "lib").glob("python3*")) / "site-packages"
    ours = next(Path(path) for path in sys.path if path.endswith("site-packages"))
    (site / "dependencies.pth").write_text(f"{ours}\n", encoding="utf-8")
    program = tmp_path / "env" / "bin" / "python"
    ran([sys.executable, "-m", "pip", "--python", program, "install", "-q", "--no-deps", packages[0]], tmp_path)
    yield program.parent


def test_it_runs_where_nothing_of_the_repository_is(elsewhere: Path, tmp_path: Path) -> None:
    """The command that the wheel installs, from an empty folder: the packaged files are found there."""
    place = tmp_path / "empty"
    place.mkdir()
    where = ran([elsewhere / "python", "-c", "import worker; print(worker.__file__)"], place)
    assert where.startswith(str(tmp_path)), "the checkout was imported, not the wheel"
    assert ran([elsewhere / "storywire", "--version"], place).startswith("storywire, version ")
    said = ran([elsewhere / "storywire", "replay", "--data-dir", place / "data", story(place)], place, COLUMNS="100")
    assert "1 story" in said


def story(folder: Path) -> Path:
    """A file of two articles that are one story."""
    path = folder / "articles.jsonl"
    text = "The harbour bridge in Fairhaven will be closed for repairs until the spring, the council decided."
    lines = (f'{{"id": "{name}", "title": "Fairhaven closes its bridge", "text": "{text}"}}\n' for name in "ab")
    path.write_text("".join(lines), encoding="utf-8")
    return path


@pytest.mark.slow
def test_pipx_installs_it_with_all_it_needs(packages: tuple[Path, Path], tmp_path: Path) -> None:
    """From the registry, as a user does; then the demo runs."""
    homes = {"PIPX_HOME": str(tmp_path / "pipx"), "PIPX_BIN_DIR": str(tmp_path / "bin")}
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    ran([python, "-m", "pip", "install", "-q", "pipx"], tmp_path)
    ran([python, "-m", "pipx", "install", "--python", sys.executable, packages[0]], tmp_path, **homes)
    said = ran([tmp_path / "bin" / "storywire", "demo", "--seconds", "20", "--data-dir", tmp_path / "demo"], tmp_path)
    assert "The page: " in said
