"""A packed word list says what the list says, of every word and of none besides."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wordfreq import get_frequency_dict

from worker.lexicon import Frequencies, frequencies

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(st.lists(st.lists(WORDS, max_size=5), max_size=8), st.lists(WORDS, max_size=10))
def test_a_list_is_a_mapping_from_words_to_shares(by_centibels: list[list[str]], others: list[str]) -> None:
    packed = Frequencies(by_centibels)
    plain = {word: 10 ** (-place / 100) for place, words in enumerate(by_centibels) for word in words}
    assert dict(packed.items()) == plain
    assert len(packed) == len(plain)
    assert [packed.get(word) for word in [*plain, *others]] == [plain.get(word) for word in [*plain, *others]]


@pytest.mark.parametrize("lang", ["en", "he", "zh"])
def test_every_listed_word_has_the_share_of_the_package(lang: str) -> None:
    theirs = get_frequency_dict(lang)
    ours = dict(frequencies(lang).items())
    assert all(math.isclose(share, theirs[word], rel_tol=1e-9) for word, share in ours.items())
    assert {word for word, share in theirs.items() if share >= 1e-7} <= ours.keys()


def test_a_word_that_no_encoding_has_is_not_listed() -> None:
    assert frequencies("en").get("\ud800") is None
