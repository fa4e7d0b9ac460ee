"""The API: one table of operations, served, described as OpenAPI, and shown on a page.

    request -> parameters that there are -> token, where it edits -> operation -> JSON with a tag, or a problem

Invariant: what the document says is what is served.
"""

from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from worker.errors import BadInput
from worker.web.api import correcting, likening, operating, reading, streaming
from worker.web.api.answers import answer, shown
from worker.web.api.document import document
from worker.web.api.operation import Operation
from worker.web.api.page import facts
from worker.web.site import Site


def routes(site: Site) -> list[BaseRoute]:
    """The operations, `/api/openapi.json`, and the page `/api`."""
    operations = table(site)

    async def described(request: Request) -> Response:
        return answer(request, document(operations, _base(request)))

    async def page(request: Request) -> Response:
        address = str(request.base_url).rstrip("/")
        return site.page(request, "api.html", facts(document(operations, _base(request)), operations, address))

    # an article's id may end in anything: what has an ending of its own is looked at first
    served = [
        Route(f"/api{_path(each)}", _endpoint(site, each, each.call), methods=[each.method], name=each.name)
        for each in operations
        if each.call is not None
    ]
    return [
        Route("/api", page, methods=["GET"]),
        Route("/api/openapi.json", described, methods=["GET"]),
        *sorted(served, key=lambda route: "{article:path}" in route.path and not route.path.endswith("/forget")),
    ]


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
        for name, value in request.query_params.multi_items():
            if name not in of.query:
                takes = f"it takes {', '.join(sorted(of.query))}" if of.query else "it takes none"
                raise BadInput(f"{shown(name)} is no parameter of {of.method} /api{of.path}: {takes}")
            if not value:
                raise BadInput(f"{name}: is empty: leave it out, or give it a value")
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


def _base(request: Request) -> str:
    return str(request.scope.get("root_path", "")).rstrip("/")
