"""Why two articles are, or are not, one story: the same figures that the decision goes by, for one pair.

Invariant: pure but for `stored`, which reads. What is computed here is computed by the functions that decide.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from worker import cluster
from worker.cluster.place import SHORT_COPY_DAYS
from worker.cluster.relation import SHORT_WORDS, relate
from worker.cluster.timing import DAY_S
from worker.errors import BadInput
from worker.fingerprint import cosine, fingerprints, hamming, shared_terms
from worker.model import FULL_WEIGHT, Fingerprints, Member, Relation, parse_story_id, story_id, uid
from worker.report.byhand import Said, agreeing
from worker.sketch import overlap
from worker.text import clean, language

if TYPE_CHECKING:
    from worker.store.stories import Stories


class Side(Struct, frozen=True, kw_only=True):
    """One of the two. `time`, `story`, `relation`, `of` are None for a text that is not in a store; `order` tells two
    articles of one event time apart; `of`: the uid of the article that it repeats, `of_name` that one's headline and
    outlet, empty where the store does not have it any more. `corrections`: those that name it, the newest first."""

    id: str
    title: str
    source: str
    lang: str
    prints: Fingerprints
    time: float | None = None
    order: int = 0
    story: str | None = None
    relation: Relation | None = None
    of: bytes | None = None
    of_name: str = ""
    corrections: tuple[Said, ...] = ()


class Term(Struct, frozen=True):
    """A key term and its weight (0 to 1, of the unit vector) on each side; 0 where it is no key term of it."""

    term: str
    earlier: float
    later: float

    @property
    def product(self) -> float:
        """What the term adds to the cosine."""
        return self.earlier * self.later


class Comparison(Struct, frozen=True, kw_only=True):
    """The figures. `days` is None where one has no time. `one_story`: what the store says, None if it cannot say.

    `relation`: what the later text is to the earlier one, by the two alone. `stored_repeat`: which of them (`later` or
    `earlier`) repeats the other by the store, and as what; None where neither does. `editions`: whether they are two
    editions of one report, which never join.
    """

    earlier: Side
    later: Side
    copy_distance: int
    story_distance: int
    cosine: float
    containment: float
    mean_containment: float
    days: float | None
    time_factor: float
    score: float
    threshold: float
    relation: Relation
    editions: bool
    one_story: bool | None
    stored_repeat: tuple[str, Relation] | None
    shared: tuple[Term, ...]
    only_earlier: tuple[Term, ...]
    only_later: tuple[Term, ...]

    @property
    def together(self) -> bool:
        """Whether they are one story: by the store, or for texts outside of it by the pair alone."""
        return self.would_join if self.one_story is None else self.one_story

    @property
    def repeats(self) -> tuple[str, Relation] | None:
        """Who repeats whom: by the store, or for texts outside of it by the pair alone; None where nobody does."""
        if self.one_story is None and self.together and self.relation is not Relation.REPORT:
            return "later", self.relation
        return self.stored_repeat

    @property
    def by_hand(self) -> tuple[Said, ...]:
        """The corrections that made them one story, or two, the newest first; none for texts outside of the store."""
        if self.one_story is None or self.earlier.lang != self.later.lang:
            return ()
        said = (*self.earlier.corrections, *self.later.corrections)
        return agreeing(said, self.earlier.id, self.later.id, together=self.one_story)

    @property
    def would_join(self) -> bool:
        """Whether these two alone would be one story."""
        return self.comparable and not self.editions and (self.same_text or self.score >= self.threshold)

    @property
    def same_text(self) -> bool:
        """Whether one is a copy of the other that joins at any score; a short text only on the same day."""
        short = min(self.earlier.prints.words, self.later.prints.words) < SHORT_WORDS
        return self.relation is Relation.COPY and (not short or (self.days or 0.0) <= SHORT_COPY_DAYS)

    @property
    def comparable(self) -> bool:
        """False where one has no words, or their languages differ: such articles are never compared."""
        return not (self.earlier.prints.empty or self.later.prints.empty) and self.earlier.lang == self.later.lang


def stored(stories: "Stories", article_id: str) -> Side:
    """An article of the store. Raises BadInput where there is none of that id."""
    found = stories.article(article_id)
    if found is None:
        number = parse_story_id(article_id)
        missing = "is a story" if number and stories.find(*number) else "is no article of the store"
        raise BadInput(
            f"{article_id!r} {missing}: `storywire report --members` lists the articles' ids, "
            "and a path of a text file (headline on the first line) can be compared too"
        )
    lang, member = found
    story = stories.find(lang, member.story)
    return Side(
        id=member.id,
        title=member.title,
        source=member.source,
        lang=lang,
        prints=member.prints,
        time=member.time,
        order=member.seq,
        story=story_id(lang, story.number) if story else None,
        relation=member.relation,
        of=member.of,
        of_name=_name_of(stories, lang, story.number, member.of) if story and member.of else "",
        corrections=tuple(Said(lang, each) for each in stories.corrections(lang, member.uid)),
    )


def _name_of(stories: "Stories", lang: str, story: int, repeated: bytes) -> str:
    """The headline and the outlet of the story's article of this uid; empty where the story has it no more."""
    for other in stories.members(lang, story):
        if uid(other.id) == repeated:
            outlet = f" ({other.source})" if other.source else ""
            return f'"{other.title or other.id}"{outlet}'
    return ""


def from_text(name: str, content: str, lang: str = "") -> Side:
    """A text that is in no store: its first line with words is the headline, the rest the text."""
    lines = [line.strip() for line in content.lstrip("\ufeff").splitlines()]
    first = next((i for i, line in enumerate(lines) if line), 0)
    title, text = clean(lines[first] if lines else ""), clean("\n".join(lines[first + 1 :]))
    decided = language(lang, f"{title}\n{text}")
    return Side(id=name, title=title, source="", lang=decided, prints=fingerprints(title, text, decided))


def compare(one: Side, other: Side, strictness: float = cluster.USUAL_STRICTNESS) -> Comparison:
    """The two against each other, in order of event time; without times the first given is the earlier.

    `strictness`: that of the decision, 0 to 1; what the store says of articles may have been decided at another.
    """
    earlier, later, days = _in_order(one, other)
    a, b = earlier.prints, later.prints
    words, wording = not (a.empty or b.empty), overlap(a, b)
    return Comparison(
        earlier=earlier,
        later=later,
        copy_distance=hamming(a.copy, b.copy) if words else 8 * len(a.copy or b.copy),
        story_distance=hamming(a.story, b.story) if words else 8 * len(a.story or b.story),
        cosine=cosine(a.story, b.story) if words else 0.0,
        containment=wording.of_shorter,
        mean_containment=wording.mean,
        days=days,
        time_factor=cluster.time_factor(days or 0.0),
        score=cluster.pair_score(a, b, days or 0.0) if words else 0.0,
        threshold=cluster.demanded(cluster.threshold(b.words, 1, days or 0.0), strictness),
        relation=relate(a, b),
        editions=words and cluster.two_editions(_member(earlier, 0.0), _member(later, (days or 0.0) * DAY_S)),
        one_story=None if one.story is None or other.story is None else one.story == other.story,
        stored_repeat=_stored_repeat(earlier, later),
        shared=tuple(Term(t, x / FULL_WEIGHT, y / FULL_WEIGHT) for t, x, y in shared_terms(a, b)),
        only_earlier=tuple(Term(t, x / FULL_WEIGHT, 0.0) for t, x in _only(a, b)),
        only_later=tuple(Term(t, 0.0, y / FULL_WEIGHT) for t, y in _only(b, a)),
    )


def _in_order(one: Side, other: Side) -> tuple[Side, Side, float | None]:
    """The earlier, the later, and the days between them; None, and as they were given, where one has no time."""
    if one.time is None or other.time is None:
        return one, other, None
    days = abs(one.time - other.time) / DAY_S
    return (other, one, days) if (other.time, other.order) < (one.time, one.order) else (one, other, days)


def _member(side: Side, time: float) -> Member:
    """The side as the decision sees it."""
    return Member(side.id, 1, side.title, "", side.source, None, time, time, False, side.prints)


def _stored_repeat(earlier: Side, later: Side) -> tuple[str, Relation] | None:
    if later.of and later.relation and later.of == uid(earlier.id):
        return "later", later.relation
    if earlier.of and earlier.relation and earlier.of == uid(later.id):
        return "earlier", earlier.relation
    return None


def _only(prints: Fingerprints, other: Fingerprints) -> Sequence[tuple[str, int]]:
    theirs = set(other.terms)
    return [(term, weight) for term, weight in zip(prints.terms, prints.weights, strict=True) if term not in theirs]
