"""What makes an entry the same entry in the next fetch: its link, guid or title, as far as each can be trusted.

Invariant: two entries of one document have one key only if a reader would show them as one, and are never both the
same known entry.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

from worker.feed.canonical import canonical, is_page


class Names(NamedTuple):
    """What an entry may be known by; each may be empty. `rest` is whatever else it says."""

    guid: str
    link: str
    title: str
    rest: str = ""


class Digests(NamedTuple):
    """What is remembered of an entry's names: 8 bytes each, b"" for one that is missing."""

    guid: bytes = b""
    link: bytes = b""
    title: bytes = b""


_Name = tuple[str, bytes]
"""Which name it is, and its digest."""


def digests(names: Names) -> Digests:
    """The names as they are remembered."""
    return Digests(*(bytes.fromhex(_digest("name", name)) if name else b"" for name in names[:3]))


def recognise(shown: Sequence[Digests], known: Mapping[str, Digests]) -> dict[int, str]:
    """Which entries of a document are known ones: position -> key in `known`, no key twice.

    Whoever has all its names unchanged comes first, then who has its link, its guid, its title. A name that several
    entries bear, of the document or of the known ones, tells nothing, and a title only where link and guid tell
    nothing. Where the document has one entry, nothing shows whether its guid is every entry's: it does not tell alone.
    """
    shared = _shared(shown) | _shared(known.values())
    telling = [_telling(names, shared) for names in shown]
    bearers = {name: key for key, names in known.items() for name in _named(names)}
    found, free = dict[int, str](), dict(known)
    for rank in range(4):
        for position, names in enumerate(shown):
            name = telling[position][rank]
            key = bearers.get(name) if name and position not in found else None
            if key in free and (len(shown) > 1 or _link_or_title(names, free[key])):
                found[position] = key
                del free[key]
    return found


def page_of(link: str) -> str:
    """The page that a link leads to, however it is written; "" for none, or a site as a whole. The fragment counts, as
    entries of a live report may differ in that alone."""
    address, _, fragment = link.partition("#")
    page = canonical(address)
    return f"{page}#{fragment}" if is_page(page) else ""


def page_digest(link: str) -> bytes:
    """What is remembered of that page: 8 bytes, b"" where there is none."""
    page = page_of(link)
    return bytes.fromhex(_digest("page", page)) if page else b""


def recognise_pages(shown: Sequence[bytes], known: Mapping[str, bytes], found: Mapping[int, str]) -> dict[int, str]:
    """What was found, and of the rest those that lead to the page that a known entry led to: with other tracking in the
    link, or from a mobile host. A page that several entries lead to, of the document or of the known ones, tells
    nothing."""
    once = {page for page, times in Counter(shown).items() if page and times == 1}
    bearers = Counter(known.values())
    taken, keys = set(found.values()), {page: key for key, page in known.items() if bearers[page] == 1}
    more = {
        position: key
        for position, page in enumerate(shown)
        if page in once and position not in found and (key := keys.get(page)) and key not in taken
    }
    return {**found, **more}


def _named(names: Digests) -> list[_Name]:
    """The names that there are, and all of them as one."""
    named = [name for name in zip(Digests._fields, names, strict=True) if name[1]]
    return [*named, ("all", b"".join(name.ljust(8, b"-") for name in names))] if named else []


def _shared(entries: Iterable[Digests]) -> set[_Name]:
    counts = Counter(name for names in entries for name in _named(names))
    return {name for name, count in counts.items() if count > 1 and name[0] != "all"}


def _telling(names: Digests, shared: set[_Name]) -> list[_Name | None]:
    """All names as one, link, guid, title: None for what tells nothing."""
    own = {name[0]: name for name in _named(names) if name not in shared}
    title = None if "link" in own or "guid" in own else own.get("title")
    return [own.get("all"), own.get("link"), own.get("guid"), title]


def _link_or_title(names: Digests, known: Digests) -> bool:
    return names.link == known.link or bool(names.title and names.title == known.title)


def another_key(key: str, names: Digests) -> str:
    """A key for a new entry whose own is taken by a known one."""
    return _digest(key, b"".join(names).hex())


def entry_keys(entries: Sequence[Names]) -> list[str]:
    """16 hexadecimal digits for each entry of a document, in order: what a new one will be called.

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
