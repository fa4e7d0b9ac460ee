"""From an article to the stories it could belong to, compared and scored, best first.

Invariant: reads a view and changes nothing; the same view and article give the same candidates in the same order.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

from worker.cluster import posting
from worker.cluster.relation import STRENGTH, Kinship
from worker.cluster.timing import DAY_S, days_apart, time_factor
from worker.cluster.view import Need, View
from worker.cluster.vote import majority
from worker.fingerprint import cosine, hamming
from worker.model import Fingerprints, Member, Relation, Story

COMPARED = 3
"""How many of the best stories are compared member by member."""


@dataclass(frozen=True)
class Candidate:
    """A story beside an article. `likeness`: the cosine to the story's vote; `closest`: to its closest compared text;
    `strongest`: the strongest relation to one of them, and `gap_days` the time to that one."""

    story: Story
    likeness: float
    closest: float
    days: float
    strongest: Relation
    gap_days: float = 0.0
    same_source: bool = False

    @property
    def score(self) -> float:
        return score(self.likeness, self.closest, self.days)


def score(likeness: float, closest: float, days: float) -> float:
    """How well an article fits a story, about 0 to 1: the mean cosine, faded by time."""
    return (likeness + closest) / 2 * time_factor(days)


def search(view: View, kin: Kinship) -> Generator[Need, None, list[Candidate]]:
    """The candidates of an article whose fingerprints are not empty, best first; yields for what the view lacks."""
    article = kin.article
    yield from prefetch(view, [article])
    best = _best(view, article)
    return sorted((compare(kin, s, view.present(s.texts)) for s in best), key=lambda c: (-c.score, c.story.number))


def prefetch(view: View, articles: Sequence[Member]) -> Iterator[Need]:
    """Ask for all that the search for these articles will read, in five Needs at most, however many they are."""
    prints = [article.prints for article in articles if not article.prints.empty]
    yield from view.want(
        members=[article.uid for article in articles],
        terms={term: None for p in prints for term in p.terms},
        bands={band: None for p in prints for band in posting.bands(p.copy)},
    )
    twins = {uid: None for p in prints for uid in _twins(view, p)}
    yield from view.want(members=twins)
    numbers = {number: None for p in prints for number in _numbers(view, p)}
    yield from view.want(stories=numbers)
    yield from view.want(stories=view.aliased(numbers))
    best = {s.number: s for article in articles if not article.prints.empty for s in _best(view, article)}
    yield from view.want(members={uid: None for story in best.values() for uid in (*story.texts, story.lead)})


def _twins(view: View, prints: Fingerprints) -> list[bytes]:
    """The uids of articles of the same text, by their copy fingerprints."""
    found = (pair for band in posting.bands(prints.copy) for pair in posting.posted(view.bands[band]))
    return [uid for known, uid in found if near(known, prints.copy)]


def _numbers(view: View, prints: Fingerprints) -> list[int]:
    """The stories that share key terms or the text, by number; they may be aliases, or have ended."""
    numbers = [member.story for member in view.present(_twins(view, prints))]
    return numbers + posting.rank([view.terms[term] for term in prints.terms], prints.weights)


def _best(view: View, article: Member) -> list[Story]:
    """The stories worth comparing text by text: those of the same text, and COMPARED others."""
    stories = {s.number: s for n in _numbers(view, article.prints) if (s := view.root(n))}
    twins = view.present(_twins(view, article.prints))
    of_twins = {s.number for member in twins if member.uid != article.uid and (s := view.root(member.story))}
    best = sorted(stories.values(), key=lambda s: (s.number not in of_twins, -_outer(article, s), s.number))
    return best[: COMPARED + len(of_twins)]


def near(a: bytes, b: bytes) -> bool:
    """Whether two copy fingerprints are those of one text."""
    return hamming(a, b) <= posting.COPY_DISTANCE


def likeness(prints: Fingerprints, story: Story) -> float:
    """The cosine of an article's words to what most of a story's texts say."""
    return cosine(prints.story, majority(story.planes, story.voters)) if story.voters else 0.0


def compare(kin: Kinship, story: Story, texts: list[Member]) -> Candidate:
    """The article beside a story and its texts."""
    article, prints = kin.article, kin.article.prints
    closest, strongest, gap, same_source = 0.0, Relation.REPORT, 0.0, False
    for text in texts:
        if text.uid == article.uid or text.prints.empty:
            continue
        closest = max(closest, cosine(prints.story, text.prints.story))
        relation = kin.to(text)
        if STRENGTH[relation] > STRENGTH[strongest]:
            strongest, gap = relation, abs(article.time - text.time) / DAY_S
            same_source = text.source == article.source
    return Candidate(
        story, likeness(prints, story), closest, days_apart(article.time, story), strongest, gap, same_source
    )


def _outer(article: Member, story: Story) -> float:
    """The score before the members are known: the same cosine stands for both."""
    return likeness(article.prints, story) * time_factor(days_apart(article.time, story))
