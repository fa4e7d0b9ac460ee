"""Feeds in every state that there is, put into a store as polls would have left them."""

from msgspec.structs import replace

from worker.feed.websub import Subscription
from worker.report.roster import State
from worker.runtime import Runtime
from worker.schedule import PAUSED, Fetch, Outcome, PollState
from worker.store.gates import CLOSED

DAY_S = 86_400.0


def add_polled(runtime: Runtime, url: str, title: str, *fetches: Fetch, **polls: object) -> str:
    """Add a feed with these polls, the oldest first, and this state; its id."""
    feed_id, _ = runtime.feeds.add(url, title, runtime.clock.now() - 3 * DAY_S)
    for fetch in fetches:
        feed = runtime.feeds.get(feed_id)
        assert feed is not None
        usual: dict[str, object] = {
            "polled": fetch.at,
            "succeeded": fetch.at if Outcome(fetch.outcome).good else 0.0,
            "outcome": fetch.outcome,
            "status": fetch.status,
            "trouble": fetch.trouble,
            "entries": fetch.entries,
            "next_poll": fetch.at + fetch.wait_s,
            "reason": fetch.reason,
        }
        assert runtime.feeds.record(feed, PollState(**(usual | polls)), fetch)  # type: ignore[arg-type]
    return feed_id


def ok(at: float, new: int = 2, **more: object) -> Fetch:
    """A poll that went well; without new entries one that found the document unchanged."""
    usual: dict[str, object] = {"outcome": Outcome.OK, "status": 200, "took_ms": 180.0, "size": 41_000, "entries": 20}
    if not new:
        usual |= {"outcome": Outcome.NOT_MODIFIED, "status": 304, "took_ms": 45.0, "size": 0}
    usual |= {"new": new, "wait_s": 600.0, "reason": "every 10 min: as often as it brings something"}
    return Fetch(at=at, **(usual | more))  # type: ignore[arg-type]


def failed(at: float, trouble: str = "answers 500: the server has a fault, tried again later", **more: object) -> Fetch:
    """A poll that went wrong."""
    usual: dict[str, object] = {"outcome": Outcome.FAILED, "status": 500, "took_ms": 2_400.0, "wait_s": 3_600.0}
    return Fetch(at=at, trouble=trouble, reason="1 h: the third error in a row", **(usual | more))  # type: ignore[arg-type]


def one_of_each(runtime: Runtime) -> dict[State, str]:
    """A feed in each state; its id by the state."""
    now = runtime.clock.now()
    minutes = range(290, 9, -10)
    history = [ok(now - 60 * ago, new=ago // 10 * 7 % 5, took_ms=90.0 + ago) for ago in minutes]
    gone = failed(now - DAY_S, "answers 410: gone for good", outcome=Outcome.GONE, status=410, wait_s=PAUSED)
    held = ok(now - 900, reason=f"its host {CLOSED}", wait_s=1_800)
    pushed = ok(now - 240, new=0, wait_s=6 * 3600.0)
    hub, topic = "https://hub.example/", "https://wire.example/feed.xml"
    brings = {"arrived": 60.0, "exposed_s": 2 * DAY_S, "occasions": 30.0, "brought": now - 20}
    found = {
        State.FAILING: add_polled(
            runtime, "https://gazette.example/rss", "The Gazette", *history[-20:], failed(now - 300), errors=3
        ),
        State.GONE: add_polled(runtime, "https://times.example/old.xml", "Old Times", gone, errors=1),
        State.TROUBLE: add_polled(
            runtime, "https://ledger.example/feed", "Ledger", ok(now - 200, trouble="breaks off in the middle")
        ),
        State.WAITING: add_polled(runtime, "https://slow.example/feed", "Slow Monitor", held),
        State.NEW: add_polled(runtime, "https://fresh.example/feed", "Fresh Air"),
        State.OK: add_polled(
            runtime, "https://courier.example/feed.xml", "Harbour Courier", *history, ok(now - 20), **brings
        ),
        State.PUSHED: add_polled(runtime, topic, "National Wire", *history, pushed, hub=hub, topic=topic),
        State.PAUSED: add_polled(runtime, "https://rest.example/feed", "Sunday Rest", ok(now - DAY_S)),
    }
    runtime.feeds.pause(found[State.PAUSED])
    runtime.hubs.add([found[State.PUSHED]], now)
    known = Subscription(hub, topic, "https://us.example/websub/f", "token")
    runtime.hubs.put(found[State.PUSHED], None, replace(known, since=now - DAY_S, until=now + 9 * DAY_S))
    return found
