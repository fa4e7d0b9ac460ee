"""Prometheus' own checker, as a subprocess."""

import subprocess
from pathlib import Path

from tests.installed import program


def promtool(*arguments: object, given: str = "") -> str:
    """Run it; its output. Fails where promtool complains."""
    checker = program("promtool", install="apt-get install --no-install-recommends prometheus")
    done = subprocess.run(
        [checker, *map(str, arguments)], input=given, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"promtool {Path(str(arguments[-1])).name}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr
