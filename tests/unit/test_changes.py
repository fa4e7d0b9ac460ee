"""What listeners get of changes: how much one may leave unread, what fits whom, and when only the place is said."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from msgspec import json

from tests.unit.test_board import NOW, row
from worker.model import Event
from worker.report.board import Filter, Row
from worker.report.rows import row_record
from worker.report.views import StoryView, story_record
from worker.web.changes import MOST_UNREAD, Changed, Listener, changes_of, latest, message, place
from worker.web.live import Live
from worker.web.stream import Wanted, _followed


def changed(number: int, **more: Any) -> Changed:
    """A story grew."""
    usual: dict[str, Any] = {"kind": "grew", "story": f"en-{number}", "cursor": f"en:{number}-0"}
    usual |= {"now": NOW, "row": row(number)}
    return Changed(**(usual | more))


def parts(told: bytes) -> list[tuple[str, Any]]:
    """(event, data) of what is sent."""
    fields = [dict(line.split(": ", 1) for line in part.split("\n")) for part in told.decode().split("\n\n") if part]
    return [(said["event"], json.decode(said["data"])) for said in fields if "event" in said]


def test_a_listener_that_does_not_read_is_told_to_begin_anew_and_holds_nothing() -> None:
    async def run() -> None:
        listener = Listener()
        for number in range(MOST_UNREAD):
            listener.push([changed(number + 1)])
        assert not listener.ended
        listener.push([changed(1)])
        assert listener.ended and listener.reset
        assert await listener.read(0) == []

    asyncio.run(run())


def test_a_listener_that_reads_gets_all_in_order_however_much_that_is() -> None:
    async def run() -> None:
        listener, read = Listener(), list[str]()
        for number in range(3 * MOST_UNREAD):
            listener.push([changed(number)])
            if number % 1_000 == 999:
                read += [each.story for each in await listener.read(0)]
        assert read == [f"en-{number}" for number in range(3 * MOST_UNREAD)]
        assert await listener.read(0.001) == [], "waited for as long as was said"

    asyncio.run(run())


def test_who_reads_gets_what_comes_at_once_however_much_that_is() -> None:
    """A look brings some hundred events a language."""

    async def run() -> None:
        listener = Listener()
        for _ in range(2):
            listener.push([changed(number) for number in range(MOST_UNREAD + 200)])
            assert len(await listener.read(0)) == MOST_UNREAD + 200
        listener.push([changed(number) for number in range(MOST_UNREAD + 200)])
        listener.push([changed(1)])
        assert listener.reset, "who does not read"

    asyncio.run(run())


def test_of_what_was_missed_the_last_of_each_story_is_said_in_order() -> None:
    two, asked = row(1, outlets=2), Filter(min_outlets=2)
    missed = [
        changed(1, row=two),
        changed(2, row=row(2, outlets=2), cursor="en:2-0"),
        changed(1, row=two, cursor="en:3-0"),
        changed(4, cursor="en:4-0"),
    ]
    assert latest(missed, Filter()) == missed[1:]
    assert latest(missed, asked) == missed[1:], "the last for its cursor"
    assert latest(missed[:3], asked) == missed[1:3]
    split = [changed(1, kind="split", cursor="en:5-0"), changed(1, cursor="en:6-0")]
    assert [event for event, _ in parts(b"".join(each.told(asked) for each in latest(split, asked)))] == ["gone"]
    assert latest([], asked) == []


@pytest.mark.parametrize(
    ("change", "sent"),
    [
        (changed(1, row=row(1, outlets=2)), "story"),
        (changed(1), ""),
        (changed(1, was=row(1, outlets=2)), "gone"),
        (changed(1, kind="shrank"), "gone"),
        (changed(1, kind="gone", row=None), "gone"),
    ],
)
def test_what_is_sent_to_who_asks_for_stories_of_two_outlets(change: Changed, sent: str) -> None:
    """A story that no longer is among them is gone from there; one that never was is not told."""
    told = change.told(Filter(min_outlets=2))
    assert [event for event, _ in parts(told)] == ([sent] if sent else [])
    if sent:
        assert told.startswith(b"id: en:1-0\n")


def test_a_headline_of_any_characters_stays_in_its_line() -> None:
    title = "one\ntwo\r\n\nevent: reset\u2028\u0000\u202e\ud7ff end"
    told = changed(1, row=row(1, headline=title)).told(Filter())
    assert parts(told)[0][1]["headline"] == title
    assert len(told.split(b"\n")) == len([b"id", b"event", b"data", b"", b""])


def test_a_row_has_the_record_of_its_story() -> None:
    made = row(3, "Bridge", articles=5, copies=2, rewrites=1, outlets=3, heat=2.5)
    view = StoryView(
        **{name: getattr(made, name) for name in ("story", "headline", "lang", "articles", "outlets", "copies")},
        rewrites=1, first=made.first, last=made.last, heat=made.heat_now(NOW), age_s=0, quiet_s=0,
    )  # fmt: skip
    assert row_record(made, NOW) == story_record(view)


class Standing:
    """A Live whose board nobody changes; what is pushed is the test's."""

    def __init__(self) -> None:
        self.live = Live(cast(Any, SimpleNamespace()), aside=cast(Any, None))
        self.live.position = {"en": (7, 0)}

    def push(self, *changes: Changed) -> None:
        self.live._tell(changes)

    def end(self) -> None:
        self.live.end()


def test_a_story_that_ended_is_gone_unless_it_has_come_again() -> None:
    live, ended = Standing().live, Event("ended", 8, "en", 3)
    [change] = changes_of(live.board, ended, "en:8-0", NOW)
    assert change.told(Filter(words="whatever")) == message("gone", {"story": "en-3", "into": None}, "en:8-0")
    live.board.put(row(3, "Bridge"))
    assert list(changes_of(live.board, ended, "en:8-0", NOW)) == []


async def _some(sent: AsyncIterator[bytes], count: int) -> list[bytes]:
    async with asyncio.timeout(5):
        return [await anext(sent) for _ in range(count)]


def test_a_quiet_stream_says_now_and_then_that_it_lives_and_where_it_is() -> None:
    """Also one in which much happens that does not fit: who comes back days later is not told that too much was
    missed."""

    async def run() -> None:
        standing = Standing()
        sent = _followed(standing.live, Wanted(Filter(lang="es")), 0.01, reset=False)
        assert await _some(sent, 2) == [place("en:7-0"), b":\n" + place("en:7-0")]
        standing.live.position = {"en": (9, 0)}
        standing.push(changed(8), changed(9))
        assert (await _some(sent, 2))[-1] == b":\n" + place("en:9-0")
        standing.end()
        assert [part async for part in sent] == []

    asyncio.run(run())


def test_who_is_too_slow_is_told_so_and_let_go_of() -> None:
    async def run() -> None:
        standing = Standing()
        sent = _followed(standing.live, Wanted(Filter()), 5.0, reset=False)
        await _some(sent, 1)
        for number in range(MOST_UNREAD + 1):
            standing.push(changed(number))
        rest = [part async for part in sent]
        assert [event for part in rest for event, _ in parts(part)] == ["reset"]
        assert standing.live.listening == 0

    asyncio.run(run())


def test_where_the_last_change_does_not_fit_its_place_is_said() -> None:
    """So that nothing that was sent is sent again to who comes back."""

    async def run() -> None:
        standing = Standing()
        sent = _followed(standing.live, Wanted(Filter(min_outlets=2)), 5.0, reset=False)
        await _some(sent, 1)
        fitting: Row = row(8, outlets=2)
        standing.push(changed(8, row=fitting), changed(9))
        [told] = await _some(sent, 1)
        assert told.endswith(place("en:9-0"))
        assert told.count(b"event:") == 1

    asyncio.run(run())
