"""Captures that the tests write themselves: feeds as they are served over time, in the ways that real ones change.

Invariant: the same bytes in every run.
"""

from collections.abc import Iterable

from tests.misbehaving.case import channel, item

WORDS = "harbour council storm bridge vote ferry school strike river market court budget museum forest".split()


def written() -> dict[str, list[bytes]]:
    """Feeds by what they show, each as its captures in order."""
    return {
        "row": [_row(number) for number in range(12)],
        "edits": [_capture(_entry(n, edit * (n % 2)) for n in range(6)) for edit in range(4)],
        "back": [_capture(_entry(n) for n in shown) for shown in ([1, 2, 3], [1], [4, 1], [4, 3, 2, 1], [2])],
        "shuffled": [_capture(_entry((n + turn) % 7) for n in range(7)) for turn in range(5)],
        "doubled": [_capture(_entry(n) for n in (1, 1, 2)), _capture(_entry(n) for n in (3, 1, 3, 2))],
        "shared": [_capture(_entry(n, guid="all-the-same") for n in range(top, -1, -1)) for top in (3, 4, 6)],
        "bare": [_capture(_entry(n, guid="", link="") for n in range(top, top - 3, -1)) for top in (3, 4, 4, 6)],
        "atom": [_atom(top) for top in (3, 4, 6)],
    }


def _row(number: int) -> bytes:
    """The ten newest of an endless row of entries, two new ones an edition, one title edited."""
    newest = 2 * number + 10
    return _capture(_entry(n, int(n % 5 == 0 and 2 * number > n - 6)) for n in range(newest, newest - 10, -1))


def _words(number: int) -> str:
    return " ".join(WORDS[(number * step + step) % len(WORDS)] for step in (1, 3, 5, 7))


def _entry(number: int, edit: int = 0, **named: str) -> str:
    updated = f" (update {edit})" if edit else ""
    names = {"guid": f"n-{number}", "link": f"https://news.example/{number}", **named}
    words = _words(number)
    return item(f"Report {number}: {words}{updated}", text=f"<p>About the <b>{words}</b> &amp; more.</p>", **names)


def _capture(entries: Iterable[str]) -> bytes:
    return channel(*entries).encode()


def _atom(top: int) -> bytes:
    entries = "".join(
        f"<entry><id>tag:news.example,2025:{n}</id><title>Report {n}: {_words(n)}</title>"
        f"<link rel='alternate' href='https://news.example/{n}'/><updated>2025-06-15T1{n}:00:00Z</updated>"
        f"<content type='html'>&lt;p&gt;About {_words(n)}&lt;/p&gt;</content></entry>"
        for n in range(top, -1, -1)
    )
    return (
        "<?xml version='1.0'?><feed xmlns='http://www.w3.org/2005/Atom'><id>tag:news.example,2025:f</id>"
        f"<title>Example</title><updated>2025-06-15T10:00:00Z</updated>{entries}</feed>"
    ).encode()
