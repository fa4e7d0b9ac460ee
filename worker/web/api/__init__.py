"""The API: one table of operations, served, described as OpenAPI, and shown on a page.

    request -> parameters that there are -> token, where it edits -> operation -> JSON with a tag, or a problem

Invariant: what the document says is what is served.
"""

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from worker.web.api import correcting, likening, operating, reading, streaming
from worker.web.api.answers import answer
from worker.web.api.document import document
from worker.web.api.operation import Operation
from worker.web.api.page import facts
from worker.web.api.parameters import check
from worker.web.site import Site, base_of


def routes(site: Site) -> list[BaseRoute]:
    """The operations, `/api/openapi.json`, and the page `/api`."""
    operations = table(site)

    @cache
    def under(base: str) -> dict[str, Any]:
        return document(operations, base)

    async def described(request: Request) -> Response:
        return answer(request, under(base_of(request)))

    async def page(request: Request) -> Response:
        address = site.runtime.settings.public_url or str(request.base_url).rstrip("/")
        return site.page(request, "api.html", facts(under(base_of(request)), operations, address))

    served = [
        _Alone(f"/api{_path(each)}", _endpoint(site, each, each.call), methods=[each.method], name=each.name)
        for each in operations
        if each.call is not None
    ]
    return [
        Route("/api", page, methods=["GET"]),
        Route("/api/openapi.json", described, methods=["GET"]),
        *sorted(served, key=lambda route: route.path.endswith("{article:path}")),
    ]


class _Alone(Route):
    """A path that has one operation: another method is refused here, and not looked for where an article's id, which
    may hold anything, would match it too."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        return Match.FULL if match is Match.PARTIAL else match, child


def table(site: Site) -> tuple[Operation, ...]:
    """All operations, in the order in which they are shown."""
    parts = (reading, likening, streaming, operating, correcting)
    return tuple(each for part in parts for each in part.operations(site))


def _endpoint(
    site: Site, of: Operation, call: Callable[[Request], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        if of.edits:
            _demand_token(site, request)
        check(of, request.query_params.multi_items())
        return await call(request)

    return serve


def _demand_token(site: Site, request: Request) -> None:
    if not site.safety.has_token:
        raise HTTPException(
            403, "No corrections are taken here: set STORYWIRE_TOKEN, and start `storywire serve` again."
        )
    if not site.safety.has_bearer(request):
        raise HTTPException(
            401, "Send the header `Authorization: Bearer TOKEN` with the token of this site.",
            {"WWW-Authenticate": 'Bearer realm="storywire"'},
        )  # fmt: skip


def _path(of: Operation) -> str:
    """Article ids may hold slashes."""
    return of.path.replace("{article}", "{article:path}")
