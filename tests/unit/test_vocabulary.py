"""What is remembered of words is what the words alone say, whatever else was remembered before."""

import hashlib
from collections.abc import Callable

import numpy as np
import pytest

from worker import fingerprint
from worker.fingerprint import fingerprints
from worker.lexicon import rarity
from worker.stem import stem
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


def test_no_words_have_no_numbers() -> None:
    assert fresh().numbers([]).dtype == np.intp


@pytest.mark.parametrize("lang", ["en", "de"])
def test_fingerprints_do_not_depend_on_when_the_vocabulary_started_anew(
    lang: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [fingerprints("Dam breaks", text, lang) for text in TEXTS]
    small = Vocabulary(2048, rarity, stem, limit=100)
    monkeypatch.setattr(fingerprint, "_vocabulary", small)
    assert [fingerprints("Dam breaks", text, lang) for text in TEXTS] == expected
    assert len(small.words) < 300
