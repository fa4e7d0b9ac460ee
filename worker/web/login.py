"""Logging in: the token once, a session from then on.

Invariant: the token comes in a body, never in an address; whoever logs in is led to a page of this site.
"""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from worker.web.forms import form_of
from worker.web.safety import COOKIE, SESSION_S
from worker.web.site import Site, base_of
from worker.web.troubles import answer


def routes(site: Site) -> list[BaseRoute]:
    """`/login` and `/logout`."""

    async def log_in(request: Request) -> Response:
        if request.method != "POST":
            return _form(site, request, request.query_params.get("next", ""), "")
        form = await form_of(request)
        session = site.safety.log_in(form.get("token", ""))
        if not session:
            return _form(site, request, form.get("next", ""), "This is not the token.", 403)
        response = RedirectResponse(own_page(form.get("next", ""), base_of(request)), 303)
        _set(site, request, response, session, SESSION_S)
        return response

    async def log_out(request: Request) -> Response:
        if not site.safety.check_form(request, await form_of(request)):
            return answer(site, request, 403, "Log out from a page of this site.")
        site.safety.log_out(request)
        response = RedirectResponse(f"{base_of(request)}/", 303)
        _set(site, request, response, "", 0)
        return response

    return [
        Route("/login", log_in, methods=["GET", "POST"]),
        Route("/logout", log_out, methods=["POST"]),
    ]


def own_page(where: str, base: str) -> str:
    """Where to go from here: the path that is asked for if it is one of this site, else the first page."""
    plain = where.isascii() and where.isprintable() and "\\" not in where
    return where if plain and where.startswith("/") and not where.startswith("//") else f"{base}/"


def _form(site: Site, request: Request, where: str, trouble: str, status: int = 200) -> Response:
    facts = {"next": own_page(where, base_of(request)), "wrong": trouble, "has_token": site.safety.has_token}
    return site.page(request, "login.html", facts, status)


def _set(site: Site, request: Request, response: Response, session: str, age_s: int) -> None:
    response.set_cookie(
        COOKIE,
        session,
        max_age=age_s,
        path=base_of(request) or "/",
        secure=site.safety.secure,
        httponly=True,
        samesite="strict",
    )
