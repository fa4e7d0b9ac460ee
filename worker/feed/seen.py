"""What is remembered of an entry that a feed showed: its mark, and what becomes of it when the entry is shown again.

Invariant: pure; an entry keeps its language and its time of arrival as long as its mark is kept.
"""

from collections.abc import Callable, Mapping
from hashlib import blake2b

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from worker.feed.identity import Digests, page_digest, page_of
from worker.feed.parse import Entry
from worker.joiners import unjoined
from worker.model import UNDETERMINED
from worker.text import language

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


pack = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Seen).decode


def marked(entry: Entry, before: Seen | None, now: float, first_fetch: bool, around: Callable[[], str]) -> Seen:
    """The mark of an entry that is shown now; `around`: the language of its document, asked for only where needed."""
    page = page_digest(entry.url)
    if before is None:
        lang = language(entry.lang, said(entry))
        lang = around() if lang == UNDETERMINED else lang
        return Seen(_digest(entry), 1, lang, now, now, first_fetch, entry.names, page=page)
    same = is_same(entry, before)
    if same and now - before.shown <= _TOUCH_S:
        return before
    named = replace(before, names=entry.names, page=page)
    if same or before.same_as:
        return replace(named, digest=_digest(entry), shown=now, untold=0)
    return _edited(named, _digest(entry), now)


def marked_as_told(entry: Entry, before: Seen, after: Seen, now: float) -> Seen:
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


def said(entry: Entry) -> str:
    """What its language is told by."""
    return f"{unjoined(entry.title)}\n{entry.text}"


def is_same(entry: Entry, seen: Seen) -> bool:
    """Whether an entry says what it said; a mark of an earlier version has the link as it was written."""
    return seen.digest == _digest(entry) or seen.digest == _digest_of(entry, entry.url)


def _digest(entry: Entry) -> bytes:
    """Of what an entry says: other tracking in its link is no edit."""
    return _digest_of(entry, page_of(entry.url) or entry.url)


def _digest_of(entry: Entry, link: str) -> bytes:
    content = "\0".join((unjoined(entry.title), entry.text, link))
    return blake2b(content.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def unpack(mark: bytes) -> Seen | None:
    """A mark as the store has it; None for one that cannot be read."""
    try:
        return _decode(mark) if mark else None
    except msgspec.DecodeError:
        return None


def brought(known: Mapping[str, Seen | None], now: float) -> int:
    """How many new articles came within the last 24 hours; what a clock that was wrong dated otherwise is let pass."""
    return sum(seen is not None and not seen.backfill and abs(now - seen.received) < _DAY_S for seen in known.values())
