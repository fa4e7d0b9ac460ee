"""One story with all that is kept of its articles: whose they are, which feeds carried them, what they were called.

Invariant: the texts of feeds are harmless here; the order is that of event time.
"""

from collections.abc import Iterator, Mapping

from worker.cli.screen.members import SIGNS, STYLES
from worker.cli.screen.terminal import Part
from worker.model import PAGE_READ
from worker.report.harmless import harmless
from worker.report.views import MemberView, StoryView
from worker.report.words import count, local_time


def story_lines(view: StoryView, feeds: Mapping[str, str], now: float) -> Iterator[list[Part]]:
    """The story, then each article; `feeds`: what the feeds are called that are known, by id."""
    yield [(harmless(view.headline, "(no headline)"), "bold")]
    outlets = [count(view.outlets, "outlet")] if view.outlets else []
    yield [", ".join([view.story, *outlets, count(view.articles, "article")])]
    names = {member.id: harmless(member.source) or member.id for member in view.members or ()}
    for member in view.members or ():
        yield []
        yield from _member_lines(member, names.get(member.of or "", ""), feeds, now)


def _member_lines(member: MemberView, of: str, feeds: Mapping[str, str], now: float) -> Iterator[list[Part]]:
    domain = f" ({harmless(member.outlet)})" if member.outlet not in ("", member.source) else ""
    what = f"{SIGNS[member.relation]} {member.relation}" + (f" of {harmless(of)}" if of else "")
    yield [(what, STYLES[member.relation]), f"  {local_time(member.time, now)}  {harmless(member.source, '-')}{domain}"]
    yield ["  ", harmless(member.title, "(no headline)")]
    for until, title in reversed(member.titles):
        yield [(f"  until {local_time(until, now)}: {harmless(title)}", "dim")]
    if len(member.feeds) > 1:
        carried = ", ".join(harmless(feeds.get(feed, feed)) for feed in member.feeds)
        yield [f"  in {count(len(member.feeds), 'feed')}: {carried}"]
    if member.page == PAGE_READ:
        yield ["  full text from its page"]
    elif member.page:
        yield [f"  by its feed's summary: its page {harmless(member.page)}"]
    yield [(f"  {harmless(member.url)}  [{harmless(member.id)}]".replace("    ", "  "), "dim")]
