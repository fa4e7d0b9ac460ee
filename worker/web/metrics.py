"""`/metrics` of the web process: its own, and the store's; and what counts the requests.

Invariant: a request is counted under the route that answered it, of which there are few, never under its address.
"""

import time
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worker.metrics import CONTENT_TYPE, Reading
from worker.metrics.table import LISTENERS, REQUEST, REQUESTS
from worker.web.readings import Looks, look
from worker.web.site import Site


def routes(site: Site) -> list[BaseRoute]:
    """`/metrics`."""
    looks = Looks(partial(look, site.runtime), site.beside)

    async def metrics(_request: Request) -> Response:
        readings = [*await looks.readings(), Reading(LISTENERS, site.live.listening)]
        return Response(site.metrics.text(readings), headers={"Content-Type": CONTENT_TYPE})

    return [Route("/metrics", metrics, methods=["GET"])]


class Measured:
    """Counts each request, and the seconds to the head of its answer; stands around all else."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app, self._metrics, self._base = app, site.metrics, site.safety.public.path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._metrics.observe(REQUEST, time.perf_counter() - began, route=route_of(scope, self._base))
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            self._metrics.count(REQUESTS, route=route_of(scope, self._base), status=str(status or 500))


def route_of(scope: Scope, base: str = "") -> str:
    """The pattern of the route that a request was led to, `/stories/{id}`, without the path that all is served under;
    `none` for none."""
    route = scope.get("route")
    mounted = scope.get("root_path", "").removeprefix(base)
    if isinstance(route, Mount):
        return mounted or "none"
    return mounted + route.path if isinstance(route, Route) else "none"
