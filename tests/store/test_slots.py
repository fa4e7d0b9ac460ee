"""Every script and every command of the store touches one slot: shown by a server that refuses what does not.

A Cluster of one node answers for all slots, and still refuses two keys of different slots, and a script that touches a
key of another slot than those that it was given. So tests of the store are run on one; all of them, on three nodes,
are in tests/fault/test_cluster.py.
"""

from tests.store.slots import run_on_cluster

QUICK = ("test_quarantine", "test_pages", "test_hubs", "test_gates", "test_feed_moves")
"""What takes a second, and sends the scripts that commits of stories do not."""


def test_feeds_gates_hubs_pages_and_the_quarantine_touch_one_slot_at_a_time() -> None:
    said = run_on_cluster(*(f"tests/store/{name}.py" for name in QUICK))
    never = said.partition("scripts never sent: ")[2].partition("\n")[0].split()
    assert {"set_address", "free_address", "enter_gate", "lease_due", "quarantine_article"}.isdisjoint(never), said
