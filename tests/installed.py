"""Programs that tests run, and that do not come with Storywire.

Invariant: a test that lacks one is skipped with the command that installs it; in CI, which has them all, it fails.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import NoReturn

import pytest


def program(*names: str, install: str = "") -> str:
    """The first of these programs that is there, beside this Python or on the path.

    install: the command that brings it; Debian's for a package of that name, if not said.
    """
    places = [Path(sys.executable).parent / name for name in names]
    found = next(filter(None, map(shutil.which, (*map(str, places), *names))), None)
    return found or missing(f"{' or '.join(names)} is not installed: {install or f'apt-get install {names[0]}'}")


def missing(reason: str) -> NoReturn:
    """Leave the test out for what this machine lacks, which CI has to have."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
