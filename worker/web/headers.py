"""What every answer says to browsers about itself.

Invariant: no script, style or form but our own files runs, nothing is framed, and no other site learns where one was.
"""

from collections.abc import Iterable

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Also of what is no page: an answer that a browser takes for one runs nothing."""

_ALWAYS = (
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),  # with no-referrer, browsers hide from us where a form comes from
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ("x-frame-options", "DENY"),
    ("cache-control", "no-store"),
)
_RAW = tuple((name.encode(), value.encode()) for name, value in _ALWAYS)


def guarded(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of an answer, with ours where it does not say so itself (how long it may be kept)."""
    own = list(headers)
    said = {name.lower() for name, _ in own}
    return [*own, *((name, value) for name, value in _RAW if name not in said)]
