"""The board and the stream of changes over a real store: what is told, to whom, and going on without a gap."""

import http.client
import random
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.conftest import NewServer
from tests.e2e.listening import Client, listening
from tests.e2e.site import RunningSite, article, fill, running_site, site_runtime
from tests.waiting import eventually
from worker.clock import ManualClock
from worker.forgetting import Target, What
from worker.model import Article
from worker.report.board import Filter
from worker.runtime import Runtime
from worker.store import keys

NOW = 1_767_600_000.0
CONSONANTS = "bdfgklmnprstvz"


def text(story: int, report: int = 0) -> str:
    """A report of a story: the texts of one story have the same words in another order, those of two none."""
    chance = random.Random(story)
    words = ["".join(chance.choice(CONSONANTS) + chance.choice("aeiou") for _ in range(4)) for _ in range(60)]
    if report:
        random.Random(report).shuffle(words)
    return " ".join(words)


def told(story: int, report: int = 0, *, outlet: str = "herald", lang: str = "en", at: float = NOW) -> Article:
    """An article of a story."""
    name = f"{outlet}.example.com/{story}-{report}"
    body = text(story, report)
    more = {"lang": lang, "received": at, "source": outlet.title(), "outlet": f"{outlet}.example.com"}
    return article(name, " ".join(body.split()[:6]).title(), body, **more)


@pytest.fixture
def runtime(valkey_url: str) -> Iterator[Runtime]:
    """A store of the test's own, and a clock that stands still."""
    with site_runtime(valkey_url, ManualClock(NOW)) as made:
        yield made


@pytest.fixture
def site(runtime: Runtime) -> Iterator[RunningSite]:
    """Its site."""
    with running_site(runtime) as running:
        yield running


def cursors(runtime: Runtime) -> list[str]:
    """Of every event of a store of one language, in order."""
    return [f"{event.lang}:{event.seq}-{event.part}" for event in runtime.stories.events({}, 10_000)]


def stream(site: RunningSite, query: str = "") -> str:
    return f"{site.url}/api/v1/stream{query}"


@pytest.mark.parametrize("empty", ["", "?lang=&outlet=&outlets=&since=&q=&after="])
def test_what_happens_is_told_to_all_who_listen_and_whom_it_fits(
    runtime: Runtime, site: RunningSite, empty: str
) -> None:
    """An empty parameter is as none."""
    with ExitStack() as closing:
        every, spanish, two, words = (
            closing.enter_context(listening(stream(site, query))).begun_at(site)
            for query in (empty, "?lang=es", "?outlets=2", f"?q={text(1).split()[0]}")
        )
        assert every.answer.getheader("Content-Type") == "text/event-stream; charset=utf-8"
        assert every.answer.getheader("X-Accel-Buffering") == "no"
        fill(runtime, [told(1), told(2, lang="es"), told(1, 1, outlet="post")])
        every.until(3)
        assert sorted(every.stories()) == [("grew", "en-1", 2), ("new", "en-1", 2), ("new", "es-1", 1)]
        assert [heard.data["cursor"] for heard in every.heard] == [heard.id for heard in every.heard]
        spanish.until(1)
        two.until(2)
        words.until(2)
        fill(runtime, [told(2, 1, lang="es", outlet="post")])
        every.until(4)
        assert spanish.until(2)[-1].data["articles"] == 2
        assert spanish.stories() == [("new", "es-1", 1), ("grew", "es-1", 2)]
        assert two.until(3)[-1].data["story"] == "es-1"
        assert {story for _, story, _ in words.stories()} == {"en-1"}
    eventually(lambda: site.live.listening == 0, 5, "who went away is still listened for")


def test_who_was_away_goes_on_where_he_was(runtime: Runtime, site: RunningSite) -> None:
    """From each cursor that was given, by header or in the address, what came after it: of each story the last."""
    with listening(stream(site)) as first:
        first.begun_at(site)
        for n in range(4):
            fill(runtime, [told(n), told(n, 1, outlet="post")])
        ids = [heard.id for heard in first.until(8)]
        assert ids == cursors(runtime)
    for index, cursor in enumerate(ids[:-1]):
        missed = ids[index + 1 :][-1 - (6 - index) // 2 * 2 :: 2]
        with (
            listening(stream(site), {"Last-Event-ID": cursor}) as header,
            listening(stream(site, f"?after={cursor}")) as address,
        ):
            assert [heard.id for heard in header.until(len(missed))] == missed
            assert [heard.id for heard in address.until(len(missed))] == missed
    with listening(stream(site, f"?after=0&q={text(2).split()[1]}")) as filtered:
        assert [(heard.data["event"], heard.data["articles"]) for heard in filtered.until(1)] == [("grew", 2)]


def test_no_more_listen_than_may_though_all_come_back_at_once(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is counted before it is told what it missed; who goes away leaves room for the next."""
    monkeypatch.setattr("worker.web.stream.MOST_LISTENERS", 3)
    fill(runtime, [told(1)])
    with running_site(runtime) as site, ThreadPoolExecutor(12) as pool, ExitStack() as closing:
        clients = list(pool.map(lambda _: Client(stream(site, "?after=0")), range(12)))
        for client in clients:
            closing.callback(client.close)
        refused = [client.answer for client in clients if client.answer.status == 503]
        assert len(refused) == 9
        assert {answer.getheader("Content-Type") for answer in refused} == {"application/problem+json"}
        assert {answer.getheader("Retry-After") for answer in refused} == {"30"}
        assert site.ask("/api/v1/stream", "HEAD").status == 200
        for client in clients:
            client.close()
        eventually(lambda: _listens(site), 5, "there is no room though all are gone")


def test_nobody_takes_all_the_room_there_is(valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One client may have so many, and others still come; who ends one may have another."""
    monkeypatch.setattr("worker.web.stream.MOST_OF_ONE", 2)
    one, other = {"X-Forwarded-For": "192.0.2.1"}, {"X-Forwarded-For": "192.0.2.2"}
    with (
        site_runtime(valkey_url, proxies="1") as opened,
        running_site(opened) as site,
        listening(stream(site), one) as first,
        listening(stream(site), one) as second,
    ):
        assert [first.answer.status, second.answer.status] == [200, 200]
        with listening(stream(site), one) as refused, listening(stream(site), other) as another:
            assert (refused.answer.status, refused.answer.getheader("Retry-After")) == (429, "30")
            assert another.answer.status == 200
        first.close()

        def listens() -> bool:
            with listening(stream(site), one) as again:
                return again.answer.status == 200

        eventually(listens, 5, "there is no room though one is gone")


def _listens(site: RunningSite) -> bool:
    with listening(stream(site)) as client:
        return client.answer.status == 200


def test_one_story_is_followed_alone_into_the_one_that_it_became_part_of(runtime: Runtime, site: RunningSite) -> None:
    """Live, and by who was away."""
    fill(runtime, [told(1), told(2)])
    site.shows(2)
    with listening(stream(site, "?story=en-2")) as client:
        client.begun_at(site)
        begun = client.last
        fill(runtime, [told(1, 1, outlet="post"), told(2, 1, outlet="post"), told(3)])
        client.until(1, "story")
        runtime.editing.merge(["en-1", "en-2"])
        heard = client.until(3)
        fill(runtime, [told(4), told(1, 2, outlet="times")])
        assert [each.event for each in heard] == ["story", "gone", "story"]
        assert heard[1].data == {"story": "en-2", "into": "en-1"}
        client.until(4)
        assert client.stories() == [("grew", "en-2", 2), ("merged", "en-1", 4), ("grew", "en-1", 5)]
    with listening(stream(site, f"?story=en-2&after={begun}")) as late:
        assert {each.data["story"] for each in late.until(2)} == {"en-1", "en-2"}


@pytest.mark.parametrize("query", ["?story=nonsense!", "?after=nonsense!", "?outlets=many", "?nonsense=1", "?sort=new"])
def test_what_the_stream_does_not_take_is_refused_as_the_api_refuses(site: RunningSite, query: str) -> None:
    answer = site.ask(f"/api/v1/stream{query}")
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
    assert query[1:].split("=", maxsplit=1)[0] in answer.json["detail"]


def test_clients_that_come_while_stories_form_hear_every_event_once(runtime: Runtime, site: RunningSite) -> None:
    """They go on from a cursor of long ago, and cross from what is stored to what is live in the middle of commits."""
    fill(runtime, [told(n) for n in range(20)])
    site.shows(20)
    chance = random.Random(5)

    def write() -> None:
        for n in range(20, 50):
            fill(runtime, [told(n)])

    writing = threading.Thread(target=write)
    with ExitStack() as closing:
        writing.start()
        clients = list[tuple[str, Client]]()
        while writing.is_alive():
            cursor = f"en:{chance.randrange(1, 20)}-0"
            clients.append((cursor, closing.enter_context(listening(stream(site), {"Last-Event-ID": cursor}))))
            writing.join(0.02)
        ids = cursors(runtime)
        for cursor, client in clients:
            missing = ids[ids.index(cursor) + 1 :]
            assert [heard.id for heard in client.until(len(missing))] == missing
    assert len(clients) > 3


def test_corrections_are_told_of_both_stories(runtime: Runtime, site: RunningSite) -> None:
    fill(runtime, [told(1), told(1, 1, outlet="post"), told(2)])
    site.shows(2)
    with listening(stream(site)) as client:
        client.begun_at(site)
        runtime.editing.split("en-1", ["post.example.com/1-1"])
        site.shows(3)
        assert client.until(2) and client.stories() == [("shrank", "en-1", 1), ("split", "en-3", 1)]
        runtime.editing.merge(["en-1", "en-2"])
        site.shows(2)
        gone, merged = client.until(4)[2:]
        assert (gone.event, gone.data) == ("gone", {"story": "en-2", "into": "en-1"})
        assert client.stories()[-1] == ("merged", "en-1", 2)
        row = site.live.board.find("en", 2)
        assert row is not None and row.story == "en-1", "its former id leads there"
        split = client.heard[0]
    with listening(stream(site), {"Last-Event-ID": split.id or "en:3-0"}) as again:
        assert [heard.data["story"] for heard in again.until(3)] == ["en-3", "en-2", "en-1"], "each as it is now, once"
        assert again.heard[-1].id == merged.id


def test_who_was_away_is_told_of_stories_that_ended(runtime: Runtime, site: RunningSite) -> None:
    """An expired story and one whose last article was forgotten, which nobody may keep."""
    fill(runtime, [told(1), told(2)])
    site.shows(2)
    cursor = site.ask("/api/v1/stories").headers["storywire-cursor"]
    runtime.forgetting.forget(Target(What.ARTICLE, "herald.example.com/1-0"))
    assert isinstance(runtime.clock, ManualClock)
    runtime.clock.advance(runtime.settings.retention + 60)
    fill(runtime, [told(3)])
    assert runtime.ingest.expire() == 1
    site.shows(1)
    with listening(stream(site), {"Last-Event-ID": cursor}) as client:
        heard = client.until(3)
        ended = [event.data["story"] for event in heard if event.event == "gone"]
        assert ended == ["en-1", "en-2"]
        assert client.stories() == [("new", "en-3", 1)]


@pytest.mark.parametrize("rest", [0, 1])
def test_what_is_forgotten_is_gone_from_the_board_and_told_within_a_second(
    runtime: Runtime, site: RunningSite, rest: int
) -> None:
    """Also where it was the last of its story."""
    fill(runtime, [told(1), *(told(1, n, outlet="post") for n in range(1, rest + 1)), told(2)])
    site.shows(2)
    word = text(1).split()[0]
    with listening(stream(site)) as client:
        client.begun_at(site)
        began = time.monotonic()
        runtime.forgetting.forget(Target(What.ARTICLE, "herald.example.com/1-0"))
        [heard] = client.until(1)
        eventually(lambda: "Herald" not in str([row.sources for row in site.live.board if row.story == "en-1"]), 5)
        assert time.monotonic() - began < 2.5, "a second, on a machine that is busy with other things"
        if rest:
            assert client.stories() == [("shrank", "en-1", 1)]
        else:
            assert (heard.event, heard.data) == ("gone", {"story": "en-1", "into": None})
            assert not site.live.board.select(Filter(words=word), NOW).rows


def test_stories_that_expire_leave_the_board(runtime: Runtime, site: RunningSite) -> None:
    fill(runtime, [told(1), told(2), told(3, lang="es")])
    site.shows(3)
    assert isinstance(runtime.clock, ManualClock)
    with listening(stream(site)) as client:
        client.begun_at(site)
        runtime.clock.advance(40 * 86_400.0)
        fill(runtime, [told(4, at=runtime.clock.now())])
        runtime.ingest.expire()
        site.shows(1)
        client.until(3, "gone")
        assert {heard.data["story"] for heard in client.heard if heard.event == "gone"} == {"en-1", "en-2", "es-1"}


def test_a_cursor_that_cannot_be_gone_on_from_is_answered_with_reset(runtime: Runtime, site: RunningSite) -> None:
    """One of another store, one that is older than what is kept; then all that comes is told."""
    fill(runtime, [told(n) for n in range(6)])
    site.shows(6)
    assert site.ask("/api/v1/stream", "HEAD").status == 200
    runtime.redis.xtrim(keys.events("en"), maxlen=2, approximate=False)
    with ExitStack() as closing:
        beyond, unknown, old, kept = (
            closing.enter_context(listening(stream(site, f"?after={cursor}")))
            for cursor in ("en:900-0", "fr:1-0", "en:2-0", "en:5-0")
        )
        for client in (beyond, unknown, old):
            assert [(heard.event, heard.data) for heard in client.until(1)] == [("reset", {})]
        assert [heard.id for heard in kept.until(1)] == ["en:6-0"]
        fill(runtime, [told(7)])
        for client in (beyond, unknown, old, kept):
            assert [heard.id for heard in client.until(2)][1:] == ["en:7-0"]


@pytest.mark.parametrize("persistent", [True, False])
def test_a_server_that_comes_back_is_read_anew(new_server: NewServer, persistent: bool) -> None:
    """With its stories or empty: the board shows what it has now, and who listens is told to begin anew."""
    server = new_server(persistent=persistent, appendfsync="always")
    with site_runtime(server.url(0), ManualClock(NOW)) as runtime:
        fill(runtime, [told(1), told(2)])
        with running_site(runtime) as site, listening(stream(site)) as client:
            client.begun_at(site)
            server.kill()
            eventually(lambda: site.live.trouble, 10, "nobody noticed that the server is away")
            assert len(site.live.board) == 2, "what was read is shown meanwhile"
            server.start()
            eventually(lambda: not site.live.trouble, 20, lambda: site.live.trouble)
            client.until(1, "reset")
            assert client.ended.wait(10), "who is told to begin anew is let go of"
            site.shows(2 if persistent else 0)
            with listening(stream(site, f"?after={client.last}")) as again:
                fill(runtime, [told(3)])
                assert again.until(1)[-1].data["event"] == "new"
            site.shows(3 if persistent else 1)


def test_streams_end_at_once_when_the_process_is_asked_to_end(runtime: Runtime) -> None:
    with ExitStack() as closing:
        with running_site(runtime) as site:
            clients = [closing.enter_context(listening(stream(site))).begun_at(site) for _ in range(5)]
            began = time.monotonic()
        assert time.monotonic() - began < 4, "requests in hand are waited for up to 8 s: streams are none of them"
        for client in clients:
            assert client.ended.wait(1)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux ends connections that nobody reads")
def test_a_client_that_does_not_read_is_let_go_of(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection holds nothing for longer than was said; others hear everything."""
    monkeypatch.setattr("worker.web.server._UNREAD_MS", 500)
    with running_site(runtime) as site, listening(stream(site)) as other, socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        host, port = runtime.settings.listen.split(":")
        deaf.connect((host, int(port)))
        deaf.sendall(f"GET /api/v1/stream HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        eventually(lambda: site.live.listening == 2, 10, "the two did not begin")
        for start in range(0, 120, 40):
            fill(runtime, [told(n) for n in range(start, start + 40)])
        eventually(lambda: site.live.listening == 1, 15, "who does not read is still listened for")
        assert len(other.until(120)) == 120


def test_an_answer_on_a_kept_connection_does_not_wait_for_the_acknowledgement_of_its_head(site: RunningSite) -> None:
    """Linux acknowledges after 40 ms, which each of these would take."""
    place, took_s = site.url.removeprefix("http://"), list[float]()
    connection = http.client.HTTPConnection(place, timeout=10)
    for _ in range(20):
        began = time.perf_counter()
        connection.request("GET", "/api/v1/stories")
        assert connection.getresponse().read()
        took_s.append(time.perf_counter() - began)
    connection.close()
    assert min(took_s[5:]) < 0.035
