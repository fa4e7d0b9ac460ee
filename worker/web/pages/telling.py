"""A story in words, article by article: who repeats whom and how much later, why it belongs, what it was called before.

Invariant: pure; what a template writes is decided here. Texts are harmless (one line, nothing that hides or turns what
stands beside it), and an address is None unless it may be followed.
"""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from worker.model import PAGE_READ, Relation
from worker.report.belonging import Why
from worker.report.harmless import cut, harmless, readable
from worker.report.views import MemberView, StoryView, rfc3339
from worker.report.words import count, span
from worker.web.drawing import newsroom, outlet_name
from worker.web.links import safe
from worker.web.pages.rows import utc

PAGE = 50
"""Articles of one page of the table."""

_MOST_FEEDS = 3
_SECONDS_TELL_S = 3_600.0
"""Times of a story that took less are told with their seconds: its articles would all seem to have come at once."""
_TITLE_CELLS, _SHORT_CELLS = 80, 40
_MANY = 150
"""Articles from which on the picture tells less of each: a page stays under 200 KB."""
_PLURALS = {
    Relation.COPY: ("copy", "copies"),
    Relation.REWRITE: ("rewrite", "rewrites"),
    Relation.REPORT: ("report of its own", "reports of their own"),
}


class Line(Struct, frozen=True, kw_only=True):
    """A row of the table. `number`: in the order of time, from 1; `of`: that of the article it repeats, 0 for none;
    `words`: what it is to that one; `feeds`: (id, name) of feeds that carried it, `more_feeds`: how many others;
    `titles`: (when it was replaced, headline), the newest first."""

    number: int
    id: str
    time: str
    at: str
    outlet: str
    domain: str
    title: str
    url: str | None
    relation: Relation
    of: int
    words: str
    why: Why
    feeds: tuple[tuple[str, str], ...]
    more_feeds: int
    page: str
    titles: tuple[tuple[str, str], ...]


class Retitled(Struct, frozen=True):
    """An article whose outlet changed its headline: (from when, headline), the oldest first."""

    number: int
    outlet: str
    titles: tuple[tuple[str, str], ...]


def lines(
    members: Sequence[MemberView], why: Sequence[Why], feeds: Mapping[str, str], first: int, last: int
) -> list[Line]:
    """The rows of members `first` to `last` (from 0, `last` not included), which are in the order of time."""
    numbers = {member.id: number for number, member in enumerate(members)}
    return [
        _line(members, n, numbers.get(members[n].of or ""), why[n], feeds, _stamp(members, n))
        for n in range(first, min(last, len(members)))
    ]


def _line(
    members: Sequence[MemberView],
    number: int,
    of: int | None,
    why: Why,
    feeds: Mapping[str, str],
    stamp: str,
) -> Line:
    member = members[number]
    known = [(feed, harmless(feeds[feed])) for feed in member.feeds if feed in feeds]
    return Line(
        number=number + 1,
        id=member.id,
        time=rfc3339(member.time),
        at=stamp,
        outlet=outlet_name(member),
        domain=harmless(member.outlet) if member.source and member.outlet != member.source else "",
        title=readable(member.title, "(no headline)"),
        url=safe(member.url),
        relation=member.relation,
        of=0 if of is None else of + 1,
        words=relation_words(members, number, of),
        why=why,
        feeds=tuple(known[:_MOST_FEEDS]),
        more_feeds=len(member.feeds) - len(known[:_MOST_FEEDS]),
        page=_page(member),
        titles=tuple((utc(until), readable(title, "(no headline)")) for until, title in reversed(member.titles)),
    )


def _stamp(members: Sequence[MemberView], number: int) -> str:
    """When an article came, as short as it tells it from the others: `09:30:05` in a story of less than an hour,
    `09:30` in one of a day, else `05-04 09:30`."""
    first, last, told = members[0].time, members[-1].time, rfc3339(members[number].time).replace("T", " ")
    begin = 11 if rfc3339(first)[:10] == rfc3339(last)[:10] else 5
    return told[begin : 19 if last - first < _SECONDS_TELL_S else 16]


def relation_words(members: Sequence[MemberView], number: int, of: int | None) -> str:
    """`copy of Port Herald, 12 min later`; of: the number of the member that it repeats, from 0."""
    member = members[number]
    if member.relation is Relation.FIRST:
        return "first"
    if member.relation is Relation.REPORT:
        return f"report of its own, {_later(member.time - members[0].time, ' after the first')}"
    if of is None:
        return f"{member.relation} of an article that is no longer here"
    other = members[of]
    whom = "its own article" if newsroom(other) == newsroom(member) != "" else outlet_name(other)
    return f"{member.relation} of {whom}, {_later(member.time - other.time, ' later')}"


def mark_titles(members: Sequence[MemberView]) -> Iterator[str]:
    """What the picture says of each article when it is pointed at."""
    numbers = {member.id: number for number, member in enumerate(members)}
    cells = _SHORT_CELLS if len(members) > _MANY else _TITLE_CELLS
    for number, member in enumerate(members):
        title = cut(readable(member.title, "(no headline)"), cells)
        words = relation_words(members, number, numbers.get(member.of or ""))
        yield f"{_stamp(members, number)} {outlet_name(member)}: {title} ({words})"


def summary(view: StoryView) -> str:
    """Who was first, and what became of it, in a sentence or two."""
    members = view.members or ()
    if not members:
        return ""
    first = next((member for member in members if member.relation is Relation.FIRST), members[0])
    began = f"{outlet_name(first)} was first, {utc(first.time)}"
    then = []
    for relation, words in _PLURALS.items():
        found = [member for member in members if member.relation is relation]
        if found:
            after = _later(found[0].time - first.time, " later")
            then.append(f"{count(len(found), *words)}, {'the first ' if len(found) > 1 else ''}{after}")
    if not then:
        return f"{began}. Nobody else has told it so far." if len(members) == 1 else f"{began}."
    return f"{began}. Then {'; '.join(then)}."


def retitled(members: Sequence[MemberView]) -> list[Retitled]:
    """The articles whose headline was changed, with all that they were called."""
    found = []
    for number, member in enumerate(members):
        if member.titles:
            since = [member.time, *(until for until, _ in member.titles)]
            called = [title for _, title in member.titles] + [member.title]
            titles = tuple((utc(at), readable(title, "(no headline)")) for at, title in zip(since, called, strict=True))
            found.append(Retitled(number + 1, outlet_name(member), titles))
    return found


def _later(seconds: float, words: str) -> str:
    return f"{span(seconds)}{words}" if seconds >= 1 else "at once"


def _page(member: MemberView) -> str:
    if member.page == PAGE_READ:
        return "full text from its page"
    return f"by its feed's summary: its page {harmless(member.page)}" if member.page else ""
