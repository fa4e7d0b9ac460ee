"""A server that still reads its data: who asks once is told, and who works on and on waits for it."""

import pytest
import structlog.testing

from tests.conftest import NewServer
from tests.servers import Server
from tests.waiting import eventually
from worker.config import load
from worker.connect import connect, identify
from worker.embedded.process import Pulse
from worker.errors import ServerUnavailable
from worker.runtime import open_runtime


@pytest.fixture
def slow(new_server: NewServer) -> Server:
    """A server that is reading its file, at three seconds for 3,000 keys, until `key-load-delay` is 0."""
    server = new_server(persistent=True)
    client = connect(server.url(0))
    client.mset({f"key{number}": b"x" * 100 for number in range(3000)})
    client.bgrewriteaof()
    written = server.folder / "appendonlydir" / "appendonly.aof.2.base.rdb"
    eventually(lambda: written.exists() and not client.info()["aof_rewrite_in_progress"], 10, "the file is new")
    client.close()
    server.stop()
    server.options |= {"key-load-delay": "1000", "loading-process-events-interval-bytes": "1024"}
    server.start(Pulse.LOADING)
    return server


def test_a_server_that_is_loading_is_unavailable_and_says_so(slow: Server) -> None:
    client = connect(slow.url(0))
    assert identify(client, client.url).loading
    with pytest.raises(ServerUnavailable, match="is still loading its data: try again in a moment"):
        client.get("a")
    client.close()


def test_a_command_that_answers_at_once_ends_with_the_line(slow: Server) -> None:
    with (
        pytest.raises(ServerUnavailable, match="is still loading its data"),
        open_runtime(load({}, redis_url=slow.url(0))),
    ):
        pass


def test_what_runs_on_and_on_waits_until_it_has_loaded_and_says_so_once(slow: Server) -> None:
    settings = load({}, redis_url=slow.url(0))
    with structlog.testing.capture_logs() as said, open_runtime(settings, carry_over=True) as runtime:
        assert runtime.outbox.depth() == 0
    assert [(line["log_level"], line["event"]) for line in said] == [
        ("warning", "waiting for the server"),
        ("info", "the server has loaded its data"),
    ]
    named = f"the server unix://{slow.socket}"
    assert said[0]["trouble"] == f"{named} is still loading its data (STORYWIRE_REDIS_URL)"


def test_the_queue_s_server_is_waited_for_as_well(slow: Server, valkey_url: str) -> None:
    settings = load({}, redis_url=valkey_url, queue_url=slow.url(0))
    with structlog.testing.capture_logs() as said, open_runtime(settings, carry_over=True) as runtime:
        assert runtime.jobs.depth() == 0
    assert "STORYWIRE_QUEUE_URL" in said[0]["trouble"]
