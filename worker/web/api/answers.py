"""How the API reads bodies and writes answers: JSON with a tag, so that what was not changed is not sent again.

Invariant: a body is read only as far as it may go, and an answer says nothing that its record does not.
"""

import re
from hashlib import blake2b
from typing import Any, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from worker.errors import BadInput
from worker.web.access import TooBig, body_of
from worker.web.conditional import has

T = TypeVar("T")

MOST_BODY = 1_000_000
"""Bytes: 200,000 characters of any script, escaped or not, with room to spare."""

_SHOWN = 60
_HEAT = re.compile(rb'"heat":[0-9.e+-]+')
"""A string of an answer cannot look like it: its quotes are escaped."""

_encode = msgspec.json.Encoder().encode


def answer(request: Request, record: Any, headers: dict[str, str] | None = None) -> Response:
    """A record as JSON; 304 where the asker has it. The tag is weak: the heat, which falls with time, does not count,
    and the bytes may be compressed on their way."""
    body = _encode(record)
    tag = f'W/"{blake2b(_HEAT.sub(b"", body), digest_size=12).hexdigest()}"'
    said = {"etag": tag, "cache-control": "private, no-cache", **(headers or {})}
    if request.method in ("GET", "HEAD") and has(request, tag):
        return Response(status_code=304, headers=said)
    return Response(body, media_type="application/json", headers=said)


async def read(request: Request, kind: type[T]) -> T:
    """The body as this Struct. Raises BadInput with a line that names the field, 413 and 415."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "Send JSON, with the header `Content-Type: application/json`.")
    try:
        body = await body_of(request.receive, request.headers.get("content-length", ""), MOST_BODY)
    except TooBig:
        raise HTTPException(413, f"Send at most {MOST_BODY:,} bytes.") from None
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise BadInput(f"body: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"body: is no JSON ({error})") from None


def none_such(name: str, what: str, remedy: str) -> HTTPException:
    """The 404 of a name that nothing has."""
    return HTTPException(404, f"{shown(name)} is no {what}: {remedy}")


def shown(name: str) -> str:
    """A name that somebody sent, as an answer repeats it: short, and without what cannot be printed."""
    return repr(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}...")
