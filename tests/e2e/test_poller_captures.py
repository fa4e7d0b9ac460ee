"""Captures of feeds, served one after another to the real poller: what it queues is what a plain reading of them tells.

The plain reading (tests/captures/truth.py) knows nothing of Storywire: feedparser's defaults and four rules.
"""

from pathlib import Path

import pytest

from tests.captures.truth import Shown, Truth, named
from tests.captures.written import written
from tests.e2e.feed_server import FeedServer, page, versioned
from tests.e2e.polling import NOW, Bench, poller
from worker.model import Article

_MEDIA = b"media:description"
"""feedparser takes a picture's caption for the text of an entry: where captions occur, texts are not compared."""


def said(article: Article, *, text: bool) -> Shown:
    """An article as the plain reading has it."""
    return Shown(" ".join(article.title.split()), " ".join(article.text.split()) if text else "", article.url)


def expected(shown: Shown, *, text: bool, titles: bool) -> Shown:
    """What an entry must be queued as; one without a title is called by the beginning of its text."""
    return shown._replace(text=shown.text if text else "", title=shown.title if titles else "")


async def replay(captures: list[tuple[float, bytes]], server: FeedServer, store: Bench) -> Truth:
    """Serve each capture at its time, and some once more, unchanged, with a 304 or without one; what is queued must be
    what the plain reading says is new or revised, all of it, each once."""
    url, truth = server.url("/feed"), Truth()
    store.feeds.add(url, "", NOW)
    async with poller(store):
        for number, (time, capture) in enumerate(captures):
            server.routes["/feed"] = versioned(capture, f'"{number}"') if number % 2 else page(capture)
            step, before = truth.add(capture), len(store.refs)
            wanted = [*step.new.values(), *step.revised.values()]
            await poll(store, url, time - store.clock.now())
            refs = store.refs[before:]
            text, titles = _MEDIA not in capture, all(shown.title for shown in wanted)
            queued = [said(article, text=text) for _, article in store.outbox.load(refs)]
            assert sorted(each._replace(title=each.title if titles else "") for each in queued) == sorted(
                expected(shown, text=text, titles=titles) for shown in wanted
            ), f"capture {number}"
            if number % 4 < 2:
                await poll(store, url, 600.0)
                assert len(store.refs) == before + len(refs), f"capture {number}: an unchanged one queues nothing"
    return truth


async def poll(store: Bench, url: str, after_s: float) -> None:
    """Poll it once, after so much time."""
    store.pass_time(after_s, url)
    await store.polled(url)


async def assert_told(truth: Truth, store: Bench) -> None:
    """In the end there is one article for each entry, as it was shown last, with all its revisions."""
    articles = store.articles()
    assert len(articles) == len(truth.last)
    assert sum(article.revision - 1 for article in articles) == truth.revisions
    assert len(store.refs) == len(truth.last) + truth.revisions
    assert sorted(said(article, text=True) for article in articles) == sorted(truth.last.values())


@pytest.mark.parametrize("name", ["ft-home", "wsj_world"])
async def test_captures_bring_what_a_plain_reading_tells(
    server: FeedServer, store: Bench, shared: Path, name: str
) -> None:
    """Weeks of a real feed: entries, revisions and repetitions equal to the truth, capture by capture."""
    paths = sorted((shared / "feeds" / name).glob("*.xml"))
    assert len(paths) > 30
    truth = await replay([(float(path.stem), path.read_bytes()) for path in paths], server, store)
    await assert_told(truth, store)
    assert len(truth.last) > 100
    assert truth.revisions > 5
    assert sum(step.repeated for step in truth.steps) > 500


async def test_real_feeds_of_all_kinds_bring_what_a_plain_reading_tells(
    server: FeedServer, store: Bench, shared: Path
) -> None:
    """One capture of each: RSS of all versions, Atom, podcasts, microblogs."""
    paths = sorted((shared / "feeds" / "real-world").glob("*/feed.xml"))
    assert len(paths) > 20
    urls = {server.url(f"/{path.parent.name}"): path.read_bytes() for path in paths}
    for url, capture in urls.items():
        server.routes[url.removeprefix(server.url(""))] = page(capture)
        store.feeds.add(url, "", NOW)
    async with poller(store):
        await store.polled(*urls)
        before = len(store.refs)
        store.pass_time(3600.0, *urls)
        await store.polled(*urls)
        assert len(store.refs) == before, "what has not changed queues nothing"
    for url, capture in urls.items():
        feed = store.feed(url).id
        queued = [article for _, article in store.outbox.load([ref for ref in store.refs if ref.feed == feed])]
        told = dict(named(capture))
        assert len(queued) == len(told), url
        assert sorted(article.url for article in queued) == sorted(shown.link for shown in told.values()), url
        if _MEDIA not in capture:
            texts = sorted(said(article, text=True).text for article in queued)
            assert texts == sorted(shown.text for shown in told.values()), url


@pytest.mark.parametrize("name", written())
async def test_captures_written_here_bring_what_a_plain_reading_tells(
    server: FeedServer, store: Bench, name: str
) -> None:
    """The same promise on feeds of our own: endless rows, edits, entries that come back, guids that all share."""
    captures = written()[name]
    truth = await replay([(NOW + 4 * 3600.0 * n, body) for n, body in enumerate(captures, 1)], server, store)
    await assert_told(truth, store)
    assert truth.last
    assert truth.revisions or name not in ("row", "edits")
