"""The callbacks of hubs: their questions whether we asked for a subscription, and what they push.

Invariant: a push is taken when it is stored and its feed is due; until then the hub is not told so, and sends it again.
What is not ours looks the same from outside, whatever is wrong with it.
"""

import hmac
import random
from collections.abc import Callable

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from worker.clock import Clock
from worker.errors import StorywireError
from worker.feed import websub
from worker.feed.websub import Subscription
from worker.store.feeds import Feeds
from worker.store.hubs import Hubs
from worker.web.access import TooBig, body_of

PATH = "/websub/{feed}/{token}"

_TRIES = 5
"""A subscription that others change at the same time is looked at so often."""

log = structlog.get_logger()


class Callbacks:
    """Answers hubs. The methods that begin with an underscore block."""

    def __init__(self, hubs: Hubs, feeds: Feeds, clock: Clock, jitter: Callable[[], float] = random.random) -> None:
        self._hubs, self._feeds, self._clock, self._jitter = hubs, feeds, clock, jitter

    def route(self) -> Route:
        """Where hubs find us."""
        return Route(PATH, self.answer, methods=["GET", "POST"])

    async def answer(self, request: Request) -> Response:
        """A hub's request."""
        feed, token = request.path_params["feed"], request.path_params["token"]
        try:
            known = await run_in_threadpool(self._known, feed, token)
            if request.method != "POST":
                return await self._asked(feed, known, request)
            if known is None or known.pending == websub.UNSUBSCRIBE:
                return PlainTextResponse("no such subscription\n", 410)
            return await self._pushed(feed, known, request)
        except StorywireError as error:
            log.warning("not taken", feed=feed, trouble=str(error), remedy="the hub tries again")
            return PlainTextResponse("try again later\n", 503, {"Retry-After": "30"})

    async def _asked(self, feed: str, known: Subscription | None, request: Request) -> Response:
        if known is not None:
            confirmed = await run_in_threadpool(self._confirm, feed, known.token, dict(request.query_params))
            if confirmed is not None:
                return PlainTextResponse(confirmed)
        return PlainTextResponse("not asked for\n", 404)

    async def _pushed(self, feed: str, known: Subscription, request: Request) -> Response:
        try:
            body: bytes | None = await body_of(request.receive, request.headers.get("content-length", ""))
        except TooBig:
            body = None
        except ConnectionError:
            return PlainTextResponse("incomplete\n", 400)
        signature = request.headers.get("x-hub-signature", "")
        if body is not None and not websub.genuine(known, signature, body, self._clock.now()):
            await run_in_threadpool(self._ignored, feed, known, signature)
        else:
            await run_in_threadpool(self._keep, feed, known, body, request.headers.get("content-type", ""))
        return PlainTextResponse("", 202)

    def _known(self, feed: str, token: str) -> Subscription | None:
        """The subscription whose callback was asked, None for any other."""
        known = self._hubs.get(feed)
        return known if known is not None and hmac.compare_digest(known.token.encode(), token.encode()) else None

    def _confirm(self, feed: str, token: str, query: dict[str, str]) -> str | None:
        """What to answer to a hub's question, None where it is not about what we asked for."""
        now, jitter = self._clock.now(), self._jitter()
        for _ in range(_TRIES):
            known = self._known(feed, token)
            if known is None:
                return None
            after = websub.denied(known, query, now)
            if after is not None:
                said = ""
            else:
                after, said = websub.confirmed(known, query, now, jitter), query.get("hub.challenge", "")
                if after is None:
                    return None
            ended = query.get("hub.mode") == websub.UNSUBSCRIBE
            if after == known or self._hubs.put(feed, known, None if ended else after):
                self._settled(feed, known, after, now)
                return said
        return None

    def _settled(self, feed: str, known: Subscription, after: Subscription, now: float) -> None:
        """Look at it again when that is due, and poll what is pushed no more."""
        hub = websub.host(known.hub)
        if after.active(now):
            self._hubs.plan(feed, after.renew)
            log.info("hub confirmed", feed=feed, hub=hub, lease_s=round(after.until - now))
            return
        self._hubs.plan(feed, now)
        if known.active(now):
            self._feeds.hasten(feed, now)
        if after.denied:
            log.warning("hub denied", feed=feed, hub=hub, reason=after.reason)
        else:
            log.info("hub let go", feed=feed, hub=hub)

    def _keep(self, feed: str, known: Subscription, body: bytes | None, content_type: str) -> None:
        now = self._clock.now()
        kept = self._hubs.keep(feed, body, content_type, now)
        self._feeds.hasten(feed, now)
        log.info("pushed", feed=feed, hub=websub.host(known.hub), bytes=len(body or b""), fetched_instead=not kept)

    def _ignored(self, feed: str, known: Subscription, signature: str) -> None:
        count = self._hubs.ignored(feed)
        why = "its signature is wrong" if signature else "it is not signed"
        log.warning("push ignored", feed=feed, hub=websub.host(known.hub), why=why, ignored=count)
