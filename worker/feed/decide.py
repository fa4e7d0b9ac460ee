"""Which entries of a feed are new, revised, unchanged or forgotten: the articles and seen marks that follow.

Invariant: pure; an entry keeps its article id, its language and its time of arrival as long as its mark is kept.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from worker.feed.identity import another_key, page_digest, recognise, recognise_pages
from worker.feed.outlet import Issue
from worker.feed.parse import Entry
from worker.feed.seen import Seen, brought, is_same, marked, marked_as_told, pack, said, unpack
from worker.model import AWAITED, UNDETERMINED, Article
from worker.text import common_language, language

MOST_MARKS = 10_000
"""A feed's marks; reading so many takes the server 20 ms. A feed shows 2,000 entries at most (parse.py), and most show
50: only what comes back after thousands of others is taken for new, under the id it had."""


class Edit(NamedTuple):
    """An edited entry: the article as it is now, the mark before, and the mark if it is told (of the same revision: not
    now, it has had too many); the headline's digest, and the page that it alone leads to."""

    article: Article
    before: Seen
    told: Seen
    head: bytes
    page: str


@dataclass
class Decision:
    """What to publish. `marks`: entry -> (expected mark, new mark), for new, revised, touched and forgotten entries.

    `later`: how many new entries are beyond the feed's share: no mark says that they were seen. `held`: how many edits
    wait as their entry has had too many of late: the mark is still that of the last one taken, so the state that the
    feed shows when there is room again is the next. With either, the same document has to be looked at again.
    `links`: new article's id -> the page that it alone leads to (Issue.page_of); `lists`: the feed may only ask whose
    these are (Issue.lists); `carried`: how many new ones are another feed's articles, and `entries` under which entry
    these came (carried.py).
    `edits`: the entries that say something else than their marks, told or another feed's to tell (telling.py).
    """

    articles: list[Article] = field(default_factory=list)
    marks: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)
    new: int = 0
    revised: int = 0
    unchanged: int = 0
    forgotten: int = 0
    later: int = 0
    held: int = 0
    links: dict[str, str] = field(default_factory=dict)
    lists: bool = False
    carried: int = 0
    entries: dict[str, str] = field(default_factory=dict)
    edits: dict[str, Edit] = field(default_factory=dict)


def decide(
    entries: Sequence[Entry],
    marks: Mapping[str, bytes],
    *,
    feed: str,
    source: str,
    now: float,
    keep_s: float,
    first_fetch: bool,
    most_daily: int | None = None,
    address: str = "",
    pages: str = "off",
    whole: bool = True,
) -> Decision:
    """Compare the entries of a document with the marks of its feed.

    feed: its id; source: what it is called; address: where it is; keep_s: how long the mark of an entry that is no
    longer shown is kept.
    most_daily: the new articles that it may bring in 24 hours, its first fetch aside; None for any number.
    pages: of which entries the pages are to be read (`on`: all, `auto`: those that carry only a summary, `off`).
    whole: the entries are all that the feed shows; of a part of them nothing is forgotten.
    Articles of a first fetch are backfill. They come last entry first: feeds show the newest at the top.
    """
    issue = Issue(entries, source, address)
    decision = Decision()
    known = {key: unpack(mark) for key, mark in marks.items()}
    room = math.inf if first_fetch or most_daily is None else most_daily - brought(known, now)
    shown = _keys(entries, known)
    around = cache(lambda: _language_around(entries))
    for entry, key in zip(reversed(entries), reversed(shown), strict=True):
        before = known.get(key)
        if before is None and decision.new >= room:
            decision.later += 1
            continue
        after = marked(entry, before, now, first_fetch, around)
        if after != before:
            decision.marks[key] = (marks.get(key, b""), pack(after))
        if _count(decision, entry, before, after):
            decision.articles.append(_article(entry, after, f"{feed}.{key}", issue, pages))
            if before is None and (link := issue.page_of(entry)):
                decision.links[f"{feed}.{key}"] = link
        if before is not None and not is_same(entry, before) and after.digest != before.digest:
            told = marked_as_told(entry, before, after, now)
            article = _article(entry, told, before.same_as or f"{feed}.{key}", issue, pages)
            decision.edits[key] = Edit(article, before, told, entry.names.title, issue.page_of(entry))
    decision.lists = bool(decision.links or decision.edits) and issue.lists
    if whole:
        _forget(decision, marks, known, set(shown), now - keep_s, max(MOST_MARKS, 2 * (most_daily or 0)))
    return decision


def _count(decision: Decision, entry: Entry, before: Seen | None, after: Seen) -> bool:
    """Count what becomes of an entry; whether there is an article to publish."""
    if before is None:
        decision.new += 1
    elif after.revision > before.revision:
        decision.revised += 1
    elif not is_same(entry, after):
        decision.held += 1
    else:
        decision.unchanged += 1
    return before is None or after.revision > before.revision


def _keys(entries: Sequence[Entry], known: Mapping[str, Seen | None]) -> list[str]:
    """For each entry the key under which it is known, or its own, or another where that is a known entry's."""
    found = recognise([entry.names for entry in entries], {key: seen.names for key, seen in known.items() if seen})
    if len(found) < len(entries):
        pages = {key: seen.page for key, seen in known.items() if seen}
        found = recognise_pages([page_digest(entry.url) for entry in entries], pages, found)
    taken = {key for key, seen in known.items() if seen and any(seen.names)} | set(found.values())
    keys = []
    for position, entry in enumerate(entries):
        key = found.get(position, entry.key)
        while position not in found and key in taken:
            key = another_key(key, entry.names)
        keys.append(key)
        taken.add(key)
    return keys


def _language_around(entries: Sequence[Entry]) -> str:
    """The language of the entries of a document that state none."""
    return common_language(said(entry) for entry in entries if language(entry.lang, "") == UNDETERMINED)


def _forget(
    decision: Decision,
    marks: Mapping[str, bytes],
    known: Mapping[str, Seen | None],
    shown: set[str],
    before: float,
    most: int,
) -> None:
    """Let go of the marks of entries that the feed has not shown since `before`, of marks nobody can read, and of
    those shown longest ago where they are more than `most`; never of what the feed shows now."""
    absent = {key: seen for key in marks.keys() - shown if (seen := known[key]) and seen.shown >= before}
    kept = sorted(absent, key=lambda key: (absent[key].shown, key), reverse=True)[: max(0, most - len(shown))]
    for key in marks.keys() - shown - set(kept):
        decision.marks[key] = (marks[key], b"")
        decision.forgotten += 1


def _awaited(entry: Entry, pages: str) -> str:
    """AWAITED for an entry whose page is to be read."""
    return AWAITED if entry.url and (pages == "on" or (pages == "auto" and entry.summary)) else ""


def _article(entry: Entry, seen: Seen, article_id: str, issue: Issue, pages: str) -> Article:
    outlet = issue.outlet_of(entry)
    return Article(
        id=article_id,
        revision=seen.revision,
        title=entry.title,
        text=entry.text,
        url=entry.url,
        source=outlet.name,
        outlet=outlet.domain,
        lang=seen.lang,
        published=entry.published,
        received=seen.received,
        backfill=seen.backfill,
        page=_awaited(entry, pages),
    )
