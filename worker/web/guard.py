"""Stands before the application: which names it answers to, whose changes it takes, who may see it, and how often.

    host -> origin -> token, session or key -> rate -> the application

Invariant: what passes was meant for this site, and came from somebody who may ask for it; only `/healthz`, the
callbacks of hubs and static files are open to all.
"""

import time
from collections.abc import Callable, Mapping
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from worker.errors import BadInput
from worker.report.board import SORTS
from worker.web.asking import asked
from worker.web.limits import RATES, Buckets, client_of
from worker.web.safety import is_loopback
from worker.web.site import Site
from worker.web.troubles import answer

_READS = ("GET", "HEAD", "OPTIONS")
_FREE = ("/static/", "/login")
_FEEDS_OUT = ("/stories.atom", "/stories.json")
_LISTS = ("/", "/rows", "/api/v1/stories", *_FEEDS_OUT)


class Guard:
    """Refuses, or passes on."""

    def __init__(self, app: ASGIApp, site: Site, now: Callable[[], float] = time.monotonic) -> None:
        self._app, self._site, self._safety = app, site, site.safety
        self._buckets = {kind: Buckets(rate, now) for kind, rate in (RATES | dict(site.rates)).items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Request(scope, receive)
        path = self._safety.split(scope["path"])[1]
        passed = path == "/healthz" or path.startswith("/websub/")
        refusal = None if passed else self._refusal(request, path)
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, request: Request, path: str) -> Response | None:
        if not self._meant(request):
            return self._answer(
                request,
                421,
                "Ask by the address of this machine (127.0.0.1 or localhost), or set STORYWIRE_PUBLIC_URL to the "
                "address by which others reach it.",
            )
        if request.method not in _READS and not self._from_here(request):
            return self._answer(request, 403, "What changes something is taken from pages of this site only.")
        return (
            self._stranger(request, path)
            or self._guesser(request)
            or self._too_often(request, self._kind(request, path))
        )

    def _meant(self, request: Request) -> bool:
        """Whether the site is called by a name of its own. A name that is led to 127.0.0.1 by its owner (DNS
        rebinding) is not: its pages would read ours. Where others reach the port itself, the token protects."""
        if not self._safety.loopback:
            return True
        try:
            host = urlsplit("//" + request.headers.get("host", "")).hostname or ""
        except ValueError:
            return False
        return bool(host) and (is_loopback(host) or host == self._safety.public.hostname)

    def _from_here(self, request: Request) -> bool:
        """Whether no other site's page sent it; programs send neither header."""
        relation, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        if relation is not None:
            return relation in ("same-origin", "none")
        if origin is None:
            return True
        public = self._safety.public
        own = {request.headers.get("host", ""), public.netloc} - {""}
        scheme, _, place = origin.partition("://")
        return scheme in ("http", "https") and place in own

    def _stranger(self, request: Request, path: str) -> Response | None:
        """What is answered to who may not read."""
        if self._safety.may_read(request) or path.startswith(_FREE):
            return None
        if path in _FEEDS_OUT and request.method in _READS and self._safety.opens_feed(request):
            return None
        if "authorization" in request.headers or "key" in request.query_params:
            if refusal := self._too_often(request, "keys"):
                return refusal
        elif request.method in _READS and "text/html" in request.headers.get("accept", ""):
            return self._to_login(request)
        said = "Send the header `Authorization: Bearer TOKEN` with the token of this site."
        return self._answer(request, 401, said, {"WWW-Authenticate": 'Bearer realm="storywire"'})

    def _guesser(self, request: Request) -> Response | None:
        """What is answered to wrong tokens where everybody may read, when they are many: only changes tell whether one
        was right."""
        if request.method in _READS or not self._safety.has_wrong_bearer(request):
            return None
        return self._too_often(request, "keys")

    def _to_login(self, request: Request) -> Response:
        """Browsers send no cookie with the first request that another site's link makes: have them ask again."""
        where = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        if request.headers.get("sec-fetch-site") == "cross-site":
            return self._answer(request, 401, "One moment.", {"Refresh": "0"})
        base = self._safety.split(request.url.path)[0]
        return RedirectResponse(f"{base}/login?{urlencode({'next': where})}", 303)

    def _too_often(self, request: Request, kind: str) -> Response | None:
        if not kind:
            return None
        wait_s = self._buckets[kind].wait_s(client_of(request, self._site.runtime.settings.proxies))
        if not wait_s:
            return None
        after = str(int(wait_s) + 1)
        return self._answer(request, 429, f"Try again in {after} s.", {"Retry-After": after})

    def _kind(self, request: Request, path: str) -> str:
        """Which limit a request counts against; "" for none."""
        if path == "/login" and request.method == "POST":
            return "login"
        if path == "/api/v1/similar":
            return "similar"
        query = request.query_params
        if not (path == "/api/v1/search" or query.get("q") or query.get("outlet") or self._takes_a_pass(query, path)):
            return ""
        return "rows" if path == "/rows" and "ids" in query else "search"

    def _takes_a_pass(self, query: Mapping[str, str], path: str) -> bool:
        """Whether a list is asked for by a filter for which all stories have to be looked through first."""
        if path not in _LISTS or not query:
            return False
        try:
            wanted = asked(query).filter
        except BadInput:  # is told what is wrong
            return False
        board, now = self._site.live.board, self._site.runtime.clock.now()
        return not any(board.is_quick(wanted, now, sort) for sort in SORTS)

    def _answer(self, request: Request, status: int, said: str, headers: dict[str, str] | None = None) -> Response:
        return answer(self._site, request, status, said, headers)
