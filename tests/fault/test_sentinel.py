"""Failover under load: the primary dies, hangs or loses its replica, Sentinels name another, and work goes on.

What a failover can lose is the end of the old primary's history, as a crash loses the end of its log: afterwards each
article that a feed shows is in a story once, and the commits replay.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.certified import write_certificates
from tests.e2e.test_concurrency import newsroom_articles
from tests.fault.fleet import Fleet, fleet, stored
from tests.fault.held import assert_held
from tests.fault.scene import EARLIER, FEED, Desk, check_replay, check_store
from tests.servers import KINDS, Server
from tests.shapes import SERVICE, Sentinels, ask
from tests.waiting import eventually
from worker.errors import Transient
from worker.model import Article
from worker.runtime import Runtime

RATE = 20
RECOVERY_S = 30.0
PATIENCE_S = 60.0
"""How long a step may take on a machine that has much else to do."""


def die(sentinels: Sentinels) -> Server:
    """kill -9 of the primary; that one."""
    old = sentinels.primary()
    old.kill()
    return old


def hang(sentinels: Sentinels) -> Server:
    """The primary stops until another has taken its place: then there are two, for a while."""
    old = sentinels.primary()
    old.pause()
    try:
        sentinels.await_failover(old)
    finally:
        old.resume()
    return old


def cut(sentinels: Sentinels) -> Server:
    """From now on the replica has nothing of its primary; that replica."""
    old = sentinels.primary()
    [replica] = [server for server in sentinels.servers if server is not old]
    ask(replica, "CONFIG", "SET", "masterauth", "wrong")
    ask(old, "CLIENT", "KILL", "TYPE", "replica")
    return replica


def die_behind(sentinels: Sentinels, replica: Server) -> tuple[Server, int]:
    """kill -9 of the primary after `cut`; that one, and how many bytes of its history are lost."""
    old = sentinels.primary()
    there, here = (ask(each, "INFO", "replication")["master_repl_offset"] for each in (old, replica))
    old.kill()
    sentinels.await_failover(old)
    ask(replica, "CONFIG", "SET", "masterauth", "")
    return old, there - here


def die_alone(sentinels: Sentinels) -> Server:
    """kill -9 of the primary when its replica has had nothing of it for two seconds, which are lost."""
    replica = cut(sentinels)
    time.sleep(2)  # what is written in it is what the test is about
    old, lost = die_behind(sentinels, replica)
    print(f"  {lost} bytes of the primary's history are lost")  # noqa: T201
    assert lost > 0, "nothing was written that could be lost"
    return old


def back(sentinels: Sentinels, old: Server) -> None:
    """The old primary is there again, a replica in step."""
    if ask_state(old) != "up":
        old.start()
    sentinels.await_whole(60)


def ask_state(server: Server) -> str:
    return "up" if server._process is not None else "down"


def one_failover(running: Fleet, runtime: Runtime, sentinels: Sentinels, fail: Callable[[Sentinels], Server]) -> float:
    """Seconds from the fault until all that was shown by then is in stories, and newer ones are."""
    with running.wire.flowing(RATE):
        began, shown = time.monotonic(), running.wire.shown
        old = fail(sentinels)
        assert sentinels.await_failover(old) is not old
        named = time.monotonic() - began
        eventually(
            lambda: stored(runtime) > shown + RATE,
            2 * RECOVERY_S,
            lambda: f"{stored(runtime)} of {running.wire.shown} in stories: {running.said()}",
        )
        took = time.monotonic() - began
        back(sentinels, old)
    told = f"another primary after {named:.1f} s, recovered in {took:.1f} s"
    print(f"  {fail.__name__}: {running.wire.shown} articles, {told}")  # noqa: T201
    return took


@pytest.mark.parametrize("kind", ["valkey", pytest.param("redis", marks=pytest.mark.slow)])
def test_what_a_failover_loses_comes_again_and_is_placed_once(kind: str) -> None:
    """Two workers and a publisher try again what failed, as their processes do. The replica that takes over lacks the
    last commits and the last of the outbox: as the seen marks are lost with them, the next poll brings them again."""
    articles = newsroom_articles(60)
    with Sentinels(kind, down_after_ms=500) as sentinels, ExitStack() as ending:
        desk = _desk(sentinels, ending)
        workers = [_Working(_desk(sentinels, ending), len(articles)) for _ in range(2)]
        for worker in workers:
            worker.start()
        _publish(desk, articles[:30])
        eventually(lambda: not desk.outbox.depth(), PATIENCE_S, "the first are not placed")
        with ExitStack() as still:  # a lease that is held now would come with the copy, and hold for its ten seconds
            for worker in workers:
                still.enter_context(worker.busy)
            eventually(sentinels.in_step, PATIENCE_S, "the replica is behind")
            replica = cut(sentinels)
        _publish(desk, articles[30:45])
        eventually(lambda: not desk.outbox.depth(), PATIENCE_S, "the lost ones are not placed")
        old, lost = die_behind(sentinels, replica)
        _publish(desk, articles[45:])
        assert lost > 0
        there = desk.outbox.marks(FEED).keys()
        assert {each.id for each in articles[:30]} <= there, "what the replica had is gone"
        assert not there & {each.id for each in articles[30:45]}, "what it had not has been seen"
        _publish(desk, articles)  # what the feed still shows
        for worker in workers:
            worker.join(PATIENCE_S)
        assert sentinels.primary() is not old
        assert not [worker.wrong for worker in workers if worker.wrong]
        check_store(desk)
        check_replay(desk, articles)


class _Working(threading.Thread):
    """Places what waits until so many articles are in stories; `wrong`: what else than trouble that passes was met."""

    def __init__(self, desk: Desk, until: int) -> None:
        super().__init__(daemon=True)
        self._desk, self._until, self.wrong = desk, until, ""
        self.busy = threading.Lock()

    def run(self) -> None:
        try:
            while len(_assigned(self._desk)) < self._until:
                with self.busy, suppress(Transient):
                    self._desk.ingest.run([ref for ref, _ in self._desk.outbox.everything()][:10])
        except Exception as error:
            self.wrong = repr(error)


def _desk(sentinels: Sentinels, ending: ExitStack) -> Desk:
    desk = Desk(sentinels.url)
    ending.callback(desk.close)
    return desk


def _assigned(desk: Desk) -> dict[str, int]:
    with suppress(Transient):
        return desk.assigned()
    return {}


def _publish(desk: Desk, articles: Sequence[Article]) -> None:
    """Each again until the server takes it."""
    for article in articles:
        eventually(partial(_published, desk, article), PATIENCE_S, "nothing can be published")


def _published(desk: Desk, article: Article) -> bool:
    with suppress(Transient):
        desk.outbox.publish(FEED, [article], {article.id: (b"", b"seen")}, desk.clock.now())
        return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_failovers_under_load_lose_nothing_that_feeds_show(kind: str, data_dir: Path) -> None:
    """All of Storywire, two workers: there and back, a primary that hangs, and one whose last seconds are lost."""
    with (
        Sentinels(kind, persistent=True) as sentinels,
        fleet(data_dir, 4_000, {"redis_url": sentinels.url}) as running,
        running.runtime() as runtime,
    ):
        took = [one_failover(running, runtime, sentinels, fail) for fail in (die, die, hang, die_alone)]
        eventually(
            lambda: stored(runtime) >= running.wire.shown and not runtime.outbox.depth(),
            RECOVERY_S,
            lambda: f"{stored(runtime)} of {running.wire.shown}, {runtime.outbox.depth()} wait: {running.said()}",
        )
        assert_held(runtime, running.wire.articles)
    assert max(took) < RECOVERY_S


EXAMPLES = Path(__file__).parents[2] / "deploy" / "redis"


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_the_examples_of_users_and_sentinels_fail_over(kind: str, tmp_path: Path) -> None:
    """deploy/redis: servers with its users, Sentinels with its file; over TLS where the server's program has it."""
    word = hashlib.sha256(b"w@rd").hexdigest()
    users = (EXAMPLES / "users.acl").read_text().replace("0" * 64, word).splitlines()
    for_tests = "user default on nopass ~* &* +@all"
    (tmp_path / "users.acl").write_text("\n".join([for_tests, *users[1:]]) + "\n")
    assert users[0].startswith("user default off")
    write_certificates(tmp_path)
    lines = [line for line in (EXAMPLES / "sentinel.conf").read_text().splitlines() if _is_ours(line)]
    lines += [f"sentinel auth-user {SERVICE} sentinel", f"sentinel auth-pass {SERVICE} w@rd"]
    lines += ["user wire on >p@ss -@all +@connection +sentinel|master"]
    options: dict[str, Any] = {"aclfile": str(tmp_path / "users.acl"), "masteruser": "replica", "masterauth": "w@rd"}
    tls = tmp_path if kind == "redis" else None
    with Sentinels(kind, lines=lines, tls=tls, **options) as sentinels:
        url = sentinels.url.replace("://", "://worker:w%40rd@")
        url += f"{'&' if '?' in url else '?'}sentinel_username=wire&sentinel_password=p%40ss"
        with closing(Desk(url)) as desk:
            _publish(desk, EARLIER[:2])
            desk.ingest.run([ref for ref, _ in desk.outbox.everything()])
            eventually(sentinels.in_step, PATIENCE_S, "the replica is behind")
            sentinels.await_failover(die(sentinels))
            _publish(desk, EARLIER[2:])
            desk.ingest.run([ref for ref, _ in desk.outbox.everything()])
            assert desk.assigned().keys() == {each.id for each in EARLIER}


def _is_ours(line: str) -> bool:
    """Whether a line of the example goes into the tests' own: they say places and times themselves."""
    theirs = ("bind", "port", "dir", "sentinel monitor", "sentinel down-after", "sentinel failover-timeout")
    return bool(line.strip()) and not line.startswith(("#", *theirs))
