"""What docs/scaling.md's figures are made with: a recorded run has what was sent, a crowded store is as crowded as it
says."""

import random
import sys
from pathlib import Path

import pytest
from redis import Redis

from tests.bench import newswire, server_limit, sharding, sharding_split, workers, workers_alone
from tests.bench.running import Run
from tests.bench.server_limit_record import recorded, recording
from tests.bench.workers_law import expected
from tests.conftest import NewServer
from tests.memory import member
from worker.cluster import posting


def test_a_recording_has_the_very_bytes_of_every_client_in_the_order_of_the_server(
    new_server: NewServer, tmp_path: Path
) -> None:
    url, every = new_server("valkey").url(0), bytes(range(256))
    with recording(url, tmp_path / "monitor"), Redis.from_url(url) as one, Redis.from_url(url) as two:
        one.set("key", every)
        two.eval("return redis.call('SET', KEYS[1], 'of a script')", 1, "other")
        with one.pipeline(transaction=True) as together:
            together.rpush("list", "a", '\\"\r\n')
            together.execute()
        two.blmove("list", "taken", 1, "LEFT", "RIGHT")
    name, script, push, move, end = recorded(tmp_path / "monitor")
    assert name == (b"SET", b"key", every)
    assert (script[0], script[-1]) == (b"EVAL", b"other")
    assert push == (b"RPUSH", b"list", b"a", b'\\"\r\n')
    assert move == (b"LMOVE", b"list", b"taken", b"LEFT", b"RIGHT")
    assert end[0] == b"ECHO"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells another's processor time exactly")
def test_an_article_is_counted_stage_by_stage() -> None:
    articles = workers_alone.spoken(newswire.generated(80), 4)
    assert [article.lang for article in articles[:5]] == ["qaa", "qab", "qac", "qad", "qaa"]
    alone = workers_alone.measure(articles, 40, languages=4, batch=20)
    assert {"fingerprint", "read", "decide", "commit", "lease", "settle"} <= alone.stages.keys()
    assert alone.stages["commit"].sent == pytest.approx(4 / 20), "one commit for each language of a job"
    assert alone.shared.worker_ms > 0 < alone.shared.server_ms
    assert alone.limit(way_ms=1.0) < alone.limit()


def test_more_workers_bring_more_until_the_lease_is_never_free() -> None:
    found = [expected(workers, apart_ms=2.0, shared_ms=2.0) for workers in (1, 2, 4, 8)]
    assert found[0] == pytest.approx((250.0, 0.0, 0.5), rel=0.01, abs=0.01)
    assert 450 < found[1].rate <= 500, "two workers by turns"
    for count, one in zip((4, 8), found[2:], strict=True):
        assert 450 < one.rate <= 500, "and no more: one article in 2 ms"
        assert one.waiting == pytest.approx(1 - one.rate * 4.0 / 1000 / count)


def test_a_speedup_is_against_one_worker_of_the_same_round() -> None:
    rounds = [
        [_run(1, 10.0), _run(2, 5.0)],
        [_run(1, 30.0), _run(2, 10.0)],
        [_run(1, 20.0), _run(2, 8.0)],
    ]
    assert [scale.speedup for scale in workers.scales(rounds, 1)] == [1.0, 2.5]


def _run(count: int, wall_s: float) -> Run:
    return Run(100, count, wall_s, 1.0, 1.0, 1_000, {"wait": 10})


def test_a_crowded_band_has_strangers_of_its_bits_and_keeps_its_own() -> None:
    own = bytes(range(16))
    band = (2, b"\x07\x09")
    crowded = sharding._crowded(own, band, 30, random.Random(1))
    pairs = list(posting.posted(crowded))
    assert len(pairs) == 30
    assert pairs[-1] == (own[:8], own[8:])
    assert {posting.bands(copy)[2] for copy, _ in pairs[:-1]} == {band}


def test_a_full_posting_keeps_what_it_had() -> None:
    had = posting.put(posting.put(b"", 7, 90), 8, 80)
    full = sharding._full(had, 10_000, random.Random(1))
    assert len(full) == posting.FULL
    assert full.endswith(had)


def test_what_splits_a_language_needs_the_article_alone() -> None:
    one = member(
        "a", "Harbour bridge closed", "Engineers closed the harbour bridge after a tanker struck it.", source="x"
    )
    two = member("b", "Bridge shut", "The harbour bridge is shut.", time=86_400.0, source="x")
    assert sharding_split.by_outlet(one, 4) == sharding_split.by_outlet(two, 4)
    assert sharding_split.by_day(one, 2) != sharding_split.by_day(two, 2)
    assert {rule(one, 1) for rule in sharding_split.RULES.values()} == {0}


@pytest.mark.slow
def test_the_server_alone_goes_the_same_way_when_a_run_is_replayed() -> None:
    limit = server_limit.measure(newswire.generated(1_500), 1_000)
    server_limit.report(limit)
    assert limit.calls["commit_batch.lua"] > 0
