"""Recurring editions: the same outlet with the same title again, half a day later or more, begins a story of its own.

Invariant: an edition is known by outlet, title and time, never by its text: whoever reads "Morning briefing" twice
from one outlet reads two briefings, however alike they are.
"""

from collections.abc import Iterable
from functools import lru_cache

from worker.cluster.join import outlet_hash
from worker.cluster.timing import DAY_S
from worker.model import Member, Story
from worker.text import tokens

APART_DAYS = 0.5


@lru_cache(maxsize=20_000)
def label(title: str) -> tuple[str, ...]:
    """What recurs of a title: its words without numbers; all of it where nothing else is left."""
    words = tokens(title)
    return tuple(word for word in words if not word[0].isdecimal()) or tuple(words)


def is_edition(article: Member, story: Story, texts: Iterable[Member]) -> bool:
    """Whether the article is another edition of what the story tells: of an outlet that is in it already."""
    apart = [text for text in texts if abs(article.time - text.time) >= APART_DAYS * DAY_S and text.uid != article.uid]
    alike = [text for text in apart if label(text.title) == label(article.title) != ()]
    return any(text.source == article.source for text in alike) or bool(alike and _tells(story, article.source))


def _tells(story: Story, source: str) -> bool:
    hashed = outlet_hash(source)
    return any(story.outlets[i : i + 4] == hashed for i in range(0, len(story.outlets), 4))


def are_editions(a: Story, b: Story) -> bool:
    """Whether two stories are editions of one title: they share an outlet and began half a day apart or more."""
    apart = abs(a.first - b.first) >= APART_DAYS * DAY_S
    if not apart or not label(a.headline) or label(a.headline) != label(b.headline):
        return False
    outlets = {a.outlets[i : i + 4] for i in range(0, len(a.outlets), 4)}
    return not a.outlets or any(b.outlets[i : i + 4] in outlets for i in range(0, len(b.outlets), 4))
