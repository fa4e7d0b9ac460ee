"""Every script and every command of the store touches one slot: shown by a server that refuses what does not.

A Cluster of one node answers for all slots, and still refuses two keys of different slots, and a script that touches a
key of another slot than those that it was given. So tests of the store are run on one; all of them, on three nodes,
are in tests/fault/test_cluster.py.
"""

import os
import subprocess
import sys

from tests.command import ROOT

QUICK = ("test_quarantine", "test_pages", "test_hubs", "test_gates", "test_feed_moves")
"""What takes a second, and sends the scripts that commits of stories do not."""


def run_on_cluster(*what: str, kind: str = "valkey", primaries: int = 1) -> str:
    """What pytest says of these tests on a Cluster; fails with that if one of them fails."""
    given = {"STORYWIRE_TESTS_KIND": kind, "STORYWIRE_TESTS_PRIMARIES": str(primaries)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.on_cluster", "-m", "not slow", "--tb=short", *what],
        cwd=ROOT, env={**os.environ, **given}, capture_output=True, text=True, timeout=1200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


def test_feeds_gates_hubs_pages_and_the_quarantine_touch_one_slot_at_a_time() -> None:
    said = run_on_cluster(*(f"tests/store/{name}.py" for name in QUICK))
    never = said.partition("scripts never sent: ")[2].partition("\n")[0].split()
    assert {"set_address", "free_address", "enter_gate", "lease_due", "quarantine_article"}.isdisjoint(never), said
