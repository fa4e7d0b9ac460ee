"""Fingerprints: equal to the simhash package's bit for bit, and what they say of copies and strangers."""

import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simhash import Simhash

from tests.languages import LANGUAGES, reports
from worker.fingerprint import (
    KEY_TERMS,
    LEAD_WORDS,
    NAMED,
    STORY_WORDS,
    copy_simhash,
    cosine,
    fingerprints,
    hamming,
    shared_terms,
    shingle_hashes,
    story_simhash,
    term_weights,
)
from worker.sketch import SKETCH, containment
from worker.text import names, tokens

WORDS = st.lists(st.text("abcdefghij", min_size=1, max_size=4), min_size=1, max_size=120)


def prose(seed: int, words: int = 300) -> str:
    """Words of a seed's own vocabulary, some of them common to all seeds."""
    rng = random.Random(seed)
    own = [f"w{rng.randrange(10**6)}" for _ in range(words // 2)]
    return " ".join(
        rng.choice(own) if rng.random() < 0.7 else rng.choice(["the", "of", "city", "said"]) for _ in range(words)
    )


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12),
        st.integers(1, 2_000),
        min_size=1,
        max_size=300,
    )
)
def test_the_story_fingerprint_is_the_simhash_package_s(weights: dict[str, int]) -> None:
    as_floats = {word: float(weight) for word, weight in weights.items()}  # its whole weights end at 255
    theirs = Simhash(as_floats, f=2048, hashfunc=lambda b: hashlib.shake_128(b).digest(256))
    assert story_simhash(weights) == theirs.value.to_bytes(256, "big")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_story_fingerprint_is_the_simhash_package_s_in_every_language(lang: str) -> None:
    for report in reports(lang)[:5]:
        named = names(f"{report.title}\n{report.text}", lang)
        weights = term_weights(tokens(report.title, lang), tokens(report.text, lang), lang, named)
        as_floats = {term: float(weight) for term, weight in weights.items()}
        theirs = Simhash(as_floats, f=2048, hashfunc=lambda b: hashlib.shake_128(b).digest(256))
        assert fingerprints(report.title, report.text, lang).story == theirs.value.to_bytes(256, "big")


def _shingle_bytes(feature: bytes) -> bytes:
    """A shingle's hash, of the hexadecimal digits that stand for it; the package tries its function on other bytes."""
    return bytes.fromhex(feature.decode()) if len(feature) == 16 else bytes(8)


@given(WORDS)
def test_the_copy_fingerprint_is_the_simhash_package_s(words: list[str]) -> None:
    hashes = shingle_hashes(words)
    theirs = Simhash([f"{h:016x}" for h in hashes.tolist()], hashfunc=_shingle_bytes)
    assert copy_simhash(hashes) == theirs.value.to_bytes(8, "big")


@given(WORDS)
def test_shingles_are_distinct_runs_of_three_words(words: list[str]) -> None:
    width = min(3, len(words))
    runs = {tuple(words[i : i + width]) for i in range(len(words) - width + 1)}
    assert shingle_hashes(words).size == len(runs)


def test_a_title_word_counts_thrice() -> None:
    assert term_weights(["dam"], ["dam"], "en") == term_weights([], ["dam"] * 4, "en")


def test_a_name_weighs_half_as_much_more() -> None:
    plain = term_weights([], ["vellmark", "tarnow"], "en")
    named = term_weights([], ["vellmark", "tarnow"], "en", {"tarnow", "the"})
    assert plain["vellmark"] == plain["tarnow"]
    assert named["tarnow"] / named["vellmark"] == pytest.approx(NAMED, rel=0.01)
    assert "the" not in named


def test_a_fingerprint_knows_names_by_their_capitals() -> None:
    spelled = fingerprints("", "the dam in Vellmark and the grauhof", "en")
    weights = dict(zip(spelled.terms, spelled.weights, strict=True))
    assert weights["vellmark"] / weights["grauhof"] == pytest.approx(NAMED, rel=0.02)


def test_a_name_counts_in_all_its_forms() -> None:
    (named,) = term_weights([], ["пожара"], "ru", {"пожара"})
    weights = term_weights([], ["пожара", "пожаром", "вокзал"], "ru", {"пожара", "пожаром"})
    usual = term_weights([], ["пожара", "пожаром", "вокзал"], "ru")
    assert weights[named] > usual[named]


def test_names_beyond_what_is_read_change_nothing() -> None:
    body = [f"w{i}" for i in range(50)]
    assert term_weights([], body, "en", {"elsewhere"}) == term_weights([], body, "en")


def test_the_lead_counts_as_much_as_the_whole() -> None:
    lead, rest = [f"zzl{i}" for i in range(LEAD_WORDS)], [f"zzr{i}" for i in range(STORY_WORDS - LEAD_WORDS)]
    weights = term_weights([], lead + rest, "en")
    whole, first = STORY_WORDS**-0.5, LEAD_WORDS**-0.5
    assert {weights[word] for word in rest} == {round(1000 * whole)}
    assert {weights[word] for word in lead} == {round(1000 * (whole + first))}
    assert sum(weights[word] for word in lead) > sum(weights[word] for word in rest) / 2


def test_a_short_text_is_all_lead_and_its_headline_too() -> None:
    weights = term_weights(["flood"], ["vellmark", "tarnow"], "en")
    assert len(weights) == 3
    assert sum(weight**2 for weight in weights.values()) == pytest.approx(4 * 1000**2, rel=0.01)


def test_words_beyond_the_first_400_count_for_nothing() -> None:
    body = [f"w{i}" for i in range(STORY_WORDS)]
    assert term_weights([], [*body, "late"], "en") == term_weights([], body, "en")


def test_common_words_weigh_nothing_unless_there_are_no_others() -> None:
    assert "the" not in term_weights([], tokens("the dam broke"), "en")
    assert set(term_weights([], ["the", "of"], "en")) == {"the", "of"}


@pytest.mark.parametrize(
    ("lang", "one", "other"),
    [
        ("ru", "пожара", "пожаром"),
        ("de", "Überschwemmungen", "überschwemmt"),
        ("es", "condenado", "condenaron"),
        ("ar", "الحريق", "حريق"),
        ("tr", "yangını", "yangında"),
        ("uk", "пожежу", "пожежею"),
        ("he", "והריבית", "ריבית"),
        ("sr", "пожару", "požar"),
        ("und", "incendios", "incendió"),
    ],
)
def test_the_forms_of_a_word_are_one_term(lang: str, one: str, other: str) -> None:
    terms = [set(term_weights([], tokens(word, lang), lang)) for word in (one, other)]
    assert terms[0] == terms[1]


def test_english_words_and_numbers_stand_for_themselves() -> None:
    assert set(term_weights([], ["flooded", "floods"], "en")) == {"flooded", "floods"}
    assert set(term_weights([], ["1234567890"], "ru")) == {"1234567890"}


def test_the_forms_of_a_word_count_together() -> None:
    once = term_weights([], ["пожара", "вокзал"], "ru")
    twice = term_weights([], ["пожара", "пожаром", "вокзал"], "ru")
    assert once.keys() == twice.keys()
    (fire,) = term_weights([], ["пожара"], "ru")
    (station,) = once.keys() - {fire}
    assert twice[fire] / twice[station] > 1.5 * once[fire] / once[station]


def test_the_commonest_words_of_a_language_without_a_list_weigh_least() -> None:
    weights = term_weights([], tokens("peaminister ja valitsus on uue eelarve üle arutanud", "et"), "et")
    assert min(weights, key=weights.__getitem__) == "uue"
    assert not {"ja", "on"} & set(weights)


def test_a_text_in_pieces_counts_its_words() -> None:
    thai = "เกิดเหตุเพลิงไหม้โรงงานผลิตรองเท้าในจังหวัดสมุทรปราการ"
    assert len(thai) / 6 < fingerprints("", thai, "th").words < len(thai) / 3


def test_a_text_without_words_has_no_fingerprint() -> None:
    assert fingerprints("!!!", "...", "en").empty
    assert not fingerprints("Dam breaks", "", "en").empty


def test_key_terms_are_the_heaviest_of_a_unit_vector() -> None:
    prints = fingerprints("Dam breaks", prose(1), "en")
    assert len(prints.terms) == len(prints.weights) == KEY_TERMS
    assert list(prints.weights) == sorted(prints.weights, reverse=True)
    assert sum(w * w for w in prints.weights) <= 255**2 * 1.05


def test_strangers_are_far_apart_and_the_same_words_are_near() -> None:
    one, other = fingerprints("", prose(1), "en"), fingerprints("", prose(2), "en")
    assert cosine(one.story, other.story) < 0.2
    assert cosine(one.story, one.story) == pytest.approx(1.0)
    assert hamming(one.story, other.story) == sum(
        (a ^ b).bit_count() for a, b in zip(one.story, other.story, strict=True)
    )


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_containment_estimates_the_share_of_the_shorter_text(share: float) -> None:
    body = prose(3, 400).split()
    cut = int(len(body) * share)
    other = " ".join(body[:cut] + prose(4, 400 - cut if cut < 400 else 100).split())
    a, b = fingerprints("", " ".join(body), "en"), fingerprints("", other, "en")
    left, right = set(shingle_hashes(body).tolist()), set(shingle_hashes(other.split()).tolist())
    exact = len(left & right) / min(len(left), len(right))
    assert containment(a, b) == pytest.approx(exact, abs=0.2)
    assert containment(a, b) == containment(b, a)


def test_containment_is_exact_where_the_sketch_holds_everything() -> None:
    words = prose(5, 40).split()
    a, b = fingerprints("", " ".join(words), "en"), fingerprints("", " ".join(words[:30]), "en")
    assert a.shingles <= SKETCH
    assert containment(a, b) == pytest.approx(1.0)


def test_shared_terms_come_with_both_weights() -> None:
    a, b = fingerprints("Dam breaks in Vellmark", "", "en"), fingerprints("Vellmark dam", "", "en")
    assert {term for term, _, _ in shared_terms(a, b)} == {"dam", "vellmark"}


@pytest.mark.parametrize("lang", ["zh", "ja", "th", "und", "ka", "no"])
def test_every_language_has_weights(lang: str) -> None:
    assert not fingerprints("", "東京 ไทย ქართული word", lang).empty


def test_hashes_are_the_same_in_every_process() -> None:
    """A change of these is a new schema: stored fingerprints would not meet new ones."""
    prints = fingerprints("Dam breaks", "Water rose in Vellmark on Tuesday", "en")
    digest = hashlib.sha256(b"".join([prints.copy, prints.story, prints.sketch, prints.digest, prints.weights]))
    assert digest.hexdigest()[:16] == "c64a9a232400cc4b"
