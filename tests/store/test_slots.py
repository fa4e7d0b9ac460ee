"""Every script and every command of the store touches one slot: shown by a server that refuses what does not.

A Cluster of one node answers for all slots, and still refuses two keys of different slots, and a script that touches a
key of another slot than those that it was given. So tests of the store are run on one; all of them, on three nodes,
are in tests/fault/test_cluster.py.
"""

import re
from importlib import resources

from tests.store.slots import run_on_cluster

QUICK = ("test_quarantine", "test_pages", "test_hubs", "test_gates", "test_feed_moves")
"""What takes a second, and sends the scripts that commits of stories do not."""


def test_feeds_gates_hubs_pages_and_the_quarantine_touch_one_slot_at_a_time() -> None:
    said = run_on_cluster(*(f"tests/store/{name}.py" for name in QUICK))
    never = said.partition("scripts never sent: ")[2].partition("\n")[0].split()
    assert {"set_address", "free_address", "enter_gate", "lease_due", "quarantine_article"}.isdisjoint(never), said


def test_no_module_of_the_store_asks_for_a_transaction() -> None:
    """A Cluster has none over its nodes, and redis-py's pipelines are one by default."""
    modules = [path for path in resources.files("worker.store").iterdir() if path.name.endswith(".py")]
    pipelines = [(path.name, *re.findall(r"\.pipeline\(.*", path.read_text(encoding="utf-8"))) for path in modules]
    asked = [(name, call) for name, *calls in pipelines for call in calls if call != ".pipeline(transaction=False)"]
    assert sum(len(calls) for _, *calls in pipelines) > 30, "none was found to look at"
    assert not asked
