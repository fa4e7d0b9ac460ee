"""Postings and bands: bounded, in order, and no pair within 3 bits is missed."""

from hypothesis import given
from hypothesis import strategies as st

from worker.cluster import posting

OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["put", "drop"]), st.integers(1, 70), st.integers(1, 255)), max_size=200
)


@given(OPERATIONS)
def test_a_posting_is_a_bounded_dictionary_in_order_of_the_last_put(operations: list[tuple[str, int, int]]) -> None:
    packed, model = b"", dict[int, int]()
    for kind, story, weight in operations:
        if kind == "put":
            packed = posting.put(packed, story, weight)
            model[story] = max(weight, model.pop(story, 0))
            if len(model) > posting.POSTING:
                older = list(model)[: -posting.NEWEST]
                del model[older[0] if story % posting.TURN == 0 else min(older, key=model.__getitem__)]
        else:
            packed = posting.drop(packed, story)
            model.pop(story, None)
    unpacked = {int.from_bytes(packed[i : i + 4], "little"): packed[i + 4] for i in range(0, len(packed), 5)}
    assert list(unpacked.items()) == list(model.items())


@given(st.binary(min_size=1000, max_size=1000), st.integers(1, 255))  # drawn at once: a list takes seconds
def test_a_common_term_keeps_its_newest_stories_and_forgets_even_the_heaviest(drawn: bytes, heavy: int) -> None:
    weights = [weight or 1 for weight in drawn]
    packed = posting.put(b"", 1, heavy)
    for story, weight in enumerate(weights, 2):
        packed = posting.put(packed, story, weight)
    stories = [int.from_bytes(packed[i : i + 4], "little") for i in range(0, len(packed), 5)]
    assert stories[-posting.NEWEST :] == list(range(len(weights) + 2 - posting.NEWEST, len(weights) + 2))
    assert stories[0] > 1, "a story of long ago keeps its place for good"


@given(st.integers(1, 2**32 - 1), st.integers(1, 2**32 - 1), st.integers(1, 255))
def test_a_number_is_found_only_where_an_entry_begins(one: int, other: int, weight: int) -> None:
    packed = posting.put(posting.put(b"", one, weight), other, weight)
    assert posting.drop(packed, one) == (posting.put(b"", other, weight) if one != other else b"")


@given(st.binary(min_size=8, max_size=8), st.sets(st.integers(0, 63), max_size=3))
def test_every_pair_within_three_bits_shares_a_band(copy: bytes, flipped: set[int]) -> None:
    near = int.from_bytes(copy, "big")
    for bit in flipped:
        near ^= 1 << bit
    assert set(posting.bands(copy)) & set(posting.bands(near.to_bytes(8, "big")))


@given(
    st.binary(min_size=8, max_size=8),
    st.lists(st.tuples(st.sets(st.integers(0, 63), max_size=6), st.binary(min_size=8, max_size=8)), max_size=20),
)
def test_the_copies_of_a_text_are_those_within_three_bits_in_order(
    copy: bytes, others: list[tuple[set[int], bytes]]
) -> None:
    band, model = b"", dict[bytes, int]()
    for flipped, uid in others:
        other = int.from_bytes(copy, "big") ^ sum(1 << bit for bit in flipped)
        band = posting.post(band, other.to_bytes(8, "big"), uid)
        model.pop(uid, None)
        model[uid] = len(flipped)
    expected = [uid for uid, distance in model.items() if distance <= posting.COPY_DISTANCE]
    assert posting.near([band], copy) == expected
    assert posting.near([band, b"", band], copy) == expected + expected


def test_ranking_is_by_the_dot_product_of_at_least_two_shared_terms() -> None:
    both = posting.put(posting.put(b"", 1, 10), 2, 200)
    first_only = posting.put(posting.put(b"", 1, 50), 3, 255)
    assert posting.rank([both, first_only], bytes([100, 100])) == [1]
    assert posting.rank([both, posting.put(first_only, 2, 1)], bytes([100, 100])) == [2, 1]
    assert posting.rank([both], bytes([100])) == [2, 1]
    assert posting.rank([b"", b""], bytes([1, 1])) == []


@given(st.lists(st.tuples(st.binary(min_size=8, max_size=8), st.binary(min_size=8, max_size=8)), max_size=10))
def test_a_band_gives_back_what_was_posted_and_not_taken_out(pairs: list[tuple[bytes, bytes]]) -> None:
    band, model = b"", dict[bytes, bytes]()
    for copy, uid in pairs:
        band = posting.post(band, copy, uid)
        model.pop(uid, None)
        model[uid] = copy
    assert [(uid, copy) for copy, uid in posting.posted(band)] == list(model.items())
    for _, uid in pairs:
        band = posting.unpost(band, uid)
    assert band == b""


POSTINGS = st.lists(st.lists(st.tuples(st.integers(1, 2**32 - 1), st.integers(1, 255)), max_size=60), max_size=12)


@given(POSTINGS, st.one_of(st.integers(-100, 300), st.integers(0, 2**32 - 1)))
def test_the_newest_stories_of_each_posting_are_counted(entries: list[list[tuple[int, int]]], since: int) -> None:
    postings = []
    for posted in entries:
        packed = b""
        for story, weight in posted:
            packed = posting.put(packed, story, weight)
        postings.append(packed)
    stories = [[int.from_bytes(p[at : at + 4], "little") for at in range(0, len(p), 5)] for p in postings]
    assert posting.counts(postings, since) == [sum(story > since for story in named) for named in stories]
