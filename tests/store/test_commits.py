"""The lease, the fence, and the one atomic commit, against real servers."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.memory import Memory, member
from tests.unit.articles import (
    CUP,
    CUP_TITLE,
    DAM,
    DAM_REPORT,
    DAM_REPORT_TITLE,
    DAM_REWRITE,
    DAM_REWRITE_TITLE,
    DAM_TITLE,
)
from worker.cluster import Need, View, expire, place
from worker.connect import Redis
from worker.errors import LeaseLost
from worker.model import Alias, Member, Story
from worker.store import keys
from worker.store.commits import Commits, Lease
from worker.store.stories import Stories

ARTICLES = [
    member("dam-1", DAM_TITLE, DAM, 1_000, source="Wire"),
    member("cup-1", CUP_TITLE, CUP, 2_000, source="Wire"),
    member("dam-2", DAM_REWRITE_TITLE, DAM_REWRITE, 3_000, source="Echo"),
    member("dam-3", DAM_REPORT_TITLE, DAM_REPORT, 4_000, source="Courier"),
    member("cup-1", CUP_TITLE, CUP + " More to follow.", 2_000, source="Wire", revision=2),
]


def run(commits: Commits, articles: list[Member]) -> View:
    """Place the articles in one commit."""
    with commits.lease("en") as lease:
        view = lease.view()
        place_all(commits, lease, view, articles)
        commits.commit(lease, view)
    return view


def place_all(commits: Commits, lease: Lease, view: View, articles: list[Member]) -> None:
    for article in articles:
        for need in place(view, article, article.time):
            commits.load(view, need)


def stored(redis: Redis) -> dict[str, object]:
    """Everything in the shard but lease and fence, by key."""
    found: dict[str, object] = {}
    for key in redis.scan_iter(f"sw:{keys.SCHEMA}:{{en}}:*"):
        name, kind = key.decode(), redis.type(key)
        if kind == b"string":
            found[name] = redis.get(key)
        elif kind == b"zset":
            found[name] = redis.zrange(key, 0, -1, withscores=True)
        elif kind == b"hash":
            hashed: Any = redis.hgetall(key)
            found[name] = {field: value for field, value in hashed.items() if field not in (b"taker", b"commit")}
    return {name: value for name, value in found.items() if not name.endswith((":lease", ":fence"))}


def test_the_store_holds_what_the_pure_decision_gives(redis: Redis) -> None:
    for article in ARTICLES:
        run(Commits(redis), [article])
    memory = Memory().place_all(ARTICLES)
    stories = Stories(redis)
    for number, story in memory.view.stories.items():
        assert stories.find("en", number) == (story if isinstance(story, Story) else None)
    for known in filter(None, memory.view.members.values()):
        assert stories.article(known.id) == ("en", known)
    for term, posting in memory.view.terms.items():
        assert (redis.get(keys.term("en", term)) or b"") == posting
    for band, entries in memory.view.bands.items():
        assert (redis.get(keys.band("en", *band)) or b"") == entries
    assert stories.events({}, 100) == memory.view.changes.events
    assert stories.counts() == {"articles": 4, "stories": 2}


def test_a_batch_in_one_commit_is_what_one_by_one_gives(redis: Redis) -> None:
    run(Commits(redis), ARTICLES)
    together = stored(redis)
    for key in list(redis.scan_iter(f"sw:{keys.SCHEMA}:*")):
        redis.delete(key)
    for article in ARTICLES:
        run(Commits(redis), [article])
    apart = stored(redis)
    assert together == apart


def test_only_one_holds_the_lease_and_the_fence_grows(redis: Redis) -> None:
    commits = Commits(redis)
    with commits.lease("en") as first:
        with pytest.raises(LeaseLost, match="not free"), commits.lease("en", wait_s=0.01):
            pass
        with commits.lease("de") as other:
            assert other.lang == "de"
    with commits.lease("en") as second:
        assert second.fence > first.fence


def test_a_commit_behind_the_fence_writes_nothing(redis: Redis) -> None:
    commits = Commits(redis)
    with commits.lease("en") as late:
        view = late.view()
        place_all(commits, late, view, ARTICLES[:1])
        redis.delete(keys.lease("en"))  # as if its time had run out
        run(commits, ARTICLES[1:2])
        before = stored(redis)
        with pytest.raises(LeaseLost, match="came after"):
            commits.commit(late, view)
        assert stored(redis) == before


def test_a_late_owner_does_not_give_back_another_s_lease(redis: Redis) -> None:
    commits = Commits(redis)
    with commits.lease("en"):
        redis.delete(keys.lease("en"))
        taken = commits.lease("en")
        taken.__enter__()
    assert redis.exists(keys.lease("en"))
    taken.__exit__(None, None, None)
    assert not redis.exists(keys.lease("en"))


def test_a_lease_that_ran_out_cannot_be_renewed(redis: Redis) -> None:
    commits = Commits(redis)
    with commits.lease("en") as lease:
        lease.taken -= 5
        commits.renew(lease)
        redis.delete(keys.lease("en"))
        lease.taken -= 5
        with pytest.raises(LeaseLost, match="ran out"):
            commits.renew(lease)


def test_a_decision_that_reads_for_longer_than_its_lease_keeps_it(redis: Redis) -> None:
    """Twenty withdrawals from a very large story."""
    commits, key = Commits(redis), keys.lease("en")

    def slow(view: View) -> Iterator[Need]:
        for number in range(1, 4):
            redis.pexpire(key, 3_000)
            lease.taken -= 7
            yield from view.want(rolls=[number])
            assert redis.pttl(key) > 3_000

    with commits.lease("en") as lease:
        commits.answer(lease.view(), slow(lease.view()), lease)


def test_a_decision_ends_where_its_lease_is_another_s(redis: Redis) -> None:
    commits = Commits(redis)
    with commits.lease("en") as lease:
        redis.set(keys.lease("en"), lease.fence + 1)
        lease.taken -= 7
        view = lease.view()
        with pytest.raises(LeaseLost, match="ran out"):
            commits.answer(view, view.want(rolls=[1]), lease)


def test_a_lease_ends_by_itself(redis: Redis) -> None:
    with Commits(redis).lease("en"):
        assert 0 < redis.pttl(keys.lease("en")) <= 10_000


def test_an_expired_story_leaves_nothing_behind_but_its_aliases_for_ninety_days(redis: Redis) -> None:
    commits = Commits(redis)
    turned = member("cup-1", DAM_REPORT_TITLE, DAM_REPORT, 2_000, revision=3)
    run(commits, [*ARTICLES, turned])
    assert commits.quiet("en", 10_000, 10) == [1]
    with commits.lease("en") as lease:
        view = lease.view()
        for need in expire(view, 1):
            commits.load(view, need)
        commits.commit(lease, view)
    left = {
        key.decode().removeprefix(f"sw:{keys.SCHEMA}:{{en}}:") for key in redis.scan_iter(f"sw:{keys.SCHEMA}:{{en}}:*")
    }
    assert left == {"fence", "counters", "events", "s:2", "lease"} - {"lease"}
    assert 89 * 86_400 < redis.ttl(keys.story("en", 2)) <= 90 * 86_400
    assert Stories(redis).counts() == {"articles": 0, "stories": 0}
    assert Stories(redis).find("en", 2) is None


def test_a_large_story_ends_in_parts(redis: Redis) -> None:
    """And nothing joins it in between: what comes then begins a story of its own."""
    commits, removed = Commits(redis), []
    run(commits, [ARTICLES[0], *ARTICLES[2:4]])
    while redis.exists(keys.story("en", 1)):
        with commits.lease("en") as lease:
            view = lease.view()
            for need in expire(view, 1, at_once=2):
                commits.load(view, need)
            removed.append(len(view.changes.moves))
            commits.commit(lease, view)
        assert Stories(redis).find("en", 1) is None
        if len(removed) == 1:
            run(commits, [member("late", DAM_TITLE, DAM, 5_000)])
    assert removed == [2, 1]
    assert Stories(redis).counts() == {"articles": 1, "stories": 1}
    assert [m.id for m in Stories(redis).members("en", 2)] == ["late"]


def test_a_merge_unites_the_lists_of_members(redis: Redis) -> None:
    commits = Commits(redis)
    turned = member("cup-1", DAM_REPORT_TITLE, DAM_REPORT, 2_000, revision=3)
    run(commits, ARTICLES[:2])
    run(commits, [turned])
    stories = Stories(redis)
    assert [m.id for m in stories.members("en", 1)] == ["dam-1", "cup-1"]
    assert stories.times("en", [1, 2]) == [[1_000, 2_000], []]
    found = stories.find("en", 2)
    assert found is not None
    assert (found.number, found.aliases) == (1, (2,))
    assert not isinstance(found, Alias)
    assert dict(stories.assignments()) == {"dam-1": "en-1", "cup-1": "en-1"}
