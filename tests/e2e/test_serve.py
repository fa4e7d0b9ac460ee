"""`storywire serve` as a process: pushes become stories, a kill in the middle loses none, what is bad is answered."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from typing import Any

import pytest

from tests.command import here, one_line, start_storywire, storywire
from tests.e2e.feed_server import FeedServer, page
from tests.e2e.hub import Form, Hub
from tests.e2e.polling import rss
from tests.servers import free_port
from tests.waiting import eventually
from worker.config import load
from worker.errors import BadSetting
from worker.runtime import Runtime, open_runtime

TEXT = "The harbour bridge of Port Vell was closed on Monday after engineers found cracks in pillar number"


@pytest.fixture
def site() -> Iterator[FeedServer]:
    with FeedServer() as server:
        yield server


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as running:
        yield running


@pytest.fixture
def place() -> str:
    """Where the web process of a test listens."""
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def runtime(valkey_url: str) -> Iterator[Runtime]:
    with open_runtime(load({"STORYWIRE_REDIS_URL": valkey_url})) as opened:
        yield opened


@contextmanager
def running(*commands: str, **settings: object) -> Iterator[list["subprocess.Popen[str]"]]:
    """These commands as processes; killed in the end, their output read all along."""
    processes = [start_storywire(command, **settings) for command in commands]
    readers = [
        (stream, threading.Thread(target=stream.read, daemon=True))
        for process in processes
        for stream in (process.stdout, process.stderr)
        if stream is not None
    ]
    for _, reader in readers:
        reader.start()
    try:
        yield processes
    finally:
        for process in processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        for stream, reader in readers:
            reader.join(10)
            stream.close()


def answers(place: str) -> bool:
    """Whether a web process listens there, and is well."""
    try:
        return get(place, "/healthz")[0] == 200
    except OSError:
        return False


def get(place: str, path: str, method: str = "GET", body: bytes | None = None) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an answer."""
    connection = HTTPConnection(place, timeout=10)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    finally:
        connection.close()


def document(site: FeedServer, hub: Hub, path: str, *guids: str) -> str:
    """A feed of these entries that names its hub."""
    atom = 'xmlns="http://www.w3.org/2005/Atom"'
    links = f'<link {atom} rel="hub" href="{hub.url}"/><link {atom} rel="self" href="{site.url(path)}"/>'
    body = rss(*((guid, f"Report {guid}", f"{TEXT} {guid}.") for guid in guids))
    return body.replace("<channel>", f"<channel>{links}")


def forms(hub: Hub, count: int) -> dict[str, Form]:
    """What a hub was asked for, by topic, once it has confirmed so many."""
    eventually(lambda: hub.confirmations.count(200) >= count, 30, lambda: f"asked: {hub.asked} {hub.confirmations}")
    return {form["hub.topic"]: form for form in hub.of("subscribe")}


def test_a_push_becomes_a_story(valkey_url: str, site: FeedServer, hub: Hub, place: str, runtime: Runtime) -> None:
    """Three real processes: subscribed, confirmed, pushed, in the report; and the web process ends when asked to."""
    site.routes["/feed"] = page(document(site, hub, "/feed"))
    runtime.feeds.add(site.url("/feed"), "", time.time())
    settings = {"redis_url": valkey_url, "listen": place, "public_url": f"http://{place}"}
    with running("poll", "work", **settings):
        eventually(lambda: runtime.feeds.all()[0].polls.hub, 30, "the feed was not polled")
        with running("serve", **settings) as [serve]:
            form = forms(hub, 1)[site.url("/feed")]
            assert hub.push(form, document(site, hub, "/feed", "seven")) == 202

            def reported() -> list[Any]:
                done = here("report", "--json", redis_url=valkey_url)
                return [json.loads(line) for line in done.stdout.splitlines()]

            [story] = eventually(reported, 30, "no story")
            assert story["headline"] == "Report seven"
            began = time.monotonic()
            serve.send_signal(signal.SIGTERM)
            assert serve.wait(10) == 0
            assert time.monotonic() - began < 10
    assert len(site.asked("/feed")) == 1


def test_a_kill_in_the_middle_of_pushes_loses_none(
    valkey_url: str, site: FeedServer, hub: Hub, place: str, runtime: Runtime
) -> None:
    """Twenty feeds are pushed three times each while the web process is killed, twice: hubs push again, and each
    article is published exactly once."""
    paths = [f"/feed{number}" for number in range(20)]
    for path in paths:
        site.routes[path] = page(document(site, hub, path))
        runtime.feeds.add(site.url(path), "", time.time())
    settings = {"redis_url": valkey_url, "listen": place, "public_url": f"http://{place}"}
    with ExitStack() as closing:
        closing.enter_context(running("poll", **settings))
        eventually(lambda: all(feed.polls.hub for feed in runtime.feeds.all()), 30, "not polled")
        [serve] = closing.enter_context(running("serve", **settings))
        asked = forms(hub, len(paths))
        statuses: list[int] = []

        def push() -> None:
            pushes = [(path, f"{path[1:]}x{number}") for number in range(3) for path in paths]
            every = [(asked[site.url(path)], document(site, hub, path, guid)) for path, guid in pushes]
            for start in range(0, len(every), 10):
                statuses.extend(hub.push_all(every[start : start + 10], tries=400))

        pushing = threading.Thread(target=push)
        pushing.start()
        for done in (10, 30):
            eventually(lambda done=done: len(statuses) >= done, 30, "not pushed")  # type: ignore[misc]
            serve.kill()
            serve.wait(10)
            [serve] = closing.enter_context(running("serve", **settings))
        pushing.join(60)
        assert statuses == [202] * 60
        for path in paths:
            guids = [f"{path[1:]}x{number}" for number in range(3)]
            site.routes[path] = page(document(site, hub, path, *guids))
        eventually(lambda: len(titles(runtime)) >= 60, 30, lambda: f"{len(titles(runtime))} published")
    assert sorted(titles(runtime)) == sorted(f"Report {path[1:]}x{number}" for path in paths for number in range(3))


def titles(runtime: Runtime) -> list[str]:
    """Of all articles that wait to be clustered: nobody clusters here."""
    refs = [ref for ref, _ in runtime.outbox.everything()]
    return [article.title for _, article in runtime.outbox.load(refs)]


def test_what_is_answered_to_anybody(valkey_url: str, place: str) -> None:
    """Nothing of the server, nothing of what there is; a body too big and a head too slow are ended."""
    with running("serve", redis_url=valkey_url, listen=place, public_url=f"http://{place}/wire"):
        eventually(lambda: answers(place), 30, "does not listen")
        assert get(place, "/wire/healthz")[0] == 200
        for path in (
            "/nothing",
            "/websub",
            "/websub/f",
            "/websub/f/t",
            "/wire/websub/f/t",
            "/websub/f/t?hub.mode=subscribe",
        ):
            status, headers, _ = get(place, path)
            assert (status, "server" in headers) == (404, False), path
        assert get(place, "/websub/f/t", "POST", b"<rss/>")[0] == 410
        assert get(place, "/websub/f/t", "DELETE")[0] == 405
        assert get(place, "/websub/%00/%ff", "POST", b"")[0] == 410
        host, port = place.split(":")
        with socket.create_connection((host, int(port)), timeout=20) as slow:
            slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
            assert slow.recv(1000) == b"", "a head that does not end is not waited for"


def test_a_place_that_is_taken_is_told_in_a_line(valkey_url: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        done = storywire("serve", "--listen", place, redis_url=valkey_url)
    assert done.returncode == 1
    assert one_line(done.stderr) == (f"STORYWIRE_LISTEN={place}: address already in use: give another address or port")


def test_settings_that_cannot_be_are_refused() -> None:
    for name, value, said in (
        ("PUBLIC_URL", "news.example.org", "write the address under which others reach this machine"),
        ("PUBLIC_URL", "https://user:pass@news.example.org", "write the address under which"),
        ("LISTEN", "8080", "write an IP address and a port"),
        ("LISTEN", "127.0.0.1:99999", "write an IP address and a port"),
    ):
        with pytest.raises(BadSetting, match=said):
            load({f"STORYWIRE_{name}": value})
