"""Feeds by what a person calls them: an id, an address, a part of an address or a name.

Invariant: what fits more than one feed is none of them.
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from worker.errors import BadInput
from worker.report.harmless import harmless
from worker.spool import standard_input

if TYPE_CHECKING:
    from worker.store.feeds import Feed, Feeds

_MOST_NAMED = 8
"""Feeds that a message names, of those that something fits."""


def words_given(given: Sequence[str]) -> list[str]:
    """The arguments, each once; `-` stands for the lines of standard input, but for empty ones and `# notes`."""
    found: dict[str, None] = {}
    for each in given:
        lines = [line.strip() for line in _lines_given()] if each == "-" else [each]
        found |= dict.fromkeys(line for line in lines if each != "-" or (line and not line.startswith("#")))
    return list(found)


def _lines_given() -> list[str]:
    standard_input()
    return list(sys.stdin)


def named(feeds: "Feeds", text: str) -> "Feed":
    """The feed of an id, an address, or a part of one or of a name. Raises BadInput where it is none, or several."""
    if (exact := exactly(feeds, text)) is not None:
        return exact
    fold = text.casefold()
    fits = [feed for feed in feeds.all() if fold in feed.url.casefold() or fold in _title(feed).casefold()]
    fits = [feed for feed in fits if _title(feed).casefold() == fold] or fits
    if len(fits) == 1:
        return fits[0]
    raise BadInput(_several(text, fits) if fits else _none(text))


def exactly(feeds: "Feeds", text: str) -> "Feed | None":
    """The feed of an id or an address."""
    if (feed := feeds.get(text)) is not None:
        return feed
    try:
        return feeds.get(feeds.id_of(text))
    except BadInput:
        return None


def of_address(feeds: "Feeds", text: str) -> "Feed":
    """The feed of an id or an address; for what cannot be undone. Raises BadInput."""
    if (feed := exactly(feeds, text)) is None:
        raise BadInput(_none(text))
    return feed


def called(feed: "Feed") -> str:
    """A feed as a message names it: its name, or its address."""
    from worker.feed.address import shown_url

    return harmless(_title(feed) or shown_url(feed.url), feed.id)


def _title(feed: "Feed") -> str:
    return feed.title or feed.polls.title


def _none(text: str) -> str:
    return f"{harmless(text, repr(text))} is no feed of this store: `storywire feeds list` shows them"


def _several(text: str, fits: "Sequence[Feed]") -> str:
    shown = ", ".join(f"{feed.id} ({called(feed)})" for feed in fits[:_MOST_NAMED])
    more = f" and {len(fits) - _MOST_NAMED:,} more" if len(fits) > _MOST_NAMED else ""
    return f"{harmless(text)} fits {len(fits):,} feeds: give one of {shown}{more}"
