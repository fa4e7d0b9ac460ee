"""From an article to the stories it could belong to, compared and scored, best first.

Invariant: reads a view and changes nothing; the same view and article give the same candidates in the same order.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from worker.cluster import evidence, posting
from worker.cluster.edition import is_edition
from worker.cluster.relation import STRENGTH, Kinship
from worker.cluster.timing import DAY_S, days_apart, time_factor
from worker.cluster.view import Need, View
from worker.cluster.vote import majority_bits
from worker.fingerprint import COSINES, cosine
from worker.model import Fingerprints, Member, Relation, Story

COMPARED = 3
"""How many of the best stories are compared member by member ..."""
EDITIONS = 10
"""... besides the editions of recurring reports among them: one series may have a dozen that are much alike."""


@dataclass(frozen=True)
class Candidate:
    """A story beside an article: the score, and the least one that joins; the strongest relation to one of its texts
    and the time to that one; whether the article is the next edition of what the story tells: it never joins it."""

    story: Story
    score: float
    threshold: float
    strongest: Relation
    gap_days: float
    edition: bool


def search(view: View, kin: Kinship) -> Generator[Need, None, list[Candidate]]:
    """The candidates of an article whose fingerprints are not empty, best first; yields for what the view lacks."""
    (best,) = yield from prefetch(view, [kin.article])
    prints = kin.article.prints
    terms = evidence.present_terms(prints, [view.terms[term] for term in prints.terms], view.made)
    found = [compare(kin, terms, story, view.present(story.texts)) for story in best]
    return sorted(_against_rivals(found, view.strictness), key=lambda c: (-c.score, c.story.number))


def prefetch(view: View, articles: Sequence[Member]) -> Generator[Need, None, list[list[Story]]]:
    """The stories worth comparing text by text with each article, as things stand now: those of the same text, and
    COMPARED others. Asks for all that this reads in five Needs at most, however many articles there are."""
    articles = [article for article in articles if not article.prints.empty]
    yield from view.want(
        members=[article.uid for article in articles],
        terms={term: None for article in articles for term in article.prints.terms},
        bands={band: None for article in articles for band in posting.bands(article.prints.copy)},
    )
    twins = [_twins(view, article.prints) for article in articles]
    yield from view.want(members={uid: None for uids in twins for uid in uids})
    numbers = [_numbers(view, article, uids) for article, uids in zip(articles, twins, strict=True)]
    every = {number: None for found in numbers for number in found}
    yield from view.want(stories=every)
    yield from view.want(stories=view.aliased(every))
    nearest = zip(articles, twins, numbers, strict=True)
    best = [_best(view, article, uids, found) for article, uids, found in nearest]
    yield from view.want(members={uid: None for stories in best for s in stories for uid in (*s.texts, s.lead)})
    return best


def _twins(view: View, prints: Fingerprints) -> list[bytes]:
    """The uids of articles of the same text, by their copy fingerprints."""
    return posting.near([view.bands[band] for band in posting.bands(prints.copy)], prints.copy)


def _numbers(view: View, article: Member, twins: Sequence[bytes]) -> list[int]:
    """The stories that share key terms or the text, by number; they may be aliases, or have ended."""
    numbers = [member.story for member in view.present(twins)]
    prints = article.prints
    return numbers + posting.rank([view.terms[term] for term in prints.terms], prints.weights)


def _best(view: View, article: Member, twins: Sequence[bytes], numbers: Sequence[int]) -> list[Story]:
    stories = {s.number: s for n in numbers if (s := view.root(n))}
    others = [member for member in view.present(twins) if member.uid != article.uid]
    of_twins = {s.number for member in others if (s := view.root(member.story))}
    bits = int.from_bytes(article.prints.story, "big")
    ranks = {s.number: likeness(bits, s) * time_factor(days_apart(article.time, s)) for s in stories.values()}
    best = sorted(stories.values(), key=lambda s: (s.number not in of_twins, -ranks[s.number], s.number))
    return _foremost(best, COMPARED + len(of_twins))


def _foremost(stories: Sequence[Story], most: int) -> list[Story]:
    """The first `most` of the stories; up to EDITIONS that are editions and stand before these come on top."""
    found: list[Story] = []
    editions = 0
    for story in stories:
        if len(found) - editions == most:
            break
        if not story.edition:
            found.append(story)
        elif editions < EDITIONS:
            found.append(story)
            editions += 1
    return found


def likeness(bits: int, story: Story) -> float:
    """The cosine of an article's words, as its fingerprint's `bits`, to what most of a story's texts say."""
    return COSINES[(bits ^ majority_bits(story.planes, story.voters)).bit_count()] if story.voters else 0.0


def _against_rivals(candidates: Sequence[Candidate], strictness: float) -> Iterator[Candidate]:
    """The candidates, each with what its threshold is beside the others; an edition has none but in its series."""
    scores = sorted((c.score for c in candidates if not c.edition), reverse=True)[:2]
    best, next_best = (*scores, 0.0, 0.0)[:2]
    for c in candidates:
        rival = 0.0 if c.edition else next_best if c.score == best else best
        yield replace(c, threshold=evidence.demanded(c.threshold + evidence.rivalry(rival), strictness))


def compare(kin: Kinship, terms: Mapping[str, int], story: Story, texts: Sequence[Member]) -> Candidate:
    """The article beside a story and its texts, by itself; `terms`: what its key terms are worth now."""
    article, prints = kin.article, kin.article.prints
    texts = [text for text in texts if text.uid != article.uid and not text.prints.empty]
    strongest, gap = Relation.REPORT, 0.0
    for text in texts:
        relation = kin.to(text)
        if STRENGTH[relation] > STRENGTH[strongest]:
            strongest, gap = relation, abs(article.time - text.time) / DAY_S
    others = [text.prints for text in texts]
    days = days_apart(article.time, story)
    fit = evidence.score(
        likeness(int.from_bytes(prints.story, "big"), story),
        max((cosine(prints.story, other.story) for other in others), default=0.0),
        *evidence.key_terms(terms, prints.weights, others),
        days,
    )
    least = evidence.threshold(prints.words, story.voters, days)
    return Candidate(story, fit, least, strongest, gap, is_edition(kin, story, texts))
