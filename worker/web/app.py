"""The application: its routes, each part's own, and what stands around them.

Invariant: whatever a part does, a request ends with an answer and a line in the log.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from worker.errors import StorywireError
from worker.runtime import Runtime
from worker.web.access import Access
from worker.web.websub import Callbacks


def routes(runtime: Runtime) -> list[BaseRoute]:
    """All that is served; under the path of STORYWIRE_PUBLIC_URL as well as without, as proxies do either."""

    async def healthz(_request: Request) -> Response:
        try:
            await run_in_threadpool(runtime.ensure_store)
        except StorywireError as error:
            return PlainTextResponse(f"{error}\n", 503)
        return PlainTextResponse("ok\n")

    served: list[BaseRoute] = [
        Route("/healthz", healthz, methods=["GET"]),
        Callbacks(runtime.hubs, runtime.feeds, runtime.clock).route(),
    ]
    path = urlsplit(runtime.settings.public_url).path
    return [Mount(path, routes=served), *served] if path else served


def make_app(served: Sequence[BaseRoute]) -> Starlette:
    """The application with these routes."""
    return Starlette(routes=list(served), middleware=[Middleware(Access)])
