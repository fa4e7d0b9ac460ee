"""What is answered instead of what was asked for: a page for browsers, problem+json for programs, else a line.

Invariant: it says what is wrong and what to do, and nothing of the server's inside.
"""

from collections.abc import Mapping

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from worker.errors import BadInput, StorywireError, Transient
from worker.web.site import Site

_TITLES = {
    400: "This cannot be understood",
    401: "This needs the token",
    403: "This is not allowed",
    404: "There is nothing here",
    405: "This cannot be done here",
    408: "This took too long",
    413: "This is too much",
    415: "This is of another kind",
    421: "This is another site's address",
    429: "This was too often",
    500: "Something went wrong here",
    503: "The server of the stories is away",
}
_SAID = {
    404: "What was here may have ended, or it never was.",
    405: "It can be looked at, or changed, in another way only.",
    500: "It was a fault of ours, and it is in the log. Try again.",
}

log = structlog.get_logger()


def answer(
    site: Site, request: Request, status: int, said: str = "", headers: Mapping[str, str] | None = None
) -> Response:
    """The answer of this status; said: what is wrong and the remedy, in words for whoever asked."""
    base, path = site.safety.split(request.url.path)
    title, said = _TITLES.get(status, "This did not work"), said or _SAID.get(status, "")
    if path.startswith("/api/v1"):
        problem = {"type": "about:blank", "title": title, "status": status, "detail": said}
        return JSONResponse(problem, status, dict(headers or {}), "application/problem+json")
    if "text/html" in request.headers.get("accept", ""):
        try:
            facts = {"base": base, "here": path, "title": title, "said": said, "status": status}
            page = site.page(request, "trouble.html", facts, status)
        except Exception:
            log.exception("no page for a trouble")
        else:
            page.headers.update(headers or {})
            return page
    return PlainTextResponse(f"{title.lower()}: {said}\n" if said else f"{title.lower()}\n", status, headers)


def handle(app: Starlette, site: Site) -> None:
    """Have the application answer so whatever is raised in it."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        usual = error.detail if error.detail != HTTPException(error.status_code).detail else ""
        return answer(site, request, error.status_code, usual, error.headers)

    async def failed(request: Request, error: Exception) -> Response:
        if isinstance(error, BadInput):
            return answer(site, request, 400, str(error))
        log.warning("not served", trouble=str(error))
        away = isinstance(error, Transient)
        said = "Nothing is lost. Try again in a moment." if away else str(error)
        return answer(site, request, 503, said, {"Retry-After": "5"} if away else None)

    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(StorywireError, failed)
