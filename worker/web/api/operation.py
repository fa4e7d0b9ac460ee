"""An operation of the API: how it is asked for, what it takes and answers, and who does it.

Invariant: one table; what is served, what the OpenAPI document says and what the page shows come from it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

Call = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Parameter:
    """A part of an address. `schema`: JSON Schema; `where`: `query`, `path` or `header`."""

    name: str
    said: str
    schema: Mapping[str, Any]
    where: str = "query"
    required: bool = False


@dataclass(frozen=True, kw_only=True)
class Operation:
    """`path`: below /api, `{story}` for a part of it; `call`: None where another part of the site serves it; `answer`:
    the Struct of its 200, None where `media` is no JSON; `any_of`: fields of the body of which it needs one;
    `problems`: further statuses, with when they come; `example`: (path and query, body) that a reader can try; `edits`:
    takes the token."""

    name: str
    method: str
    path: str
    group: str
    summary: str
    said: str
    answer: type | None
    call: Call | None = None
    parameters: tuple[Parameter, ...] = ()
    body: type | None = None
    any_of: tuple[str, ...] = ()
    media: str = "application/json"
    problems: Mapping[int, str] = field(default_factory=dict)
    example: tuple[str, Mapping[str, Any] | None] = ("", None)
    edits: bool = False
