"""What the readers of the formats give: a feed and its entries as the document states them, before they are cleaned.

Invariant: values of plain types and nothing else; what a document does not state is empty.
"""

from msgspec import Struct


class RawEntry(Struct):
    """An entry as stated. `contents` and `summary` are markup.

    `caption` is what a picture or film of it is called: its text where there is no other. `stated` is the text of its
    date, `published` the same in seconds since 1970. `outlet`, `outlet_url`: whose report it is, where it says so.
    """

    id: str = ""
    title: str = ""
    link: str = ""
    contents: list[str] = []
    summary: str = ""
    caption: str = ""
    stated: str = ""
    published: float | None = None
    lang: str = ""
    outlet: str = ""
    outlet_url: str = ""


class RawFeed(Struct):
    """A feed as stated. Relative links count from `link`, or, if `atom` or there is none, from its own address.

    `trouble` says what was left out, and why; `parts` are the addresses of the documents that hold its entries.
    """

    entries: list[RawEntry]
    title: str = ""
    link: str = ""
    lang: str = ""
    ttl: str = ""
    period: str = ""
    frequency: str = ""
    hub: str = ""
    topic: str = ""
    trouble: str = ""
    parts: tuple[str, ...] = ()
    atom: bool = False


def beyond(entries: int, most: int) -> str:
    """What is said of a feed with so many entries, of which no more than `most` are taken; "" where all are."""
    return f"only the first {most:,} of {entries:,} entries were taken" if entries > most else ""
