"""What a person asks for in an address: the filter, the order and the page of a list, read from it and written into it.

Invariant: the same names on the page, in the API, in the stream and in feeds out; what is read and written again is
the same, and an address never holds what stands there anyway.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from msgspec import Struct
from msgspec.structs import asdict

from worker.config import duration
from worker.errors import BadInput
from worker.report.board import SORTS, Filter

LIMIT = 50
MOST = 200
"""Stories of one page of a list."""

LONGEST_SINCE_S = 3650 * 86_400.0
_LONGEST = {"lang": 12, "outlet": 200, "q": 200, "after": 2_000}
"""Characters."""
_MOST_OUTLETS = 1_000_000
NAMES = ("lang", "outlet", "outlets", "since", "q", "sort", "limit", "after")
"""Of the parameters of an address."""

_OTHERS = ("key", "updates", "ids")
"""What else stands in addresses of lists, for who serves them to read."""
_ADDED = ("ref", "fbclid", "gclid", "msclkid", "mc_cid", "mc_eid", "igshid")
_ADDED_PREFIX = "utm_"
"""What others add to links to follow who opens them."""
_SHOWN = 40
_UNITS = (("d", 86_400.0), ("h", 3_600.0), ("m", 60.0), ("s", 1.0), ("ms", 0.001))


class Asked(Struct, frozen=True, kw_only=True):
    """What is asked for. `after`: the cursor of a list's page, or of the stream; "" for the first page, or from now."""

    filter: Filter = Filter()
    sort: str = SORTS[0]
    limit: int = LIMIT
    after: str = ""


def asked(params: Mapping[str, str]) -> Asked:
    """What the parameters of an address ask for: `lang`, `outlet`, `outlets`, `since`, `q`, `sort`, `limit`, `after`.

    Empty ones (of a form that was sent) stand for what is usual; what others add to links is not looked at. Raises
    BadInput with a line that names the parameter and what to write, also for one that there is not: a slip of the pen
    does not widen what is asked for.
    """
    for name in params:
        if name not in NAMES and name not in _OTHERS and name not in _ADDED and not name.startswith(_ADDED_PREFIX):
            raise BadInput(f"{cut(name)}: is no parameter of a list of stories: it takes {', '.join(sorted(NAMES))}")
    given = {name: _text(params, name) for name in _LONGEST}
    sort = cut(params.get("sort", "").strip()) or SORTS[0]
    if sort not in SORTS:
        raise BadInput(f"sort={sort}: write one of {', '.join(SORTS)}")
    return Asked(
        filter=Filter(
            lang=given["lang"].lower(),
            outlet=given["outlet"],
            min_outlets=_count(params, "outlets", 1, _MOST_OUTLETS),
            since_s=_since(params),
            words=given["q"],
        ),
        sort=sort,
        limit=_count(params, "limit", LIMIT, MOST),
        after=given["after"],
    )


def address(of: Asked, **changes: str | float | None) -> str:
    """The query string that asks for this, with no `?` before it, "" where it asks for nothing unusual.

    changes: other values by the names that stand in addresses (`q="port"`, `outlets=3`; `since` as a duration or as
    seconds; None or "": what is usual). Who changes what is asked for begins at the top again: the cursor is left out.
    """
    names = _written(of)
    if changes:
        names["after"] = ""
    for name, value in changes.items():
        if name not in names:
            raise TypeError(f"{name} is no parameter of an address")
        names[name] = _since_text(value) if name == "since" and not isinstance(value, str) else value or ""
    usual = _written(Asked())
    return urlencode({name: value for name, value in names.items() if value != "" and str(value) != str(usual[name])})


def _written(of: Asked) -> dict[str, Any]:
    wanted = asdict(of.filter)
    return {
        "lang": wanted["lang"],
        "outlet": wanted["outlet"],
        "outlets": wanted["min_outlets"],
        "since": _since_text(wanted["since_s"]),
        "q": wanted["words"],
        "sort": of.sort,
        "limit": of.limit,
        "after": of.after,
    }


def since_text(seconds: float) -> str:
    """Seconds as a duration that `duration` reads: `6h`, `2d`, `90m`."""
    for unit, length_s in _UNITS:
        count = round(seconds / length_s, 6)
        if count >= 1 and count == int(count):
            return f"{int(count)}{unit}"
    return f"{seconds:f}s"


def _since_text(seconds: float | None) -> str:
    return "" if seconds is None else since_text(seconds)


def _since(params: Mapping[str, str]) -> float | None:
    text = params.get("since", "").strip()
    if not text:
        return None
    try:
        seconds = duration(text[:_SHOWN])
    except ValueError:
        seconds = -1.0
    if not 0 < seconds <= LONGEST_SINCE_S:
        raise BadInput(f"since={cut(text)}: write a duration up to 3650d, such as 6h or 2d")
    return seconds


def _count(params: Mapping[str, str], name: str, usual: int, most: int) -> int:
    text = params.get(name, "").strip()
    if not text:
        return usual
    count = int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else 0
    if not 1 <= count <= most:
        raise BadInput(f"{name}={cut(text)}: write a whole number from 1 to {most}")
    return count


def _text(params: Mapping[str, str], name: str) -> str:
    text = params.get(name, "").strip()
    if len(text) > _LONGEST[name]:
        raise BadInput(f"{name}={cut(text)}: write at most {_LONGEST[name]} characters")
    return text


def cut(text: str) -> str:
    """A text as an error shows it: short, and what cannot be printed left out."""
    shown = "".join(c for c in text if c.isprintable())
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
