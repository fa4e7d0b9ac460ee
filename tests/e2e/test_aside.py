"""While requests take all the threads that they have, the stories are followed and listed as ever."""

import threading
from collections.abc import Iterator

import pytest

from tests.e2e.site import article, fill, running_site, site_runtime
from tests.waiting import eventually
from worker.runtime import Runtime
from worker.store.feeds import Feed, Feeds
from worker.web.api import answers

_ASKING = 12


@pytest.fixture
def runtime(valkey_url: str) -> Iterator[Runtime]:
    with site_runtime(valkey_url) as made:
        yield made


def test_a_new_story_is_shown_while_every_thread_for_requests_is_taken(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, go_on = threading.Semaphore(0), threading.Event()

    def slow(_feeds: Feeds, name: str) -> Feed | None:
        reading.release()
        assert go_on.wait(30), "nobody let the readers go on"
        return None

    monkeypatch.setattr(Feeds, "get", slow)
    answers: list[int] = []
    with running_site(runtime) as site:
        asking = [
            threading.Thread(target=lambda: answers.append(site.ask("/feeds/0123456789ab").status), daemon=True)
            for _ in range(_ASKING)
        ]
        try:
            for thread in asking:
                thread.start()
            for _ in range(4):
                assert reading.acquire(timeout=10), "four read a feed at once"
            fill(
                runtime, [article("herald/1", "Bridge closed", "The harbour bridge is closed: its pillar has cracks.")]
            )
            site.shows(1)
            assert "Bridge closed" in site.ask("/").text
            assert len(site.ask("/api/v1/stories?q=bridge").json["stories"]) == 1
            eventually(runtime.webs.alive, 10, "no sign of life")
        finally:
            go_on.set()
            for thread in asking:
                thread.join(20)
    assert answers == [404] * _ASKING


def test_what_may_be_large_is_written_beside_the_loop(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    encode, threads = answers._encode, list[str]()

    def noted(record: object) -> bytes:
        threads.append(threading.current_thread().name)
        return encode(record)

    monkeypatch.setattr(answers, "_encode", noted)
    fill(runtime, [article("herald/1", "Bridge closed", "The harbour bridge is closed: its pillar has cracks.")])
    with running_site(runtime) as site:
        assert site.ask("/api/v1/stories/en-1").json["story"] == "en-1"
        assert site.ask("/api/v1/feeds").json["feeds"] == []
    assert [name.partition("_")[0] for name in threads] == ["requests", "requests"]
