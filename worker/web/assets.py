"""The files that pages are made with: style sheets, scripts, the icon; read once, from the package.

Invariant: an address with `?v=` names one content for ever, so that a browser asks for it once; an address without it
is asked for again each time, and answered 304 where nothing changed. A script imports others by the addresses of their
contents, so that what a page runs is of one version. Templates write `{{ base }}{{ "x.css" | asset }}`.
"""

import hashlib
import re
from importlib.resources import files

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from worker.web.conditional import has
from worker.web.site import Site

_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "json": "application/json",
}
_IMPORT = re.compile(rb'^import .* from "\./(\w+\.js)', re.MULTILINE)
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
_VERSION_CHARACTERS = 16


class Asset(Struct, frozen=True):
    """A file as it is served. `version`: a digest of its content."""

    name: str
    body: bytes
    media_type: str
    version: str


def load() -> dict[str, Asset]:
    """name -> file, of all in `static/` that have a type; scripts import each other by version, in no circle."""
    found = {}
    bodies = {entry.name: entry.read_bytes() for entry in files("worker.web").joinpath("static").iterdir()}

    def add(name: str) -> Asset:
        if name not in found:
            body = _IMPORT.sub(lambda match: match[0] + f"?v={add(match[1].decode()).version}".encode(), bodies[name])
            version = hashlib.sha256(body).hexdigest()[:_VERSION_CHARACTERS]
            found[name] = Asset(name, body, _TYPES[name.rpartition(".")[2]], version)
        return found[name]

    for name in bodies:
        if name.rpartition(".")[2] in _TYPES:
            add(name)
    return found


def routes(site: Site) -> list[BaseRoute]:
    """The files, and the filter `asset` for templates: a file's address with its version."""
    assets = load()

    def address(name: str) -> str:
        return f"/static/{name}?v={assets[name].version}"

    async def serve(request: Request) -> Response:
        found = assets.get(request.path_params["name"])
        if found is None:
            return PlainTextResponse("there is no such file\n", 404)
        return answer(request, found)

    site.templates.filters["asset"] = address
    return [Route("/static/{name}", serve, methods=["GET"])]


def answer(request: Request, asset: Asset) -> Response:
    """The file, or 304 where the asker has it."""
    tag = f'"{asset.version}"'
    same = request.query_params.get("v", "") == asset.version
    headers = {"etag": tag, "cache-control": _FOR_EVER if same else _ASK_AGAIN}
    if has(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(asset.body, media_type=asset.media_type, headers=headers)
