"""What listeners of the stream get: changes of stories, as many as one may leave unread, and why it ends.

Invariant: a change is held, and written as bytes, once for all listeners; who does not read costs a bounded memory.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from msgspec import Struct, json

from worker.model import Event, story_id
from worker.report.board import Board, Filter, Row
from worker.report.rows import row_record

MOST_UNREAD = 2_000
"""Changes that a listener may leave unread, before it is told to begin anew; what comes at once is one push, which who
has read all before it gets whole: at most some hundred a language."""

_LINE_ENDS = [(sign.encode(), f"\\u{ord(sign):04x}".encode()) for sign in "\x85\u2028\u2029"]
"""Not of the standard, but of the `splitlines` by which clients in Python part a stream."""

_LOSING = ("shrank", "split", "moved")
"""Kinds after which a story may no longer be what is asked for."""


class Changed(Struct, frozen=True, kw_only=True, dict=True):
    """What happened to a story. `kind`: of report/following.py, or `gone`; `row`: as it is now, None where it is gone;
    `was`: as it was before; `into`: of a story that is gone, the id of the one that it is part of now, "" where it
    ended; `cursor`: where to go on after it, "" where more belongs to the same event; `now`: when it was told."""

    kind: str
    story: str
    cursor: str
    now: float
    row: Row | None = None
    was: Row | None = None
    into: str = ""
    backfill: bool = False

    def told(self, asked: Filter) -> bytes:
        """What is sent of it to who asks for this: the story, that it is gone from what is asked for, or nothing."""
        if self.row is None:
            return self._gone
        if asked.fits(self.row, self.now):
            return self._story
        left = self.kind in _LOSING if self.was is None else asked.fits(self.was, self.now)
        return self._left if left else b""

    @cached_property
    def _story(self) -> bytes:
        record = row_record(self.row, self.now) if self.row else {}
        return message("story", {"event": self.kind, "cursor": self.cursor} | record, self.cursor)

    @cached_property
    def _gone(self) -> bytes:
        return message("gone", {"story": self.story, "into": self.into or None}, self.cursor)

    @cached_property
    def _left(self) -> bytes:
        """It is there, but no longer what is asked for."""
        return message("gone", {"story": self.story, "into": None}, self.cursor)


def changes_of(
    board: Board, event: Event, cursor: str, now: float, before: Mapping[tuple[str, int], Row | None] | None = None
) -> Iterator[Changed]:
    """What an event means for the stories as they are now: one change, after one of the story that lost something
    where there are two. before: the rows as they were."""
    was, lang = before or {}, event.lang
    number = event.into or event.story
    row, old = board.find(lang, number), board.get(lang, event.story)
    name = story_id(lang, event.story)
    if event.kind == "ended" and row is not None:  # it came out of the archive since, and is told as new
        return
    if event.into and event.kind == "merged" and row is not None:
        yield Changed(kind="gone", story=name, cursor="", now=now, into=row.story)
    elif event.into and old is None:
        yield Changed(kind="gone", story=name, cursor="", now=now)
    elif event.into:
        yield Changed(kind="shrank", story=name, cursor="", now=now, row=old, was=was.get((lang, event.story)))
    place = (lang, row.number if row else number)
    yield Changed(
        kind=event.kind if row else "gone",
        story=story_id(*place),
        cursor=cursor,
        now=now,
        row=row,
        was=was.get(place),
        backfill=event.backfill,
    )


def message(event: str, record: object, cursor: str = "") -> bytes:
    """A server-sent event (WHATWG HTML, 9.2); JSON has no line ends of the standard, and none of Unicode here."""
    data = json.encode(record)
    for sign, escaped in _LINE_ENDS:
        data = data.replace(sign, escaped)
    return (f"id: {cursor}\n" if cursor else "").encode() + f"event: {event}\ndata: ".encode() + data + b"\n\n"


def latest(changes: Sequence[Changed], asked: Filter) -> list[Changed]:
    """Of what several changes of one story say to who asks for this the last, in their order: all show the story as it
    is now. The last of all is there in any case, for its cursor."""
    last = {changed.story: index for index, changed in enumerate(changes) if changed.told(asked)}
    kept = sorted({*last.values(), len(changes) - 1}) if changes else []
    return [changes[index] for index in kept]


def place(cursor: str) -> bytes:
    """Only where to go on: browsers keep it, and tell nobody."""
    return f"id: {cursor}\n\n".encode() if cursor else b""


class Listener:
    """What one listener has not read yet. `reset`: it must begin anew; `ended`: nothing more comes."""

    def __init__(self) -> None:
        self.reset = False
        self.ended = False
        self._unread: deque[Sequence[Changed]] = deque()
        self._size = 0
        self._more = asyncio.Event()

    def push(self, changes: Sequence[Changed]) -> None:
        """These happened."""
        self._size += len(changes)
        if self._unread and self._size > MOST_UNREAD:
            self.end(reset=True)
        elif not self.ended:
            self._unread.append(changes)
            self._more.set()

    def end(self, *, reset: bool) -> None:
        """Nothing more comes: of what was not read it must not go on."""
        self.ended, self.reset = True, self.reset or reset
        self._unread.clear()
        self._more.set()

    async def read(self, patience_s: float) -> list[Changed]:
        """All that is unread; nothing where nothing came for so long, or nothing more will."""
        if not self._unread and not self.ended:
            self._more.clear()
            try:
                async with asyncio.timeout(patience_s):
                    await self._more.wait()
            except TimeoutError:
                pass  # what came at the last moment is read all the same
        read = [changed for changes in self._unread for changed in changes]
        self._unread.clear()
        self._size = 0
        return read
