"""Forms that our pages send.

Invariant: a form is small and plain: no files, no encoding but that of addresses, the first of fields of one name.
"""

from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

from worker.web.access import TooBig, body_of

_MOST = 64_000
_MOST_FIELDS = 100
_TYPE = "application/x-www-form-urlencoded"


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form; raises HTTPException 413 or 415, or 400 where it cannot be read."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _TYPE:
        raise HTTPException(415, f"send the form as {_TYPE}")
    try:
        body = await body_of(request.receive, request.headers.get("content-length", ""), _MOST)
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except TooBig:
        raise HTTPException(413, f"a form is at most {_MOST // 1000} KB") from None
    except (ValueError, ConnectionError):
        raise HTTPException(400, "the form cannot be read") from None
    return dict(reversed(fields))
