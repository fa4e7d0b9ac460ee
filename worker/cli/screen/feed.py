"""One feed: how it does, what is remembered of it, and its last polls with what was decided and why.

Invariant: whatever a feed calls itself or answers reaches the screen only through `harmless`; on a terminal the table
of polls is no wider than it.
"""

import sys

from rich.cells import cell_len

from worker.cli.screen.fetches import show_fetches
from worker.cli.screen.terminal import Screen, wrapped
from worker.feed.address import host
from worker.report.feed import FeedView, rows
from worker.report.harmless import cut, harmless

_LABEL, _LEAST_ROOM = 11, 20
_GAP = "  "


def show_feed(screen: Screen, view: FeedView) -> None:
    """The whole of it."""
    feed = view.feed
    title = harmless(feed.title or feed.polls.title or host(feed.url), "?")
    if screen.is_terminal:
        title = cut(title, screen.width - len(_GAP) - cell_len(feed.id))
    screen.say((title, "bold"), _GAP, (feed.id, "dim"))
    for label, said in rows(view, screen.blocks):
        room = max(_LEAST_ROOM, screen.width - _LABEL) if screen.is_terminal else sys.maxsize
        screen.say((f"{label:<{_LABEL}}", "dim"), ("\n" + " " * _LABEL).join(wrapped(harmless(said), room)))
    if view.fetches:
        screen.say()
        show_fetches(screen, view.fetches, view.now)
