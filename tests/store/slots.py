"""Runs tests of the store on a Cluster, in a process of their own.

Invariant: what the tests say is shown where one of them fails.
"""

import os
import subprocess
import sys

from tests.command import ROOT

_UNUSED = ("schemathesis", "xdist", "cacheprovider")
"""Plugins that take half a second to load, or note failures beside those of the run that this one is a part of."""


def run_on_cluster(*what: str, kind: str = "valkey", primaries: int = 1) -> str:
    """What pytest says of these tests on a Cluster; fails with that if one of them fails."""
    given = {"STORYWIRE_TESTS_KIND": kind, "STORYWIRE_TESTS_PRIMARIES": str(primaries)}
    plugins = ["tests.on_cluster", *(f"no:{name}" for name in _UNUSED)]
    options = ["-q", *(f"-p{name}" for name in plugins), "-m", "not slow", "--tb=short"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *what],
        cwd=ROOT, env={**os.environ, **given}, capture_output=True, text=True, timeout=1200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout
