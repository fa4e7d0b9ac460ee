"""The vote of a story: order does not matter, merging adds, removal undoes."""

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from worker.cluster.vote import Planes, add, majority, subtract

WIDTH = 4
FINGERPRINTS = st.lists(st.binary(min_size=WIDTH, max_size=WIDTH), max_size=20)


def cast(fingerprints: list[bytes]) -> Planes:
    return reduce(lambda planes, one: add(planes, (one,)), fingerprints, ())


def counts(fingerprints: list[bytes]) -> list[int]:
    bits = [f"{int.from_bytes(one, 'big'):0{8 * WIDTH}b}" for one in fingerprints]
    return [sum(b[i] == "1" for b in bits) for i in range(8 * WIDTH)]


@given(FINGERPRINTS.flatmap(lambda all_: st.tuples(st.just(all_), st.permutations(all_))))
def test_the_vote_does_not_depend_on_order(both: tuple[list[bytes], list[bytes]]) -> None:
    assert cast(both[0]) == cast(both[1])


@given(FINGERPRINTS, FINGERPRINTS)
def test_merging_equals_clustering_the_union_s_votes(left: list[bytes], right: list[bytes]) -> None:
    assert add(cast(left), cast(right)) == cast(left + right)


@given(FINGERPRINTS, FINGERPRINTS)
def test_removal_undoes_addition(left: list[bytes], right: list[bytes]) -> None:
    assert subtract(cast(left + right), cast(right)) == cast(left)


@given(FINGERPRINTS)
def test_the_majority_is_what_counting_gives_and_ties_are_fixed(fingerprints: list[bytes]) -> None:
    found = majority(cast(fingerprints), len(fingerprints))
    bits = f"{int.from_bytes(found, 'big'):0{8 * WIDTH}b}"
    for i, count in enumerate(counts(fingerprints)):
        if 2 * count != len(fingerprints):
            assert (bits[i] == "1") == (2 * count > len(fingerprints))
    assert found == majority(cast(fingerprints[::-1]), len(fingerprints))


def test_two_opposite_texts_leave_no_bit_to_all_and_none() -> None:
    """Ties as zeros would make two strangers of two texts each look alike."""
    tied = majority(cast([b"\x00" * 256, b"\xff" * 256]), 2)
    assert 900 < int.from_bytes(tied, "big").bit_count() < 1150


def test_what_never_voted_cannot_be_taken_out() -> None:
    try:
        subtract(cast([b"\x00\x00\x00\x01"]), (b"\x00\x00\x00\x02",))
    except ValueError:
        return
    raise AssertionError("a fingerprint that never voted was taken out")
