"""The application: its routes, each part's own, and what stands around them.

Invariant: whatever a part does, a request ends with an answer and a line in the log.
"""

from collections.abc import Sequence
from functools import partial
from urllib.parse import urlsplit

import structlog
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from worker.errors import BadSetting, StorywireError
from worker.web import api, assets, login, metrics, out, pages, stream, troubles
from worker.web.access import Access
from worker.web.guard import Guard
from worker.web.site import Site
from worker.web.websub import Callbacks

log = structlog.get_logger()


def routes(site: Site) -> list[BaseRoute]:
    """All that is served; under the path of STORYWIRE_PUBLIC_URL as well as without, as proxies do either."""

    runtime = site.runtime

    async def healthz(request: Request) -> Response:
        try:
            await run_in_threadpool(runtime.ensure_store)
        except StorywireError as error:
            hidden = "the server of the stories is away, or not to be used: the log says why"
            log.warning("not well", trouble=str(error))
            return PlainTextResponse(f"{error if site.safety.may_read(request) else hidden}\n", 503)
        return PlainTextResponse("ok\n")

    served: list[BaseRoute] = [
        Route("/healthz", healthz, methods=["GET"]),
        Callbacks(runtime.hubs, runtime.feeds, runtime.clock).route(),
        *(route for part in (pages, stream, api, out, metrics, assets, login) for route in part.routes(site)),
    ]
    path = urlsplit(runtime.settings.public_url).path
    _ensure_apart(path, served)
    return [Mount(path, routes=served), *served] if path else served


def _ensure_apart(path: str, served: Sequence[BaseRoute]) -> None:
    """Raises BadSetting for a path of STORYWIRE_PUBLIC_URL that begins as one of ours does: it would stand for both."""
    first = path.split("/")[1] if path else ""
    if first and first in {route.path.split("/")[1] for route in served if isinstance(route, Route | Mount)}:
        raise BadSetting(
            f"STORYWIRE_PUBLIC_URL: its path {path} begins as pages of this site do (/{first}): take another, as /wire"
        )


def make_app(site: Site) -> Starlette:
    """The application: counts > access (log, bounds, headers) > guard (who may ask) > compression > routes."""
    around = [
        Middleware(metrics.Measured, site),
        Middleware(Access, partial(troubles.answer, site)),
        Middleware(Guard, site),
        Middleware(GZipMiddleware, compresslevel=5),
    ]
    app = Starlette(routes=routes(site), middleware=around)
    troubles.handle(app, site)
    return app
