"""`make` on a machine that lacks something says what, in a line, and leaves nothing half made."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.command import ROOT


def make(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    program = shutil.which("make")
    if program is None:
        pytest.skip("make is not installed")
    return subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


@pytest.mark.parametrize("which", ["old", ""])
def test_a_python_that_is_too_old_or_missing_is_one_line(checkout: Path, which: str) -> None:
    """An old one answers 1 to the question for 3.11; the remedy is named, and no .venv is left."""
    if which:
        which = str(checkout / which)
        Path(which).write_text("#!/bin/sh\nexit 1\n")
        Path(which).chmod(0o755)
    done = make(checkout, "install", f"PYTHON={which}")
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert len(lines) == 1
    assert lines[0].startswith("Storywire needs Python 3.11 or newer")
    assert "make PYTHON=" in lines[0]
    assert not (checkout / ".venv").exists()


def test_help_names_every_target(checkout: Path) -> None:
    """`make` alone lists what can be made."""
    text = (checkout / "Makefile").read_text(encoding="utf-8")
    phony = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)[0].split()
    listed = re.findall(r"^  make (\w+)", make(checkout).stdout, re.MULTILINE)
    assert sorted(listed) == sorted(set(phony) - {"dev"})
