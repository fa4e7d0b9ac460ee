"""Retention: every key of a store, walked after all has expired, is one that store/keys/ says is kept."""

import inspect
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.bench.memory import kinds
from tests.store.test_ingest import DAY, NOW, Bench, article
from tests.unit.articles import CUP, CUP_TITLE, DAM, DAM_REPORT, DAM_REWRITE
from tests.unit.confusable import told
from worker.connect import Redis, connect
from worker.editing import Editing
from worker.model import story_id
from worker.store import keys
from worker.store.commits import Commits
from worker.store.forgotten import KEPT_S
from worker.store.plan import ALIAS_TTL_S

FOREVER = {
    name
    for name, function in vars(keys).items()
    if inspect.isfunction(function) and not name.startswith("_") and "forever" in (function.__doc__ or "").lower()
}
"""The functions of store/keys/ whose keys stay."""


@pytest.fixture
def bench(redis_url: str) -> Iterator[Bench]:
    client = connect(redis_url)
    yield Bench(client)
    client.close()


def everything_ends(bench: Bench) -> None:
    """Let the retention pass, and sweep as a worker does."""
    bench.clock.advance(8 * DAY)
    while bench.ingest.expire(limit=3):
        pass
    bench.outbox.stale(bench.clock.now(), bench.clock.now(), 100)


def left(redis: Redis) -> set[str]:
    """The functions of store/keys/ that name what the store holds; `?` for a key of nobody."""
    return {kind.name for kind in kinds(redis)}


def lifetimes(redis: Any, names: Callable[[str, int], str], numbers: set[int]) -> list[int]:
    """Seconds that these keys have left, -1 for ever."""
    return [redis.ttl(names("en", number)) for number in numbers]


def aliases(redis: Any) -> set[int]:
    return {int(name.decode().rsplit(":", 1)[1]) for name in redis.scan_iter(keys.story("en", 0)[:-1] + "*")}


def test_some_keys_are_kept_and_their_words_say_which() -> None:
    assert {"languages", "fence", "counters", "events"} <= FOREVER
    assert not FOREVER & {"article", "story", "members", "term", "band", "active", "latest", "payloads", "pending"}


def test_of_a_life_of_joins_merges_splits_and_revisions_nothing_is_left(bench: Bench) -> None:
    """Stories that merged, were divided, split and pinned by hand, articles that were revised into others, copies, and
    texts without words."""
    rng = random.Random(7)
    texts = [DAM, DAM_REWRITE, DAM_REPORT, CUP, *(told(event, n) for event in "ab" for n in range(1, 6)), "!!!"]
    editing = Editing(bench.stories, Commits(bench.redis), bench.clock)
    merged: set[int] = set()
    for step in range(120):
        name, lang = f"a{rng.randrange(60)}", rng.choice(["en", "en", "en", "de"])
        known = bench.stories.known([name])
        words = rng.choice(texts).split()
        said = " ".join(words[: rng.randrange(len(words) // 2, len(words)) + 1])
        bench.ingest.run(
            bench.publish(article(name, said[:30], said, lang=known.get(name, lang), revision=step + 1, received=NOW))
        )
        bench.clock.advance(60)
        merged |= {event.story for event in bench.stories.events({}, 10_000) if event.kind == "merged"}
    numbers = sorted({number for lang, number, _ in bench.stories.everything() if lang == "en"})
    for keep, lose in zip(numbers[::2], numbers[1::2], strict=False):
        editing.merge([story_id("en", keep), story_id("en", lose)])
    assert {event.kind for event in bench.stories.events({}, 10_000)} >= {"new", "grew", "merged"}
    everything_ends(bench)
    assert bench.stories.counts() == {"articles": 0, "stories": 0}
    assert left(bench.redis) <= FOREVER | {"story", "corrections"}
    ends = lifetimes(bench.redis, keys.story, aliases(bench.redis))
    assert ends
    assert all(0 < seconds <= ALIAS_TTL_S for seconds in ends), "an alias that is kept for ever"


def test_a_merged_number_leaves_postings_with_its_story(bench: Bench) -> None:
    """Until then it stands there, and readers resolve it."""
    editing = Editing(bench.stories, Commits(bench.redis), bench.clock)
    bench.ingest.run(bench.publish(article("dam"), article("cup", CUP_TITLE, CUP)))
    (_, cup) = bench.stories.article("cup") or pytest.fail("nowhere")
    term = keys.term("en", cup.prints.terms[0])
    editing.merge(["en-1", "en-2"])
    editing.pin("dam", "en-1")
    assert [editing.undo(name).stories for name in ("en.1", "en.2")] == [[], []], "lifted alone"
    assert (2).to_bytes(4, "little") in (bench.redis.get(term) or b"")
    everything_ends(bench)
    assert left(bench.redis) <= FOREVER | {"story"}
    assert aliases(bench.redis) == {2}


def test_corrections_end_ninety_days_after_their_articles(bench: Bench) -> None:
    editing = Editing(bench.stories, Commits(bench.redis), bench.clock)
    bench.ingest.run(bench.publish(article("dam"), article("cup", CUP_TITLE, CUP)))
    editing.merge(["en-1", "en-2"])
    everything_ends(bench)
    assert "corrections" in left(bench.redis)
    bench.clock.advance(91 * DAY)
    bench.ingest.expire()
    assert left(bench.redis) <= FOREVER | {"story"}


def test_what_was_forgotten_is_let_go_of_after_its_ninety_days(bench: Bench) -> None:
    """Nothing else need be forgotten for that."""
    forgotten = Commits(bench.redis).forgotten
    forgotten.add([b"12345678"], bench.clock.now())
    bench.clock.advance(KEPT_S - 1)
    bench.ingest.expire()
    assert bench.redis.zcard(keys.forgotten()) == 1
    bench.clock.advance(2)
    bench.ingest.expire()
    assert not bench.redis.exists(keys.forgotten())
