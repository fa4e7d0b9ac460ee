"""What was found on a page: the value that passes between the process that extracts and the one that fetches.

Invariant: no more than that, so that who fetches never loads what extracts.
"""

from msgspec import Struct


class Extracted(Struct, frozen=True, array_like=True):
    """What was found of an article: `text` as plain text, "" for none; `canonical`: the address that the page gives
    itself; `lang`: the tag that it states; `published`: a date with its time of day, in seconds since 1970. `reason`:
    why there is no text, in words that follow "its page"."""

    text: str = ""
    title: str = ""
    canonical: str = ""
    lang: str = ""
    published: float | None = None
    reason: str = ""


class Request(Struct, frozen=True, array_like=True):
    """A page to read, where it was found, and the Content-Type it came with."""

    body: bytes
    url: str
    content_type: str
