"""What makes an entry the same entry in the next fetch: its guid, with link and title as fallbacks.

Invariant: two entries of one document have one key only if a reader would show them as one.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple


class Names(NamedTuple):
    """What an entry may be known by; each may be empty. `rest` is whatever else it says."""

    guid: str
    link: str
    title: str
    rest: str = ""


def entry_keys(entries: Sequence[Names]) -> list[str]:
    """16 hexadecimal digits for each entry, in order.

    A guid names an entry unless entries with different links carry it, or every entry does: some feeds give all the
    same one. A link names an entry unless entries with different titles carry it. What has neither goes by its title,
    and what has no title by all that it says.
    """
    links_of, titles_of_guid = _values((e.guid, e.link) for e in entries), _values((e.guid, e.title) for e in entries)
    titles_of_link = _values((e.link, e.title) for e in entries)
    one_guid = len({entry.guid for entry in entries}) == 1

    def key(entry: Names) -> str:
        constant = one_guid and len(titles_of_guid[entry.guid]) > 1
        if entry.guid and len(links_of[entry.guid]) == 1 and not constant:
            return _digest("guid", entry.guid)
        if entry.link and len(titles_of_link[entry.link]) == 1:
            return _digest("link", entry.link)
        return _digest("title", entry.title) if entry.title else _digest("rest", entry.rest)

    return [key(entry) for entry in entries]


def _values(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for name, value in pairs:
        found[name].add(value)
    return found


def _digest(kind: str, value: str) -> str:
    return blake2b(f"{kind}\0{value}".encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
