"""Serves the feeds of stories: what is asked for, what has changed since, and under which address.

Invariant: what was not changed is not read from the store; no address in it is one that a stranger's header made up.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from email.utils import formatdate, parsedate_to_datetime
from functools import partial
from hashlib import blake2b
from urllib.parse import urlencode
from uuid import uuid5

from msgspec import Struct, msgpack
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from worker.errors import BadInput, Transient
from worker.report.board import Selection
from worker.report.rows import Row
from worker.store.identity import identity
from worker.web.asking import NAMES, Asked, address, asked
from worker.web.conditional import has
from worker.web.out import atom, jsonfeed
from worker.web.out.entries import Feed, entry, feed_name, title_of
from worker.web.out.reading import Reading
from worker.web.site import Site

MOST = 100
"""Stories in one feed."""

_HOST = re.compile(r"(?:[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,20}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_LANG = re.compile("[a-z]{2,3}")
_FORM = "6"
"""Part of every tag: raised when what is written changes though the stories do not."""

Write = Callable[[Feed], bytes]


def routes(site: Site) -> list[BaseRoute]:
    """`/stories.atom` and `/stories.json`."""
    reading = Reading(site.runtime.stories)
    return [
        Route("/stories.atom", partial(_serve, site, reading, atom.atom, atom.TYPE), methods=["GET"]),
        Route("/stories.json", partial(_serve, site, reading, jsonfeed.json_feed, jsonfeed.TYPE), methods=["GET"]),
    ]


class _Wanted(Struct, frozen=True, kw_only=True):
    """A request: `own`: the feed's path below `base`; `query`: its parameters as they came."""

    base: str
    own: str
    query: Mapping[str, str]
    asked: Asked
    updates: bool

    def address(self, **changes: str) -> str:
        """This feed's address, other parameters changed."""
        query = {name: value for name, value in {**self.query, **changes}.items() if value}
        return f"{self.base}{self.own}{'?' if query else ''}{urlencode(query)}"


async def _serve(site: Site, reading: Reading, write: Write, media_type: str, request: Request) -> Response:
    if not site.live.ready.is_set():
        raise Transient("the stories are being read: try again in a moment")
    wanted = _wanted(site, request)
    of = wanted.asked
    lists, now = site.live.lists, site.runtime.clock.now()
    chosen = await lists.select(of.filter, now, sort=of.sort, limit=of.limit, after=of.after)
    headers = {"etag": tag(wanted.address(), chosen.rows), "cache-control": "private, no-cache"}
    if has(request, headers["etag"]):
        return Response(status_code=304, headers=headers)
    feed, changed = await site.aside(_feed, site, reading, wanted, chosen)
    if (modified := int(changed) + 1) <= site.runtime.clock.now():  # more may come within its second
        headers["last-modified"] = formatdate(modified, usegmt=True)
    if "if-none-match" not in request.headers and _not_since(request.headers.get("if-modified-since", ""), modified):
        return Response(status_code=304, headers=headers)
    return Response(write(feed), media_type=f"{media_type}; charset=utf-8", headers=headers)


def _wanted(site: Site, request: Request) -> _Wanted:
    """What is asked for: by default the newest stories, and never more than MOST. Raises BadInput."""
    query = {name: value.strip() for name, value in request.query_params.items()}
    of = asked(query)
    if (updates := query.get("updates", "")) not in ("", "0", "1"):
        raise BadInput(f"updates={updates[:20]}: write 1, or leave it out")
    return _Wanted(
        base=base_of(site, request),
        own=site.safety.split(request.url.path)[1],
        query={name: query[name] for name in (*NAMES, "updates", "key") if name in query},
        asked=replace(of, sort=of.sort if query.get("sort") else "new", limit=min(of.limit, MOST)),
        updates=updates == "1",
    )


def base_of(site: Site, request: Request) -> str:
    """The address of the site, no slash at its end: STORYWIRE_PUBLIC_URL or, without one, the name by which it was
    asked, as far as that is one."""
    settings = site.runtime.settings
    if settings.public_url:
        return settings.public_url
    host = request.headers.get("host", "")
    return f"http://{host if _HOST.fullmatch(host) else settings.listen}"


def _feed(site: Site, reading: Reading, wanted: _Wanted, chosen: Selection) -> tuple[Feed, float]:
    """The feed, and when, by the wall clock, a story of it last changed. Blocks."""
    store, of = identity(site.runtime.redis), wanted.asked
    read = reading.facts(chosen.rows)
    entries = [entry(store, wanted.base, row, facts, updates=wanted.updates) for row, facts in read]
    changed = max((facts.changed for _, facts in read), default=site.runtime.clock.now())
    if of.sort == "new":
        entries.sort(key=lambda each: -each.published)
    home = address(of, sort="", after="", limit="")
    feed = Feed(
        id=uuid5(store, feed_name(wanted.query)).urn,
        title=title_of(of.filter),
        updated=max((each.updated for each in entries), default=changed),
        home=f"{wanted.base}/{'?' if home else ''}{home}",
        own=wanted.address(),
        following=wanted.address(after=chosen.following) if chosen.following else "",
        lang=of.filter.lang if _LANG.fullmatch(of.filter.lang) else "",
        entries=tuple(entries),
    )
    return feed, changed


def tag(own: str, rows: Sequence[Row]) -> str:
    """Stands for what is in the feed at this address: weak, as it may be compressed on its way."""
    held = msgpack.encode((_FORM, own, rows))  # repr takes eight times as long, and holds up the loop
    return f'W/"{blake2b(held, digest_size=12).hexdigest()}"'


def _not_since(header: str, modified: int) -> bool:
    """Whether nothing changed after the date of an If-Modified-Since."""
    try:
        return bool(header) and modified <= parsedate_to_datetime(header).timestamp()
    except (ValueError, TypeError, OverflowError):
        return False
