"""Recurring reports among ordinary stories, through the pure decision, and the pairs it gets right of each series.

Invariant: everything that was put together with an edition counts, whatever it is; the newsroom's own recurring reports
and revisions are left out, its follow-ups are in.
"""

from collections.abc import Sequence
from typing import NamedTuple

from tests.memory import Memory, member
from tests.recurring import Series, editions
from tests.scoring import Score, pairwise
from worker.demo.newsroom import DAY_S, START_S, Newsroom
from worker.demo.outlets import OUTLETS
from worker.model import Member

NEWS = "ordinary news"
DAYS = 16
"""How long the newsroom works beside the editions."""
_PER_HOUR = 4.0
_EACH = 14


class Labelled(NamedTuple):
    """An article with its text, its true story, and the series it is of, or NEWS."""

    article: Member
    text: str
    story: str
    series: str


def stream(seed: int, series: Sequence[Series], days: float = DAYS, each: int = _EACH) -> list[Labelled]:
    """`each` editions of every series and so many days of ordinary news, in order of time."""
    found = [
        Labelled(member(e.id, e.title, e.text, e.time, source=e.outlet), e.text, e.story, e.series)
        for e in editions(seed, each, series)
    ]
    room = Newsroom(seed, outlets=[outlet for outlet in OUTLETS if outlet.lang == "en"], per_hour=_PER_HOUR)
    for a in room.articles(until=START_S + days * DAY_S):
        if a.revision == 1 and not a.story.startswith(("en-weather", "en-markets")):
            article = member(a.id, a.title, a.text, a.published, source=a.outlet)
            found.append(Labelled(article, a.text, f"news {a.story}", NEWS))
    return sorted(found, key=lambda labelled: (labelled.article.time, labelled.article.id))


def scores(articles: Sequence[Labelled], assigned: dict[str, str]) -> dict[str, Score]:
    """Precision and recall of the pairs, of each series and of `NEWS`, and of all editions under the empty name."""
    gold = [labelled.story for labelled in articles]
    predicted = [assigned[labelled.article.id] for labelled in articles]
    names = sorted({labelled.series for labelled in articles} - {NEWS})
    found = {name: pairwise(gold, predicted, [a.series == name for a in articles]) for name in [*names, NEWS]}
    return found | {"": pairwise(gold, predicted, [a.series != NEWS for a in articles])}


def measure(articles: Sequence[Labelled]) -> dict[str, Score]:
    """The scores of the pure decision."""
    return scores(articles, Memory().place_all(labelled.article for labelled in articles).assignments())
