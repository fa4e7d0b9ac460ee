"""The stream of changes: server-sent events of the stories that fit, which a client that was away goes on with.

    cursor -> what was missed, from the store -> the place where the board is -> changes as they come

Invariant: what happens is told once and in order, and of what was missed the last of each story, some hundred events at
a time, or `reset` where that cannot be; a client that does not read costs a bounded memory and a bounded time (see
changes.py, and TCP_USER_TIMEOUT in serve.py).
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from worker.errors import BadInput, BadSetting, StorywireError
from worker.model import parse_story_id, story_id
from worker.report.board import Filter
from worker.report.following import format_cursor, parse_cursor
from worker.store.stories import Look
from worker.web.api import streaming
from worker.web.api.parameters import check
from worker.web.asking import asked
from worker.web.changes import Changed, changes_of, latest, message, place
from worker.web.limits import client_of
from worker.web.live import Live
from worker.web.safety import is_loopback
from worker.web.site import Site

HEARTBEAT_S = 15.0
RETRY_MS = 2_000
MOST_LISTENERS = 800
"""Streams at once: of the connections that there may be some are left to those who ask for a page."""

MOST_OF_ONE = 200
"""Of them one client's: an office behind one address, and not all there are. Not of clients on this machine, where a
proxy stands that nobody spoke of (STORYWIRE_PROXIES)."""

_MOST_EVENTS = 500
_AHEAD_S, _LOOK_S = 10.0, 0.05
_HEADERS = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}

Position = Mapping[str, tuple[int, int]]


class Wanted(NamedTuple):
    """Whose changes a client wants: of stories that fit, or of one of them alone, by language and number."""

    filter: Filter
    story: tuple[str, int] | None = None

    def concerning(self, changes: Sequence[Changed]) -> Sequence[Changed]:
        """Those of the story, and of the one that it is part of."""
        if self.story is None:
            return changes
        name, (lang, number) = story_id(*self.story), self.story
        return [c for c in changes if c.story == name or (c.row and c.row.lang == lang and number in c.row.aliases)]


class Missed(Exception):
    """What came after a cursor is not there any more, or the cursor is of another store."""


class Seats:
    """How many streams each client has, from before their first look at the store until their connections end."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most, self._most_of_one = most, most_of_one
        self._taken = Counter[str]()

    def take(self, client: str) -> None:
        """One more. Raises 503 where there are enough, 429 where this client has enough."""
        if self._taken.total() >= self._most:
            raise HTTPException(503, f"{self._most} listen already: try again in a moment.", {"Retry-After": "30"})
        if self._taken[client] >= self._most_of_one and not is_loopback(client):
            raise HTTPException(429, f"{self._most_of_one} streams are yours: end one of them.", {"Retry-After": "30"})
        self._taken[client] += 1

    def leave(self, client: str) -> None:
        """One of them ended."""
        self._taken -= Counter((client,))  # which keeps none of whom has none


class _Stream(StreamingResponse):
    """Leaves its seat when it ends, also where it ends before it began."""

    def __init__(self, sent: AsyncIterator[bytes], leave: Callable[[], None]) -> None:
        super().__init__(sent, media_type="text/event-stream", headers=_HEADERS)
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()


def routes(site: Site, heartbeat_s: float = HEARTBEAT_S) -> list[BaseRoute]:
    """`/api/v1/stream`."""
    seats = Seats(MOST_LISTENERS, MOST_OF_ONE)
    (described,) = streaming.operations(site)

    async def stream(request: Request) -> Response:
        check(described, request.query_params.multi_items())
        story = _story(request.query_params.get("story", ""))
        wanted = asked({name: value for name, value in request.query_params.items() if name != "story"})
        after = _position(request.headers.get("last-event-id", "") or wanted.after)
        if request.method == "HEAD":
            return Response(media_type="text/event-stream", headers=_HEADERS)
        seats.take(client := client_of(request, site.runtime.settings.proxies))
        return _Stream(_events(site, Wanted(wanted.filter, story), after, heartbeat_s), partial(seats.leave, client))

    return [Route("/api/v1/stream", stream, methods=["GET"])]


def _story(name: str) -> tuple[str, int] | None:
    """The one story that is followed; None: all."""
    place = parse_story_id(name)
    if name and not place:
        raise BadInput("story: is no story's id: write it like en-7f3k, or leave it out")
    return place


def _position(cursor: str) -> Position | None:
    """Where to go on; None: from now."""
    try:
        return parse_cursor(cursor) if cursor else None
    except BadSetting:
        raise BadInput("after, or Last-Event-ID: is no cursor of this stream: leave it out to begin now") from None


async def _events(site: Site, wanted: Wanted, after: Position | None, heartbeat_s: float) -> AsyncIterator[bytes]:
    """What a client is sent."""
    live = site.live
    yield f"retry: {RETRY_MS}\n\n".encode()
    while not live.ready.is_set():
        with live.listen() as listener:
            await listener.read(1.0)
            if listener.ended and not listener.reset:
                return
        yield b":\n\n"
    reset = False
    try:
        if after is not None:
            async for missed in _replayed(site, wanted, after):
                yield missed
    except Missed:
        reset = True
    except StorywireError:  # the server is away: who comes back goes on from the same place
        return
    followed = _followed(live, wanted, heartbeat_s, reset=reset)
    async for told in followed:  # nothing was awaited between the last look at the position and this
        yield told


async def _replayed(site: Site, wanted: Wanted, after: Position) -> AsyncIterator[bytes]:
    """What happened between a position and that of the board, from the store. Raises Missed."""
    live, here = site.live, dict(after)
    look: Look = await site.aside(site.runtime.stories.look, here, _MOST_EVENTS)
    if not _leads_on(look, here):
        raise Missed
    await _caught_up(live, here)
    while not _reached(here, live.position):
        target = dict(live.position)
        events = [e for e in look.events if here.get(e.lang, (0, 0)) < (e.seq, e.part) <= target.get(e.lang, (0, 0))]
        now, changes = site.runtime.clock.now(), list[Changed]()
        for event in events:
            here[event.lang] = (event.seq, event.part)
            changes += changes_of(live.board, event, format_cursor(here), now)
        yield _told(latest(wanted.concerning(changes), wanted.filter), wanted)
        if _reached(here, live.position):
            return
        look = await site.aside(site.runtime.stories.look, here, _MOST_EVENTS)
        if not _leads_on(look, here) or not (look.events or _reached(here, live.position)):
            raise Missed


async def _followed(live: Live, wanted: Wanted, heartbeat_s: float, *, reset: bool) -> AsyncIterator[bytes]:
    """What happens from now on, until the client is too slow, or the process ends."""
    loop = asyncio.get_running_loop()
    with live.listen() as listener:
        yield message("reset", {}, _here(live)) if reset else place(_here(live))
        sent = loop.time()
        while True:
            changes = await listener.read(heartbeat_s)
            if listener.reset:
                yield message("reset", {}, _here(live))
            if listener.ended:
                return
            told = _told(wanted.concerning(changes), wanted)
            if not told and loop.time() - sent >= heartbeat_s:
                told = b":\n" + place(_here(live))
            if told:
                yield told
                sent = loop.time()


def _told(changes: Sequence[Changed], wanted: Wanted) -> bytes:
    """What is sent of these changes, and where to go on after the last one."""
    parts = [part for changed in changes if (part := changed.told(wanted.filter))]
    if parts and not changes[-1].told(wanted.filter):
        parts.append(place(changes[-1].cursor))
    return b"".join(parts)


def _here(live: Live) -> str:
    """The cursor of all that the board has; that of an empty store is its beginning."""
    return format_cursor(live.position) or "0"


def _leads_on(look: Look, position: Position) -> bool:
    """Whether all that happened after a position is there, of languages that it does not name from their beginning."""
    known = position.keys() <= look.extents.keys()
    return known and all(extent.follows(position.get(lang, (0, 0))) for lang, extent in look.extents.items())


def _reached(here: Position, there: Position) -> bool:
    return all(here.get(lang, (0, 0)) >= where for lang, where in there.items())


async def _caught_up(live: Live, position: Position) -> None:
    """Another process, which was ahead of this one, gave the cursor: wait until the board is there too."""
    until = asyncio.get_running_loop().time() + _AHEAD_S
    while not _reached(live.position, position):
        if asyncio.get_running_loop().time() > until:
            raise Missed
        await asyncio.sleep(_LOOK_S)
