"""What is remembered of words is what the words alone say, whatever else was remembered before."""

import hashlib
from collections.abc import Callable

import numpy as np
import pytest

from worker import fingerprint
from worker.fingerprint import fingerprints, term_weights
from worker.lexicon import rarity
from worker.stem import stem
from worker.text import tokens
from worker.vocabulary import Vocabulary

TEXTS = [f"The dam at site {i} broke on day {i % 7}; {' '.join(f'town{i * j}' for j in range(40))}." for i in range(60)]


def by_length(word: str, lang: str) -> float:
    """A rarity that tells languages apart."""
    return len(word) + (0.5 if lang == "de" else 0.0)


def fresh(limit: int = 1_000, rarity: Callable[[str, str], float] = by_length) -> Vocabulary:
    return Vocabulary(2048, rarity, stem, limit=limit)


def test_a_word_keeps_its_number_and_its_hashes() -> None:
    vocabulary = fresh()
    numbers = vocabulary.numbers(["dam", "broke", "dam"])
    again = vocabulary.numbers([f"word{i}" for i in range(9_000)] + ["dam"])[-1:]
    assert numbers[0] == numbers[2] == again[0] != numbers[1]
    expected = hashlib.shake_128(b"dam").digest(256)
    assert vocabulary.rows(again)[0].tobytes() == vocabulary.rows(numbers)[2].tobytes() == expected
    short = int.from_bytes(hashlib.blake2b(b"dam", digest_size=8).digest(), "big")
    assert vocabulary.hashes(again).tolist() == [short]


def test_a_rarity_is_asked_for_once_a_word_and_language() -> None:
    asked = []

    def noted(word: str, lang: str) -> float:
        asked.append((word, lang))
        return by_length(word, lang)

    vocabulary = fresh(rarity=noted)
    for lang, expected in (("en", [3.0, 5.0]), ("de", [3.5, 5.5]), ("en", [3.0, 5.0])):
        numbers = vocabulary.numbers(["dam", "broke"])
        assert vocabulary.rarities(numbers, lang).tolist() == expected
    assert sorted(asked) == [("broke", "de"), ("broke", "en"), ("dam", "de"), ("dam", "en")]


def test_it_starts_anew_before_it_outgrows_its_limit_and_never_inside_a_text() -> None:
    vocabulary = fresh(limit=10)
    words = [f"word{i}" for i in range(50)]
    assert vocabulary.numbers(words).tolist() == list(range(50))
    assert vocabulary.numbers(["another"]).tolist() == [0]
    assert len(vocabulary.words) == 1


@pytest.mark.parametrize("hashing", ["blake2b", "shake_128"])
def test_words_whose_hashing_was_interrupted_are_hashed_at_the_next_call(
    hashing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job's end at its timeout comes as a signal."""
    words, vocabulary = [f"word{i}" for i in range(5_000)], fresh(limit=10_000)

    def interrupted(*_: object, **__: object) -> None:
        raise TimeoutError

    with monkeypatch.context() as patched:
        patched.setattr(f"worker.vocabulary.{hashing}", interrupted)
        with pytest.raises(TimeoutError):
            vocabulary.numbers(words)
    other = fresh(limit=10_000)
    found, expected = vocabulary.numbers(words), other.numbers(words)
    assert (vocabulary.rows(found) == other.rows(expected)).all()
    assert (vocabulary.hashes(found) == other.hashes(expected)).all()


def test_no_words_have_no_numbers() -> None:
    assert fresh().numbers([]).dtype == np.intp


@pytest.mark.parametrize("lang", ["en", "de"])
def test_sums_run_in_an_order_that_earlier_articles_do_not_change(lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sum of floats depends on their order, and what is static must not."""
    head, body = tokens(TEXTS[0], lang), tokens(TEXTS[1], lang)
    found = []
    for earlier in ([], body[::-1], sorted({*head, *body})):
        monkeypatch.setattr(fingerprint, "_vocabulary", Vocabulary(2048, rarity, stem))
        term_weights(earlier, [*earlier, "earlier"], lang)
        found.append(list(term_weights(head, body, lang, {"dam", "town5"}).items()))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("lang", ["en", "de"])
def test_fingerprints_do_not_depend_on_when_the_vocabulary_started_anew(
    lang: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [fingerprints("Dam breaks", text, lang) for text in TEXTS]
    small = Vocabulary(2048, rarity, stem, limit=100)
    monkeypatch.setattr(fingerprint, "_vocabulary", small)
    assert [fingerprints("Dam breaks", text, lang) for text in TEXTS] == expected
    assert len(small.words) < 300
