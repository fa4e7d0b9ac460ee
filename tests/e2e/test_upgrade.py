"""An upgrade as an operator does it: real processes of this version on what the previous one left."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.command import one_line, storywire
from tests.e2e.feed_server import FeedServer, page
from tests.e2e.polling import rss
from tests.store.recording import LEDGER, PILOT, restore
from tests.users import as_user
from worker import tasks
from worker.config import load
from worker.connect import connect
from worker.errors import Permanent
from worker.feed.address import feed_id
from worker.runtime import open_runtime
from worker.store import keys, schema
from worker.store.feeds import Feeds
from worker.store.keys import naming

OLD = 2
KEPT = "36500d"
"""The recorded stories are old: they are not to end while the test looks."""


@pytest.fixture
def server(valkey_url: str) -> Iterator[Any]:
    client = connect(valkey_url)
    yield client
    client.close()


@pytest.fixture
def old_store(server: Any) -> Any:
    """A store of the previous version whose feeds are not due."""
    restore(server, Path(__file__).parents[1] / "store" / "schema_2.jsonl")
    later = time.time() + 3600
    server.zadd(f"sw:{OLD}:schedule", {feed_id(LEDGER): later, feed_id(PILOT): later})
    return server


def test_new_processes_take_over_what_the_previous_version_left(
    old_store: Any, valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The poller carries the store over and polls a feed of before; the worker clusters what waited and what came."""
    with FeedServer() as site:
        site.routes["/feed"] = page(rss(("a", "Dam breaks above the valley", "Two villages were cleared on Sunday.")))
        url = f"http://{site.host}:{site.port}/feed"
        with monkeypatch.context() as patched:
            patched.setattr(naming, "SCHEMA", OLD)
            feed, _ = Feeds(old_store).add(url, "Local", time.time())
        polled = storywire("poll", "--once", redis_url=as_user(valkey_url, "up"), retention=KEPT, log_format="json")
        assert polled.returncode == 0, polled.stderr
        assert '"event": "store carried over"' in polled.stderr
    worked = storywire("work", "--burst", redis_url=valkey_url, retention=KEPT, log_format="json")
    assert worked.returncode == 0, worked.stderr
    assert '"event": "store carried over"' not in worked.stderr
    with open_runtime(load({"STORYWIRE_REDIS_URL": valkey_url})) as runtime:
        assert runtime.outbox.depth() == 0
        assert runtime.stories.counts() == {"articles": 8, "stories": 5}
        assert {each.id for each in runtime.feeds.all()} == {feed, feed_id(LEDGER), feed_id(PILOT)}
    listed = storywire("feeds", "list", redis_url=valkey_url)
    assert "The Ledger" in listed.stdout and "Local" in listed.stdout


def test_a_poller_whose_user_may_not_carry_it_over_says_who_may(old_store: Any, valkey_url: str) -> None:
    """As deploy/redis/users.acl has it: the worker that is started next does."""
    said = one_line(storywire("poll", "--once", redis_url=valkey_url, retention=KEPT).stderr)
    assert "is of schema 2" in said and "start `storywire work` of this version first" in said
    worked = storywire("work", "--burst", redis_url=valkey_url, retention=KEPT, log_format="json")
    assert worked.returncode == 0, worked.stderr
    assert '"event": "store carried over"' in worked.stderr
    with open_runtime(load({"STORYWIRE_REDIS_URL": valkey_url})) as runtime:
        assert runtime.stories.counts() == {"articles": 7, "stories": 4}
        assert {each.id for each in runtime.feeds.all()} == {feed_id(LEDGER), feed_id(PILOT)}


def test_a_command_that_only_looks_says_what_to_start(old_store: Any, valkey_url: str) -> None:
    for command in (["report"], ["feeds", "list"]):
        looked = storywire(*command, redis_url=valkey_url)
        assert looked.returncode == 1
        assert "is of schema 2" in one_line(looked.stderr) and "start `storywire up`" in looked.stderr
    assert not old_store.exists(keys.schema())


@pytest.mark.parametrize("command", [["work", "--burst"], ["poll", "--once"], ["report"]], ids=lambda words: words[0])
def test_an_older_program_stops_with_one_clear_line(server: Any, valkey_url: str, command: list[str]) -> None:
    server.set(keys.schema(), schema.OURS + 1)
    stopped = storywire(*command, redis_url=valkey_url)
    assert (stopped.returncode, stopped.stdout) == (1, "")
    said = one_line(stopped.stderr)
    assert f"is of schema {schema.OURS + 1}" in said and "install the newer version" in said
    assert server.dbsize() == 1, "it wrote something"


def test_a_worker_that_runs_stops_when_a_newer_version_takes_over(server: Any, valkey_url: str) -> None:
    with open_runtime(load({"STORYWIRE_REDIS_URL": valkey_url})) as runtime:
        server.set(keys.schema(), schema.OURS + 1)
        with pytest.raises(Permanent, match="install the newer version"):
            tasks.work(runtime, burst=True)
        assert runtime.jobs.listening() == set(), "it left without saying so"
