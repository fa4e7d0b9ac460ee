"""Which story is this? A text that is in no store beside the stories that there are, by the decision that places
articles.

Invariant: pure, and nothing is kept: it yields for what the view lacks, as placing does, and changes nothing in it.
"""

from collections.abc import Generator, Sequence

from msgspec import Struct

from worker.cluster import Need, View
from worker.cluster.place import choose
from worker.cluster.relation import Kinship
from worker.cluster.search import Candidate, search
from worker.fingerprint import cosine, fingerprints, shared_terms
from worker.model import FULL_WEIGHT, Member, Relation, story_id
from worker.report.words import span
from worker.text import clean, language

MOST_STORIES = 5
MOST_TERMS = 12

_ASKED = "\n"
"""Stands where an article's id stands: no article has it, as it cannot be printed."""


class Shared(Struct, frozen=True):
    """A key term of the text and of a story's nearest text, with its weight on each side, 0 to 1."""

    term: str
    given: float
    theirs: float


class Match(Struct, frozen=True, kw_only=True):
    """A story beside the text. `joins`: whether the text would become an article of it; `relation`, `of`: what it would
    be there, and the article that it repeats; `nearest`: of the story's texts the one most like it; `why`: the same in
    words."""

    story: str
    headline: str
    lang: str
    articles: int
    score: float
    threshold: float
    joins: bool
    relation: Relation
    of: Member | None
    nearest: Member | None
    cosine: float
    shared: tuple[Shared, ...]
    edition: bool
    why: str


def asked_member(title: str, text: str, lang: str, now: float) -> tuple[str, Member]:
    """(language, article) of a title and a text as people send them, markup or not; `lang`: as they state it, ""
    where they do not."""
    title, text = clean(title), clean(text)
    decided = language(lang, f"{title}\n{text}")
    prints = fingerprints(title, text, decided)
    return decided, Member(_ASKED, 1, title, "", "", None, now, now, False, prints)


def matches(view: View, article: Member) -> Generator[Need, None, list[Match]]:
    """The stories that the article could belong to, best first, at most MOST_STORIES; none for a text without words."""
    if article.prints.empty:
        return []
    kin = Kinship(article)
    found = yield from search(view, kin)
    candidates = [candidate for candidate in found if candidate.story.articles]
    chosen = choose(article, candidates)
    first = [chosen] if chosen else []
    best = first + [candidate for candidate in candidates if candidate is not chosen]
    return [_match(view, kin, candidate, candidate is chosen) for candidate in best[:MOST_STORIES]]


def _match(view: View, kin: Kinship, candidate: Candidate, joins: bool) -> Match:
    story, article = candidate.story, kin.article
    texts = view.present(list(dict.fromkeys((*story.texts, story.lead))))
    relation, uid = kin.origin(texts)
    relation = relation if joins and relation is not Relation.FIRST else Relation.REPORT
    of = next((text for text in texts if text.uid == uid), None) if relation is not Relation.REPORT else None
    nearest = of or max(texts, key=lambda text: _alike(article, text), default=None)
    terms = shared_terms(article.prints, nearest.prints)[:MOST_TERMS] if nearest else []
    return Match(
        story=story_id(view.lang, story.number),
        headline=story.headline,
        lang=view.lang,
        articles=story.articles,
        score=candidate.score,
        threshold=candidate.threshold,
        joins=joins,
        relation=relation,
        of=of,
        nearest=nearest,
        cosine=_alike(article, nearest) if nearest else 0.0,
        shared=tuple(Shared(term, mine / FULL_WEIGHT, theirs / FULL_WEIGHT) for term, mine, theirs in terms),
        edition=candidate.edition,
        why=_why(candidate, article, joins, relation, of),
    )


def _alike(article: Member, text: Member) -> float:
    return 0.0 if text.prints.empty else cosine(article.prints.story, text.prints.story)


def _why(candidate: Candidate, article: Member, joins: bool, relation: Relation, of: Member | None) -> str:
    """In words that stand alone: `joins it as a copy of "Bridge closed" (Herald), 2 h later: scores 0.61, 0.19
    suffices`."""
    figures = f"scores {candidate.score:.2f}, {candidate.threshold:.2f} suffices"
    if candidate.edition:
        return f"is another edition of a recurring report, which never joins: {figures}"
    if not joins:
        enough = candidate.score >= candidate.threshold
        return f"fits, but another story fits better: {figures}" if enough else f"does not fit: {_short_of(candidate)}"
    if of is None:
        return f"joins it as a report of its own: {figures}"
    named = f'"{of.title or of.id}"' + (f" ({of.source})" if of.source else "")
    later = f", {span(max(0.0, article.time - of.time))} later"
    return f"joins it as a {relation} of {named}{later}: {figures}"


def _short_of(candidate: Candidate) -> str:
    return f"scores {candidate.score:.2f}, {candidate.threshold:.2f} would do"


def joined(found: Sequence[Match]) -> Match | None:
    """The story that the text would join; None where it would begin one."""
    return found[0] if found and found[0].joins else None
