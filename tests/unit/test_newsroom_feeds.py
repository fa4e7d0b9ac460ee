"""The newsroom's feeds as a feed reader sees them, and what is on show as time runs past."""

import io

import feedparser
import pytest

from worker.demo import feeds
from worker.demo.newsroom import Published
from worker.demo.outlets import OUTLETS, Outlet
from worker.demo.press import FIRST_BREAK_S, Press, Timetable
from worker.feed.opml import read_opml
from worker.model import Relation

NOW_S = 1_767_600_000.0
HOSTILE = "<script>alert(1)</script> & ]]> \"quoted\" 'too' <b>"


def article(outlet: Outlet, number: int, title: str = "A title", text: str = "Some text.") -> Published:
    return Published(
        id=f"{outlet.id}-{number}", outlet=outlet.id, title=title, paragraphs=(text, "More & more."),
        url=f"http://127.0.0.1/{outlet.id}/{outlet.id}-{number}?a=1&b=2", guid=f"tag:{outlet.id},{number}",
        lang=outlet.lang, published=NOW_S + number, updated=NOW_S + number, story="s", relation=Relation.FIRST,
    )  # fmt: skip


@pytest.mark.parametrize("outlet", OUTLETS, ids=lambda outlet: outlet.id)
def test_a_reader_gets_every_entry_whole_whatever_its_characters(outlet: Outlet) -> None:
    shown = [article(outlet, number, HOSTILE, HOSTILE) for number in (3, 2, 1)]
    body = feeds.feed(outlet, "http://127.0.0.1", shown, lambda time_s: time_s - 60)
    parsed = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
    assert not parsed.bozo, parsed.get("bozo_exception")
    assert parsed.feed.title == outlet.name
    assert [entry.link for entry in parsed.entries] == [a.url for a in shown]
    for entry, made in zip(parsed.entries, shown, strict=True):
        assert entry.title in (HOSTILE, HOSTILE.replace("<", "&lt;").replace(">", "&gt;"))
        content = entry.content[0].value if "content" in entry else entry.summary
        assert content.replace("]]&gt;", "]]>") == made.html.replace("]]&gt;", "]]>")
        assert "published_parsed" in entry or "updated_parsed" in entry


def test_the_opml_names_every_outlet() -> None:
    outlines, refused = read_opml(feeds.opml(OUTLETS, "http://127.0.0.1:8000").encode(), "feeds.opml")
    assert not refused
    assert [outline.title for outline in outlines] == [outlet.name for outlet in OUTLETS]


def test_a_page_shows_text_as_text() -> None:
    page = feeds.page(OUTLETS[0], article(OUTLETS[0], 1, HOSTILE, HOSTILE))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_simulated_time_runs_fast_from_the_start_and_history_keeps_its_dates() -> None:
    time = Timetable(start_s=1000, scale=60)
    assert time.simulated(1010) == 1600
    assert time.simulated(900) == 900
    for real_s in (500, 1000, 1000.5, 4000):
        assert time.real(time.simulated(real_s)) == pytest.approx(real_s)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("scale", [30.0, 60.0, 240.0])
def test_whoever_watches_finds_history_and_soon_a_breaking_story_that_grows(seed: int, scale: float) -> None:
    press = Press(seed, start_s=NOW_S, scale=scale, site="http://127.0.0.1")
    press.advance(NOW_S)
    for shelf in press.shelves.values():
        assert len(shelf.newest) >= 5, f"{shelf.outlet.id} has no history"
        assert all(press.time.real(a.published) <= NOW_S for a in shelf.newest)
    press.advance(NOW_S + 10)
    due_s = NOW_S + FIRST_BREAK_S
    firsts = [a for a in _on_show(press) if a.relation is Relation.FIRST]
    begun = [a for a in firsts if press.time.real(a.published) == pytest.approx(due_s, abs=0.001)]
    assert len(begun) == 1
    sizes = []
    for seconds in (10, 60):
        press.advance(NOW_S + seconds)
        sizes.append(sum(a.story == begun[0].story for a in _on_show(press)))
    assert 1 <= sizes[0] < sizes[1]
    assert sizes[1] >= 10


def test_a_feed_shows_the_newest_first_and_each_article_once() -> None:
    press = Press(1, start_s=NOW_S, scale=60.0, site="http://127.0.0.1")
    press.advance(NOW_S + 120)
    for shelf in press.shelves.values():
        shown = shelf.newest
        assert len(shown) <= 25
        assert [a.published for a in shown] == sorted((a.published for a in shown), reverse=True)
        assert len({a.id for a in shown}) == len(shown)


def _on_show(press: Press) -> list[Published]:
    return [article for shelf in press.shelves.values() for article in shelf.articles.values()]
