"""Captures of real feeds, served one after another to the real poller: no entry lost, none doubled."""

import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from tests.e2e.feed_server import FeedServer, page, versioned
from tests.e2e.polling import NOW, Bench, bench, poller

Shown = tuple[str, str, str]


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with FeedServer() as server:
        yield server


@pytest.fixture
def store(valkey_url: str) -> Bench:
    return bench(valkey_url)


def truth(capture: bytes) -> dict[str, Shown]:
    """What a capture shows, by a plain reading of its XML: guid -> title, link, description."""
    return {
        item.findtext("guid", ""): (
            item.findtext("title", ""),
            item.findtext("link", ""),
            item.findtext("description", ""),
        )
        for item in ET.fromstring(capture).iter("item")
    }


def plain(title: str) -> str:
    """A title as a person reads it: entities resolved, compatibility forms and spaces made alike."""
    return " ".join(unicodedata.normalize("NFKC", unescape(title)).split())


@pytest.mark.parametrize("name", ["ft-home", "wsj_world"])
async def test_captures_lose_and_double_nothing(server: FeedServer, store: Bench, shared: Path, name: str) -> None:
    """Every capture is served three times: new, unchanged with a 304 (or without one), and then the next one comes.

    Over all of them: one article a guid, its title the last one shown, a revision for every edited title; nothing is
    queued for what did not change.
    """
    captures = [path.read_bytes() for path in sorted((shared / "feeds" / name).glob("*.xml"))]
    assert len(captures) > 30
    url, last, edits, quiet = server.url("/feed"), dict[str, Shown](), 0, 0
    store.feeds.add(url, "", NOW)
    async with poller(store):
        for number, capture in enumerate(captures):
            server.routes["/feed"] = versioned(capture, f'"{number}"') if number % 2 else page(capture)
            before, jobs = dict(last), len(store.refs)
            last |= truth(capture)
            changed = {guid for guid, shown in last.items() if before.get(guid) != shown}
            edits += sum(guid in before and before[guid][0] != last[guid][0] for guid in changed)
            await store.turn(url, after_s=4 * 3600)
            assert store.feed(url).polls.trouble == ""
            assert len({guid for guid in changed if guid not in before}) <= len(store.refs) - jobs <= len(changed)
            quiet += not changed
            jobs = len(store.queued)
            await store.turn(url, after_s=4 * 3600)
            assert len(store.queued) == jobs, "an unchanged capture costs no job"
    articles = store.articles()
    assert len(articles) == len(last), "one article for each guid"
    assert sorted(a.url for a in articles) == sorted(link for _, link, _ in last.values())
    assert sorted(plain(a.title) for a in articles) == sorted(plain(title) for title, _, _ in last.values())
    assert sum(a.revision - 1 for a in articles) >= edits > 0, "an edited title is a revision of its article"
    assert len(store.refs) == sum(a.revision for a in articles), "every revision was queued once"
    assert len({(ref.article) for ref in store.refs}) == len(articles)


WORDS = "harbour council storm bridge vote ferry school strike river market court budget museum forest".split()


def edition(number: int) -> bytes:
    """A feed that shows the ten newest of an endless row of entries, two new ones an edition, one title edited."""
    items = []
    for entry in range(2 * number + 10, 2 * number, -1):
        edited = " (updated)" if entry % 5 == 0 and 2 * number > entry - 6 else ""
        words = " ".join(WORDS[(entry * step + step) % len(WORDS)] for step in (1, 3, 5, 7))
        items.append(
            f"<item><title>Report {entry}: {words}{edited}</title><link>https://example.org/{entry}</link>"
            f"<guid isPermaLink='false'>n-{entry}</guid><description>About the {words}.</description></item>"
        )
    return f"<rss version='2.0'><channel><title>Row</title>{''.join(items)}</channel></rss>".encode()


async def test_editions_written_here_lose_and_double_nothing(server: FeedServer, store: Bench) -> None:
    """The same promise on a feed of our own: every entry once, in its last edition, whatever came and went."""
    url, last, revisions = server.url("/feed"), dict[str, Shown](), 0
    store.feeds.add(url, "", NOW)
    async with poller(store):
        for number in range(12):
            capture = edition(number)
            server.routes["/feed"] = page(capture)
            shown = truth(capture)
            revisions += sum(1 for guid in shown if last.get(guid) != shown[guid])
            last |= shown
            await store.turn(url, after_s=3600)
    assert sorted(a.title for a in store.articles()) == sorted(title for title, _, _ in last.values())
    assert len(store.refs) == revisions == sum(a.revision for a in store.articles())
    assert any(a.revision == 2 for a in store.articles())
