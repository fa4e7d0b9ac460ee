"""The board follows the store: whatever happens while it is read and followed, it ends as one read afterwards."""

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.e2e.site import fill, site_runtime
from tests.e2e.test_stream import NOW, told
from worker.clock import ManualClock
from worker.errors import ServerUnavailable, StorywireError
from worker.forgetting import Target, What
from worker.model import uid
from worker.report.board import Filter, Row
from worker.runtime import Runtime
from worker.store import keys
from worker.web.live import Live


@pytest.fixture
def runtime(valkey_url: str) -> Iterator[Runtime]:
    with site_runtime(valkey_url, ManualClock(NOW)) as made:
        yield made


class Meddling:
    """Runs what is asked for aside, and before some of it something that changes the store."""

    def __init__(self, runtime: Runtime, chance: random.Random, most: int) -> None:
        self._runtime, self._chance, self.left = runtime, chance, most
        self._number = 100

    async def __call__(self, call: Callable[..., Any], *args: Any) -> Any:
        if self.left and self._chance.random() < 0.7:
            self.left -= 1
            self._change()
        return call(*args)

    def _change(self) -> None:
        runtime, chance = self._runtime, self._chance
        stories = [story for story in runtime.stories.recent("en", 0, 1_000) if story.articles]
        names = [f"en-{story.number}" for story in stories if story.number < 10]  # one digit, written as it is
        self._number += 1
        match chance.choice(("new", "grow", "merge", "split", "forget")):
            case "merge" if len(names) > 2:
                runtime.editing.merge(chance.sample(names, 2))
            case "split" if names:
                self._split(chance.choice(names))
            case "forget" if stories:
                number = chance.choice(stories).number
                member = chance.choice(runtime.stories.members("en", number))
                runtime.forgetting.forget(Target(What.ARTICLE, member.id))
            case "grow":
                fill(runtime, [told(chance.randrange(12), self._number, outlet="post")])
            case _:
                fill(runtime, [told(self._number)])

    def _split(self, story: str) -> None:
        number = int(story.removeprefix("en-"))
        members = self._runtime.stories.members("en", number)
        with suppress(StorywireError):  # nothing would be left of it
            self._runtime.editing.split(story, [members[-1].id])


async def _followed(live: Live, until: Callable[[], bool]) -> list[Any]:
    """What is told until then."""
    running = asyncio.create_task(live.run())
    heard = list[Any]()
    with live.listen() as listener:
        try:
            async with asyncio.timeout(30):
                await live.ready.wait()
                while not until():
                    heard += await listener.read(0.01)
        finally:
            running.cancel()
    return heard


def _rows(live: Live) -> dict[str, Row]:
    return {row.story: row for row in live.board}


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_meanwhile_the_board_is_what_the_store_says(runtime: Runtime, seed: int) -> None:
    """New stories, growth, merges, splits and forgotten articles between any two readings of the store."""
    fill(runtime, [article for n in range(12) for article in (told(n), told(n, 1, outlet="post"))])
    meddling = Meddling(runtime, random.Random(seed), 30)
    live = Live(runtime.stories, meddling, look_s=0.001, clock=runtime.clock.now)

    async def direct(call: Callable[..., Any], *args: Any) -> Any:
        return call(*args)

    async def run() -> None:
        def settled() -> bool:
            stored = runtime.stories.extents()["en"]
            return not meddling.left and live.position["en"] == stored.last and len(live.board) == stored.stories

        heard = await _followed(live, settled)
        shown: dict[str, Row | None] = {}
        for changed in heard:
            shown[changed.story] = changed.row
        assert {name for name, row in shown.items() if row is None}.isdisjoint(_rows(live)), "told to be gone"
        fresh = Live(runtime.stories, direct, clock=runtime.clock.now)
        await _followed(fresh, lambda: True)
        assert _rows(live) == _rows(fresh)
        assert not live.trouble

    asyncio.run(run())


def test_a_server_that_goes_away_in_the_middle_is_waited_for(runtime: Runtime) -> None:
    """Any reading may fail: nothing is lost, nothing told twice, and why it is late is said meanwhile."""
    fill(runtime, [told(n) for n in range(8)])
    chance, said = random.Random(2), set[str]()
    failing, came = [30], [0]

    async def shaky(call: Callable[..., Any], *args: Any) -> Any:
        said.add(live.trouble)
        if failing[0] and chance.random() < 0.5:
            failing[0] -= 1
            raise ServerUnavailable("the server is away: start it")
        if live.ready.is_set() and came[0] < 10:
            came[0] += 1
            fill(runtime, [told(100 + came[0])])
        return call(*args)

    live = Live(runtime.stories, shaky, look_s=0.001, clock=runtime.clock.now)

    async def run() -> None:
        heard = await _followed(live, lambda: not failing[0] and len(live.board) == 18 and not live.trouble)
        assert [changed.cursor for changed in heard] == [f"en:{seq}-0" for seq in range(9, 19)]
        assert "the server is away: start it" in said

    asyncio.run(run())


def test_a_fault_of_ours_is_seen_and_survived(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that cannot be read: the page goes on, says so, and reads all anew."""
    fill(runtime, [told(1)])
    monkeypatch.setattr("worker.web.live._FAULT_S", 0.001)
    faults = [2]

    async def faulty(call: Callable[..., Any], *args: Any) -> Any:
        if faults[0] and call.__name__ == "_rows":
            faults[0] -= 1
            raise ValueError("a record that nobody understands")
        return call(*args)

    live = Live(runtime.stories, faulty, look_s=0.001, clock=runtime.clock.now)
    asyncio.run(_followed(live, lambda: not live.trouble))
    assert live.board.select(Filter(), NOW).stories == 1


def test_a_story_that_cannot_be_read_is_left_out_and_all_others_are_shown(runtime: Runtime) -> None:
    """Also where it is read for the first time, and where it is one of those that grew."""
    fill(runtime, [told(n) for n in range(1, 6)])
    runtime.redis.set(keys.article("en", uid("herald.example.com/2-0")), b"\xc1broken")
    runtime.redis.set(keys.story("en", 3), b"\xc1broken")

    async def run() -> None:
        live = Live(runtime.stories, asyncio.to_thread, look_s=0.01)

        def grown() -> bool:
            if live.board.count("en") == 3:
                fill(runtime, [told(9)])
            return live.board.count("en") > 3

        await _followed(live, grown)
        assert live.board.numbers("en") == {1, 4, 5, 6}
        assert live.ready.is_set() and not live.trouble

    asyncio.run(run())


def test_a_story_that_can_be_read_again_is_not_looked_for_any_more(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it is shown, the store and the board have as many, and all their numbers are not compared again."""
    monkeypatch.setattr("worker.web.live._COMPARE_S", 0.0)
    fill(runtime, [told(n) for n in range(1, 4)])
    key, broken = keys.story("en", 2), b"\xc1broken"
    record = runtime.redis.getset(key, broken) or b""
    calls = list[str]()

    async def counted(call: Callable[..., Any], *args: Any) -> Any:
        calls.append(call.__name__)
        return call(*args)

    live = Live(runtime.stories, counted, look_s=0.001, clock=runtime.clock.now)

    def shown() -> bool:
        if live.board.count("en") == 2 and runtime.redis.get(key) == broken:
            runtime.redis.set(key, record)
            fill(runtime, [told(2, 1, outlet="post")])
        return live.board.count("en") == 3 and calls[-30:] == ["look"] * 30

    asyncio.run(_followed(live, shown))
