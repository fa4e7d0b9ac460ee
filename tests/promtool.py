"""Prometheus' own checker, as a subprocess."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def promtool(*arguments: object, given: str = "") -> str:
    """Run it; its output. Fails where promtool complains. Without promtool the test is skipped, in CI failed."""
    program = shutil.which("promtool")
    if program is None:
        reason = "promtool is not installed: apt-get install --no-install-recommends prometheus"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    done = subprocess.run(
        [program, *map(str, arguments)], input=given, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"promtool {Path(str(arguments[-1])).name}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr
