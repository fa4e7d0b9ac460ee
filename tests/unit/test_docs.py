"""The docs say what the code says: every setting, key and command, and what systemd and the Procfile start."""

import re
import shlex
import tomllib
from configparser import ConfigParser
from pathlib import Path

import pytest

from docs.generate import PAGES, key_functions, key_pattern
from worker.cli import COMMANDS, cli
from worker.config import SETTINGS, load

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_what_the_code_would_write(path: str) -> None:
    """A setting, key or command that changes changes its page with it."""
    assert (ROOT / path).read_text(encoding="utf-8") == PAGES[path](), f"{path} lags behind the code: run `make docs`"


def test_every_setting_key_and_command_is_documented() -> None:
    """By name, so that a generator that forgets one is noticed."""
    settings = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    assert [each.variable for each in SETTINGS if f"| `{each.variable}` |" not in settings] == []
    redis = (ROOT / "docs/redis.md").read_text(encoding="utf-8")
    assert [each.__name__ for each in key_functions() if f"| `{key_pattern(each)}` |" not in redis] == []
    commands = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"## storywire {name}\n" not in commands] == []
    assert [name for name in COMMANDS if f"storywire {name}" not in readme] == []


def test_every_key_says_its_type_and_what_bounds_it() -> None:
    """Never an unbounded key: a TTL, a cap or the sweeper, stated where the key is defined."""
    types = {"string", "hash", "set", "zset", "stream", "list", "integer"}
    bounds = re.compile(r"Bound: |Lifetime: |\bTTL\b|up to \d|Removed |Emptied |[Ff]orever")
    for function in key_functions():
        words = function.__doc__ or ""
        assert re.split(r"\W", words)[0] in types, f"{function.__name__} does not begin with its type"
        assert bounds.search(words), f"{function.__name__} does not say what bounds it"


def test_one_module_makes_keys() -> None:
    """No other module writes the prefix of our keys down; scripts are given theirs."""
    sources = [*(ROOT / "worker").rglob("*.py"), *(ROOT / "worker").rglob("*.lua")]
    assert len(sources) > 50
    made = [path.name for path in sources if re.search(r"\bsw:", path.read_text(encoding="utf-8"))]
    assert made == ["naming.py"]


def test_the_example_of_an_environment_is_taken_as_it_stands() -> None:
    """With every line of it put in force, the settings are the defaults but for the server's address."""
    lines = (ROOT / "deploy/.env.example").read_text(encoding="utf-8").splitlines()
    given = {}
    for line in lines:
        if found := re.fullmatch(r"#?(STORYWIRE_\w+)=(.*)", line):
            given[found[1]] = "".join(shlex.split(found[2]))
    assert list(given) == [each.variable for each in SETTINGS]
    assert load(given) == load({"STORYWIRE_REDIS_URL": "redis://127.0.0.1:6379/0"})


def test_procfile_and_units_start_the_same_commands() -> None:
    """A line of the Procfile for each unit, by the same name; each a command that exists."""
    procfile = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text(encoding="utf-8").splitlines())
    units = {}
    for path in UNITS:
        line = _unit(path)["Service"]["ExecStart"]
        name = path.stem.removeprefix("storywire-").removesuffix("@")
        units[name] = line.removeprefix("/opt/storywire/bin/").removesuffix(" --fd 3")
    assert units == procfile
    context = cli.make_context("storywire", ["check"], resilient_parsing=True)
    for line in procfile.values():
        program, name, *_ = line.split()
        assert program == "storywire"
        assert cli.get_command(context, name) is not None


def _unit(path: Path) -> ConfigParser:
    unit = ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(path, encoding="utf-8")
    return unit


def test_the_lock_holds_versions_and_nothing_else() -> None:
    """One `name==version` a line, in which every dependency of pyproject.toml occurs; no address of any machine."""
    lines = [line for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line)] == []
    locked = {_normal(line.partition("==")[0]) for line in lines}
    wanted = re.findall(
        r'^    "([A-Za-z0-9._-]+)[><=~]', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(wanted) > 20
    assert [name for name in wanted if _normal(name) not in locked] == [], "run `make lock`"


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_layers_are_drawn_as_they_are_proven() -> None:
    """The table of docs/architecture.md is that of import-linter's contract, line for line."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    proven = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    section = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").partition("## Layers")[2]
    drawn = [re.split(r" {2,}", line.strip())[0] for line in section.splitlines() if line.startswith("    ")]
    assert drawn[: len(proven)] == proven


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_module_and_test_that_a_page_names_is_there(page: Path) -> None:
    """Who looks one up finds it, after it was moved too."""
    named = re.findall(r"(?<![\w/.-])(?:worker|tests)/[\w/]+\.(?:py|lua)\b", page.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []
