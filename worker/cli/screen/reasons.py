"""An explanation's verdict and its reason, in plain words.

Invariant: pure. A is the earlier of the two, B the later.
"""

from worker.cluster.relation import SHORT_WORDS
from worker.model import Relation
from worker.report.comparison import Comparison, Side
from worker.report.harmless import harmless
from worker.report.words import count, fraction

_MOST_NAMED = 5
_STANDING = "of the shorter text's word triples stand in the other as they are"


def verdict(result: Comparison) -> str:
    """What B is to A: `B is a rewrite of A`, or what keeps them apart."""
    if not result.together:
        if not result.comparable:
            return "they cannot be compared"
        if result.would_join and result.by_hand:
            return "an editor keeps them in two"
        if result.editions:
            return "they are two editions of one report"
        return "the store keeps them in two" if result.would_join else "they share too little"
    if result.repeats is None:
        return _side_by_side(result)
    direction, relation = result.repeats
    repeater, repeated = ("B", "A") if direction == "later" else ("A", "B")
    return f"{repeater} is a {relation} of {repeated}"


def _side_by_side(result: Comparison) -> str:
    """Two of one story of which neither is said to repeat the other."""
    of = result.earlier.of, result.later.of
    if of[0] and of[0] == of[1]:
        return "both repeat the same third article"
    return (
        "each is a report of its own"
        if result.relation is Relation.REPORT and not any(of)
        else "neither repeats the other"
    )


def reason(result: Comparison) -> str:
    """Why, in a sentence or two."""
    why = [_why_not_compared(result) or _why_together(result), _why_relation(result), _why_in_this_order(result)]
    return " ".join(filter(None, why))


def _why_in_this_order(result: Comparison) -> str:
    """Without dates the direction is the caller's."""
    repeated = result.together and result.relation is not Relation.REPORT
    return "Without both dates A, given first, counts as the earlier." if repeated and result.days is None else ""


def _why_not_compared(result: Comparison) -> str:
    a, b = result.earlier, result.later
    if a.prints.empty or b.prints.empty:
        which = "Neither has" if a.prints.empty and b.prints.empty else "A has no" if a.prints.empty else "B has no"
        return f"{which} words, and a text without words never joins a story."
    if a.lang != b.lang:
        return f"A is in {a.lang!r} and B in {b.lang!r}: stories are kept language by language."
    return ""


def _why_together(result: Comparison) -> str:
    above = result.score >= result.threshold
    score, limit = fraction(result.score), fraction(result.threshold)
    named = [harmless(term.term) for term in result.shared[:_MOST_NAMED]]
    shared = count(len(result.shared), "key term") if named else "no key term"
    words = f"They share {shared}" + (f" ({', '.join(named)})" if named else "")
    if result.together and (above or result.would_join):
        much = f"score {score} where {limit} is enough" if above else "are the same text, which joins at any score"
        return f"{words} and {much}, so they are one story."
    if result.by_hand and result.together is not result.would_join:
        alone = "would" if result.would_join else "would not"
        return f"By themselves they {alone} be one story, by a score of {score} against {limit}. {_by_hand(result)}"
    if result.together:
        return (
            f"By themselves they would not be: {score} is below {limit}. Each joined through other articles of the "
            "story, which lie between them."
        )
    if result.would_join:
        return (
            f"By themselves they would be one story: {words[0].lower()}{words[1:]} and score {score} where {limit} is "
            "enough. But whole stories count, not pairs: an article joins the one that fits it best, or none where two "
            "fit it equally well; and a story whose texts turn out to be those of two is divided."
        )
    return _why_apart(result, words)


def _why_apart(result: Comparison, words: str) -> str:
    """Of two that would not be one story; `words`: what they share."""
    if result.editions:
        return (
            "They are two editions of one report, which never are one story: the outlet has its title again, or the "
            "same wording stands around other figures and names."
        )
    if result.days is not None and result.cosine >= result.threshold > result.score:
        alike = f"Their words are alike (cosine {fraction(result.cosine)})"
        return f"{alike}, but they are too far apart in time to be one event."
    score, limit = fraction(result.score), fraction(result.threshold)
    return f"{words}, which is too little: {score} is below the {limit} that makes one story."


def _by_hand(result: Comparison) -> str:
    """The correction that counts, as it was given."""
    said = result.by_hand[0]
    both = said.names(result.earlier.id) and said.names(result.later.id)
    return f"But an editor spoke of {'both' if both else 'one of them'}, {harmless(str(said))}."


def _why_relation(result: Comparison) -> str:
    if not result.comparable or not result.together:
        return ""
    if result.one_story and (result.repeats[1] if result.repeats else Relation.REPORT) is not result.relation:
        return _why_not_as_stored(result)
    share = f"{round(100 * result.containment)} %"
    standing = f"{share} {_STANDING}"
    if result.relation is Relation.COPY:
        same = result.earlier.prints.digest == result.later.prints.digest
        return f"{'The words are the same from first to last' if same else standing}, so it is a copy."
    if result.relation is Relation.REWRITE:
        return f"{standing}: far more than two reporters share by chance, but not the whole text, so it is a rewrite."
    if min(result.earlier.prints.words, result.later.prints.words) < SHORT_WORDS:
        return f"With fewer than {SHORT_WORDS} words only an equal text would be called a copy."
    return f"Only {share} of the word triples are shared: both tell it in their own words."


def _why_not_as_stored(result: Comparison) -> str:
    """What the two alone would be, and what the store has instead."""
    share = f"{round(100 * result.containment)} % {_STANDING}"
    alone = "two reports" if result.relation is Relation.REPORT else f"B a {result.relation} of A"
    if result.repeats:
        return f"{share}: by the two alone that makes {alone}, but in the store {verdict(result)}."
    a, b = _stored_as(result.earlier), _stored_as(result.later)
    has = f"both as {b}" if a == b and result.later.of else f"A as {a}, and B as {b}"
    return f"{share}: by the two alone that makes {alone}. But the store has {has}."


def _stored_as(side: Side) -> str:
    """`a copy of "Headline" (Outlet)`, or an article that repeats nobody."""
    if side.of:
        return f"a {side.relation} of {harmless(side.of_name, 'an article that is no longer in the story')}"
    return "the first of the story" if side.relation is Relation.FIRST else "a report that repeats no other article"
