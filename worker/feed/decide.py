"""Which entries of a feed are new, revised, unchanged or forgotten: the articles and seen marks that follow.

Invariant: pure; an entry keeps its article id, its language and its time of arrival as long as its mark is kept.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from typing import NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from worker.feed.identity import Digests, another_key, page_digest, page_of, recognise, recognise_pages
from worker.feed.outlet import Issue
from worker.feed.parse import Entry
from worker.joiners import unjoined
from worker.model import AWAITED, UNDETERMINED, Article
from worker.text import common_language, language

MOST_MARKS = 10_000
"""A feed's marks; reading so many takes the server 20 ms. A feed shows 2,000 entries at most (parse.py), and most show
50: only what comes back after thousands of others is taken for new, under the id it had."""

_DAY_S = 86400.0

MOST_EDITS = 24
"""So many edits of an entry are taken at once, and then one an hour: 24 a day. A live report has some dozen a day, a
feed that writes its entries anew at every fetch has 1,440."""

_EDIT_EVERY_S = _DAY_S / MOST_EDITS

_TOUCH_S = 86400.0
"""A mark notes at most once a day that its entry is still shown: an unchanged feed writes nothing."""


class Seen(Struct, frozen=True, array_like=True):
    """What is remembered of an entry: 8 bytes of its content's hash, its revision, its language, when it arrived,
    when it was last known to be shown, whether it came with the feed's first fetch, what it was called then, when all
    its edits will count no more: each counts for an hour, one after the other; of which article, that another feed had
    first, it is the same (telling.py says who tells its edits); the page it leads to (identity.page_digest); and since
    when it shows an edit of that article that is another feed's to tell."""

    digest: bytes
    revision: int
    lang: str
    received: float
    shown: float
    backfill: bool = False
    names: Digests = Digests()
    edited_until: float = 0.0
    same_as: str = ""
    page: bytes = b""
    untold: int = 0


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


_pack = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Seen).decode


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
    known = {key: _unpack(mark) for key, mark in marks.items()}
    room = math.inf if first_fetch or most_daily is None else most_daily - _brought(known, now)
    shown = _keys(entries, known)
    around = cache(lambda: _language_around(entries))
    for entry, key in zip(reversed(entries), reversed(shown), strict=True):
        before = known.get(key)
        if before is None and decision.new >= room:
            decision.later += 1
            continue
        after = _next(entry, before, now, first_fetch, around)
        if after != before:
            decision.marks[key] = (marks.get(key, b""), _pack(after))
        if _count(decision, entry, before, after):
            decision.articles.append(_article(entry, after, f"{feed}.{key}", issue, pages))
            if before is None and (link := issue.page_of(entry)):
                decision.links[f"{feed}.{key}"] = link
        if before is not None and not _is_same(entry, before) and after.digest != before.digest:
            told = _told(entry, before, after, now)
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
    elif not _is_same(entry, after):
        decision.held += 1
    else:
        decision.unchanged += 1
    return before is None or after.revision > before.revision


def _brought(known: Mapping[str, Seen | None], now: float) -> int:
    """How many new articles came within the last 24 hours; what a clock that was wrong dated otherwise is let pass."""
    return sum(seen is not None and not seen.backfill and abs(now - seen.received) < _DAY_S for seen in known.values())


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


def _next(entry: Entry, before: Seen | None, now: float, first_fetch: bool, around: Callable[[], str]) -> Seen:
    """The mark of an entry that is shown now; `around`: the language of its document, asked for only where needed."""
    page = page_digest(entry.url)
    if before is None:
        lang = language(entry.lang, _said(entry))
        lang = around() if lang == UNDETERMINED else lang
        return Seen(_digest(entry), 1, lang, now, now, first_fetch, entry.names, page=page)
    same = _is_same(entry, before)
    if same and now - before.shown <= _TOUCH_S:
        return before
    named = replace(before, names=entry.names, page=page)
    if same or before.same_as:
        return replace(named, digest=_digest(entry), shown=now, untold=0)
    return _edited(named, _digest(entry), now)


def _told(entry: Entry, before: Seen, after: Seen, now: float) -> Seen:
    """The mark after an edit that is told, though the article has another feed's name."""
    return _edited(replace(after, digest=before.digest), _digest(entry), now) if before.same_as else after


def _edited(seen: Seen, digest: bytes, now: float) -> Seen:
    """The mark after an edit, which is held where there were too many (the generic cell rate algorithm, ITU-T I.371).

    What a clock that was wrong has noted, further ahead than edits can lead, is let go.
    """
    until = seen.edited_until if now < seen.edited_until < now + _DAY_S + _EDIT_EVERY_S else now
    if until - now < _DAY_S - _EDIT_EVERY_S / 2:
        return replace(seen, digest=digest, revision=seen.revision + 1, shown=now, edited_until=until + _EDIT_EVERY_S)
    return replace(seen, shown=now) if now - seen.shown > _TOUCH_S else seen


def _said(entry: Entry) -> str:
    return f"{unjoined(entry.title)}\n{entry.text}"


def _language_around(entries: Sequence[Entry]) -> str:
    """The language of the entries of a document that state none."""
    return common_language(_said(entry) for entry in entries if language(entry.lang, "") == UNDETERMINED)


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


def _is_same(entry: Entry, seen: Seen) -> bool:
    """Whether an entry says what it said; a mark of an earlier version has the link as it was written."""
    return seen.digest == _digest(entry) or seen.digest == _digest_of(entry, entry.url)


def _digest(entry: Entry) -> bytes:
    """Of what an entry says: other tracking in its link is no edit."""
    return _digest_of(entry, page_of(entry.url) or entry.url)


def _digest_of(entry: Entry, link: str) -> bytes:
    content = "\0".join((unjoined(entry.title), entry.text, link))
    return blake2b(content.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _unpack(mark: bytes) -> Seen | None:
    try:
        return _decode(mark) if mark else None
    except msgspec.DecodeError:
        return None
