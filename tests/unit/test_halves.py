"""Two groups of texts: found where there are two, in whatever order they stand, and not where there is one."""

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.confusable import told
from worker.cluster.halves import _cosines, divided
from worker.fingerprint import STORY_BITS, cosine, fingerprints

ONE_EVENT = ["a1", "a2", "a3", "a4", "a5", "a6"]
TWO_EVENTS = ["a1", "a2", "a3", "b1", "b2", "b3"]


def prints(names: list[str]) -> list[bytes]:
    """The story fingerprints of these reports."""
    return [fingerprints("", told(name[0], int(name[1:])), "en").story for name in names]


def groups(names: list[str]) -> set[frozenset[str]] | None:
    """The two groups of reports, without their order; None where there is one."""
    other = divided(prints(names))
    if other is None:
        return None
    assert not other[0], "the group without the first text is named"
    pairs = list(zip(names, other, strict=True))
    return {frozenset(name for name, out in pairs if out is side) for side in (False, True)}


@pytest.mark.parametrize(
    "names", [TWO_EVENTS, ["a1", "b1", "a2", "b2", "a3", "b3"], ["b1", "a1", "a2", "a3", "a4", "b2", "a5"]]
)
def test_two_events_are_two_groups_in_a_row_and_interleaved(names: list[str]) -> None:
    assert groups(names) == {frozenset(n for n in names if n[0] == event) for event in "ab"}


def test_the_groups_are_the_same_in_every_order() -> None:
    found = dict(zip(TWO_EVENTS, prints(TWO_EVENTS), strict=True))
    for names in permutations(TWO_EVENTS):
        other = divided([found[name] for name in names])
        assert other == [name[0] != names[0][0] for name in names], names


@pytest.mark.parametrize("names", [ONE_EVENT, ["a1", "a1", "a1", "a1"], [*ONE_EVENT, *ONE_EVENT]])
def test_one_event_is_one_group(names: list[str]) -> None:
    assert groups(names) is None


@pytest.mark.parametrize("names", [[], ["a1"], ["a1", "b1"], ["a1", "a2", "b1"], ["a1", "b1", "c1"]])
def test_three_texts_are_too_few_to_tell(names: list[str]) -> None:
    assert groups(names) is None


@pytest.mark.parametrize("outlier", range(7))
def test_one_text_that_is_unlike_the_others_is_no_group(outlier: int) -> None:
    names = [*ONE_EVENT[:outlier], "b1", *ONE_EVENT[outlier:]]
    assert groups(names) is None


@given(st.lists(st.binary(min_size=256, max_size=256), min_size=0, max_size=12))
def test_any_fingerprints_have_an_answer(prints: list[bytes]) -> None:
    other = divided(prints)
    assert other is None or (len(other) == len(prints) and not other[0] and 2 <= sum(other) <= len(prints) - 2)


@pytest.mark.parametrize("fill", [b"\0", b"\xff", b"\x55"])
def test_equal_and_opposite_fingerprints_have_an_answer(fill: bytes) -> None:
    one, opposite = fill * 256, bytes(byte ^ 0xFF for byte in fill * 256)
    assert divided([one] * 5) is None
    assert divided([one, opposite, one, opposite]) == [False, True, False, True]


def test_texts_as_unlike_each_other_as_can_be_have_an_answer() -> None:
    """Of each bit half of them have it: their cosines sum up to less than nought."""
    columns = [sum(1 << row for row in rows) for rows in combinations(range(6), 3)]
    bits = np.array([[columns[bit % 20] >> row & 1 for bit in range(STORY_BITS)] for row in range(6)], dtype=np.uint8)
    assert divided([row.tobytes() for row in np.packbits(bits, axis=1)]) is None


def test_their_cosines_are_those_of_the_fingerprints() -> None:
    found = prints(TWO_EVENTS)
    assert _cosines(found).tolist() == [[cosine(one, other) for other in found] for one in found]
