"""What servers say of their replicas: which could take over, and what counts of several nodes."""

from typing import Any

from worker.connect import merged


def said(*replicas: tuple[str, int]) -> dict[str, Any]:
    """INFO of a primary with replicas of these states that were silent for so many seconds."""
    each = {f"slave{at}": {"state": state, "lag": lag} for at, (state, lag) in enumerate(replicas)}
    return {"connected_slaves": len(replicas), **each}


def test_a_replica_that_is_silent_or_copies_could_not_take_over() -> None:
    one = said(("online", 1), ("online", 26), ("send_bulk", 0))
    assert (merged.in_step(one), merged.replicas(one), merged.copying(one)) == (1, 2, 1)


def test_of_several_primaries_the_one_with_fewest_counts() -> None:
    assert merged.in_step(merged.info([said(("online", 0), ("online", 0)), said(("online", 0), ("online", 30))])) == 1
