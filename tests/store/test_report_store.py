"""Listings and followers on a real server, filled through the real ingest."""

from collections.abc import Iterator, Sequence

import pytest

from tests.conftest import NewServer
from tests.unit.report_articles import BRIDGE, BRIDGE_COPY, BRIDGE_REWRITE, NOW, ORCHARD, article
from worker import config
from worker.clock import ManualClock
from worker.errors import BadInput, Transient
from worker.model import Article, Relation
from worker.report import following
from worker.report.comparison import compare, stored
from worker.report.following import Change, Follower, change_record, parse_cursor
from worker.report.listing import Query, listing, whole_store
from worker.runtime import Runtime, open_runtime

ANY = Query(members=True)


@pytest.fixture
def runtime(redis_url: str) -> Iterator[Runtime]:
    """A store that nobody else uses, at a time that stands still."""
    settings = config.load({}, redis_url=redis_url)
    with open_runtime(settings, ManualClock(NOW)) as opened:
        yield opened


def ingest(runtime: Runtime, *articles: Article) -> None:
    refs = runtime.outbox.publish("made", articles, {}, NOW)
    runtime.ingest.run(refs)


def changes(follower: Follower, query: Query = ANY) -> list[Change]:
    return list(follower.each(follower.read(), query, NOW))


def bridge(minutes_ago: Sequence[float] = (30, 20, 10)) -> list[Article]:
    texts = (
        ("b1", BRIDGE, "Harbour Post"),
        ("b2", BRIDGE_COPY, "The Courier"),
        ("b3", BRIDGE_REWRITE, "Daily Lantern"),
    )
    return [
        article(name, text, source, NOW - 60 * ago)
        for (name, text, source), ago in zip(texts, minutes_ago, strict=True)
    ]


def test_a_listing_shows_who_was_first_and_who_repeats_whom(runtime: Runtime) -> None:
    ingest(runtime, *bridge(), article("o1", ORCHARD, "Valley News", NOW - 300))
    found = listing(runtime.stories, ANY, NOW)
    assert (found.stories, found.articles, found.outlets, found.stored) == (2, 4, 4, 2)
    story = found.views[0]
    assert (story.articles, story.outlets, story.copies, story.rewrites, story.reports) == (3, 3, 1, 1, 0)
    assert story.members is not None
    assert [(m.id, m.relation, m.of) for m in story.members] == [
        ("b1", Relation.FIRST, None),
        ("b2", Relation.COPY, "b1"),
        ("b3", Relation.REWRITE, "b1"),
    ]
    assert sum(story.growth) == 3
    assert (story.first, story.last) == (NOW - 1800, NOW - 600)


def test_the_query_narrows_by_span_outlets_language_and_limit(runtime: Runtime) -> None:
    ingest(runtime, *bridge(), article("o1", ORCHARD, "Valley News", NOW - 7200))
    stories = runtime.stories

    def count(**asked: object) -> int:
        return listing(stories, Query(**asked), NOW).stories  # type: ignore[arg-type]

    assert count() == 2
    assert count(since_s=3600.0) == 1
    assert count(since_s=599.0) == 0
    assert count(since_s=600.0) == 1
    assert count(min_outlets=2) == 1
    assert count(lang="en") == 2
    assert count(lang="es") == 0
    limited = listing(stories, Query(limit=1), NOW)
    assert (len(limited.views), limited.stories, limited.hidden) == (1, 2, 1)


def test_a_whole_store_is_shown_whatever_its_dates_and_hottest_as_of_its_newest_article(redis_url: str) -> None:
    years_ago = NOW - 9 * 365 * 86_400
    with open_runtime(config.load({}, redis_url=redis_url, retention="3650d"), ManualClock(NOW)) as runtime:
        ingest(
            runtime, article("o1", ORCHARD, "Valley News", years_ago), article("b1", BRIDGE, "Post", years_ago - 3600)
        )
        assert not listing(runtime.stories, Query(since_s=86_400.0), NOW).views
        views = whole_store(runtime.stories, Query(since_s=86_400.0)).views
    assert [view.first for view in views] == [years_ago, years_ago - 3600]
    assert views[0].quiet_s == 0.0
    assert views[0].heat == pytest.approx(1.0)


def test_an_empty_store_is_an_empty_listing_and_nothing_to_follow(runtime: Runtime) -> None:
    for found in (listing(runtime.stories, ANY, NOW), whole_store(runtime.stories, ANY)):
        assert (found.views, found.stories, found.stored, found.newest) == ((), 0, 0, None)
    assert Follower(runtime.stories).read() == []


def test_a_follower_sees_what_comes_after_it_began_and_nothing_before(runtime: Runtime) -> None:
    first, *others = bridge()
    ingest(runtime, first)
    follower = Follower(runtime.stories)
    assert changes(follower) == []
    ingest(runtime, *others, article("o1", ORCHARD, "Valley News", NOW))
    seen = changes(follower)
    assert [change.kind for change in seen] == ["grew", "grew", "new"]
    assert changes(follower) == []


def test_following_on_from_a_cursor_loses_and_repeats_nothing(runtime: Runtime) -> None:
    ingest(runtime, *bridge(), article("e1", "La lluvia inunda el puerto " * 12, "El Faro", NOW, lang="es"))
    everything = changes(Follower(runtime.stories, {}))
    assert len(everything) == 4
    for cut, change in enumerate(everything, 1):
        rest = changes(Follower(runtime.stories, parse_cursor(change.cursor)))
        assert [c.cursor for c in rest] == [c.cursor for c in everything[cut:]]


def test_a_language_that_begins_after_the_cursor_is_followed_from_its_first_event(runtime: Runtime) -> None:
    ingest(runtime, *bridge())
    follower = Follower(runtime.stories)
    ingest(runtime, article("e1", "La lluvia inunda el puerto " * 12, "El Faro", NOW, lang="es"))
    (change,) = changes(follower)
    assert (change.kind, change.view.lang) == ("new", "es")


def test_what_came_at_once_is_summed_up_story_by_story(runtime: Runtime) -> None:
    follower = Follower(runtime.stories)
    ingest(runtime, *bridge(), article("o1", ORCHARD, "Valley News", NOW))
    told, other = follower.summary(follower.read(), Query(), NOW)
    assert (told.kind, [m.id for m in told.newcomers]) == ("new", ["b1", "b2", "b3"])
    assert told.repeated == {"b1": "", "b2": "Harbour Post", "b3": "Harbour Post"}
    assert (other.kind, other.view.articles, other.backfill) == ("new", 1, False)


def test_events_of_a_first_fetch_are_backfill(runtime: Runtime) -> None:
    follower = Follower(runtime.stories)
    ingest(runtime, article("o1", ORCHARD, "Valley News", NOW, backfill=True))
    (change,) = follower.summary(follower.read(), Query(), NOW)
    assert change.backfill


def test_an_event_as_a_record_has_the_event_the_cursor_and_the_story(runtime: Runtime) -> None:
    follower = Follower(runtime.stories)
    ingest(runtime, *bridge())
    record = change_record(changes(follower, Query())[0])
    assert list(record)[:5] == ["event", "cursor", "story", "headline", "lang"]
    assert (record["event"], record["cursor"], record["articles"]) == ("new", "en:1-0", 3)


def test_an_event_of_a_story_that_has_ended_is_left_out(runtime: Runtime) -> None:
    follower = Follower(runtime.stories)
    ingest(runtime, *bridge())
    assert isinstance(runtime.clock, ManualClock)
    runtime.clock.advance(8 * 86_400)
    runtime.ingest.expire()
    read = follower.read()
    assert read
    assert list(follower.each(read, ANY, NOW)) == []
    assert list(follower.summary(read, ANY, NOW)) == []


def test_two_articles_of_the_store_are_compared_as_the_store_has_them(runtime: Runtime) -> None:
    ingest(runtime, *bridge(), article("o1", ORCHARD, "Valley News", NOW))
    result = compare(stored(runtime.stories, "b3"), stored(runtime.stories, "b1"))
    assert (result.earlier.id, result.later.id) == ("b1", "b3")
    assert result.one_story is True
    assert result.repeats == ("later", Relation.REWRITE)
    apart = compare(stored(runtime.stories, "b1"), stored(runtime.stories, "o1"))
    assert apart.one_story is False
    assert apart.score < apart.threshold


def test_an_unknown_article_is_named_in_one_line(runtime: Runtime) -> None:
    with pytest.raises(BadInput, match="'nobody' is no article of the store") as raised:
        stored(runtime.stories, "nobody")
    assert "\n" not in str(raised.value)


def test_a_follower_waits_for_a_server_that_went_away(new_server: NewServer) -> None:
    server = new_server("valkey", persistent=True)
    with open_runtime(config.load({}, redis_url=server.url()), ManualClock(NOW)) as runtime:
        follower = Follower(runtime.stories)
        told: list[str] = []

        def bring_back(error: Transient) -> None:
            told.append(str(error))
            server.start()
            ingest(runtime, *bridge())

        server.kill()
        read = next(follower.stream(bring_back))
    assert len(told) == 1
    assert [event.kind for event, _ in read] == ["new", "grew", "grew"]


def test_a_follower_gives_up_on_a_server_that_stays_away(
    new_server: NewServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "PATIENCE_S", 0.2)
    server = new_server("valkey")
    with open_runtime(config.load({}, redis_url=server.url()), ManualClock(NOW)) as runtime:
        follower = Follower(runtime.stories)
        told: list[Transient] = []
        server.kill()
        with pytest.raises(Transient):
            next(follower.stream(told.append))
    assert len(told) == 1
