"""Publishing, revising, redelivering, crashing, expiring, correcting and forgetting on a real server, in any order:
what is assigned and what waits is what a dict says, and the invariants hold after every step."""

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import ClassVar

import pytest
import redis.backoff
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import worker.connect.single
from tests.fault.scene import FEED, NOW, Desk, article, check_store
from tests.fault.wire import Fault, Wire
from tests.property.test_cluster_states import texts
from tests.servers import Server
from worker import config
from worker.clock import ManualClock
from worker.errors import BadInput, ServerUnavailable
from worker.forgetting import Target, What
from worker.model import Ref, story_id
from worker.runtime import open_runtime
from worker.store import keys

HOUR = 3600.0
RETENTION_S = 7 * 24 * HOUR


class StoreMachine(RuleBasedStateMachine):
    """One language. The model: `waiting` and `assigned`, name -> revision, and the names that are `forgotten`.

    Workers come and go on a wire that can break; what is checked is read past it.
    """

    server: ClassVar[Server]
    wire: ClassVar[Wire]

    def __init__(self) -> None:
        super().__init__()
        number = int(self.server.url().rpartition("=")[2])
        self.clock = ManualClock(NOW)
        self.closing = ExitStack()
        self.wire.mend()
        loaded = config.load({"STORYWIRE_RETENTION": "7d"}, redis_url=self.wire.url(number))
        self.runtime = self.closing.enter_context(open_runtime(loaded, self.clock))
        self.desk = Desk(self.server.url(number), self.clock)
        self.closing.callback(self.desk.close)
        self.waiting: dict[str, int] = {}
        self.assigned: dict[str, int] = {}
        self.forgotten: set[str] = set()
        self.revisions: dict[str, int] = {}

    def teardown(self) -> None:
        self.closing.close()

    def _publish(self, name: str, text: tuple[str, str], hour: int) -> None:
        revision = self.revisions[name] = self.revisions.get(name, 0) + 1
        at = (self.clock.now() - NOW) / HOUR - hour
        self.runtime.outbox.publish(FEED, [article(name, *text, revision=revision, hour=at)], {}, self.clock.now())
        self.waiting[name] = revision

    def _refs(self, names: list[str]) -> list[Ref]:
        return [Ref(FEED, f"{FEED}.{name}") for name in names]

    def _settled(self, names: list[str]) -> None:
        """What a batch that went well makes of these."""
        for name in names:
            revision = self.waiting.pop(name, 0)
            if revision and name not in self.forgotten:
                self.assigned[name] = max(revision, self.assigned.get(name, 0))

    @rule(new=st.lists(texts(), min_size=1, max_size=4), hour=st.integers(0, 48))
    def publish(self, new: list[tuple[str, str]], hour: int) -> None:
        for text in new:
            self._publish(f"a{len(self.revisions)}", text, hour)

    @precondition(lambda self: self.revisions)
    @rule(data=st.data(), text=texts(), hour=st.integers(0, 48))
    def revise(self, data: st.DataObject, text: tuple[str, str], hour: int) -> None:
        """One that waits, is assigned, has ended, or was forgotten."""
        self._publish(data.draw(st.sampled_from(sorted(self.revisions))), text, hour)

    @precondition(lambda self: self.revisions)
    @rule(data=st.data(), again=st.booleans())
    def deliver(self, data: st.DataObject, again: bool) -> None:
        """A job of what waits, or was done long ago; perhaps twice."""
        names = data.draw(st.lists(st.sampled_from(sorted(self.revisions)), min_size=1, max_size=6))
        for _ in range(1 + again):
            self.runtime.ingest.run(self._refs(names))
        self._settled(names)

    @precondition(lambda self: self.waiting)
    @rule()
    def deliver_all(self) -> None:
        """What the sweeper would queue."""
        names = sorted(self.waiting)
        self.runtime.ingest.run(self._refs(names))
        self._settled(names)

    @precondition(lambda self: self.waiting)
    @rule(at=st.integers(1, 12), done=st.booleans())
    def crash(self, at: int, done: bool) -> None:
        """A worker dies at its n-th command, before it is sent or after it was done; its lease stays behind, and runs
        out. What it had to do is assigned or still waits, and nothing else has changed."""
        names = sorted(self.waiting)
        self.wire.arm(Fault(at, done=done, lasting=True))
        try:
            self.runtime.ingest.run(self._refs(names))
        except ServerUnavailable:
            self.wire.mend()
            self.desk.redis.delete(keys.lease("en"))  # in ten seconds it would be gone
            placed, left = self.desk.assigned(), self._waits()
            for name in names:
                there = placed.get(f"{FEED}.{name}", 0) >= self.waiting[name] or name in self.forgotten
                assert there or left.get(name) == self.waiting[name], f"{name} is lost"
                if there and name not in self.forgotten:
                    self.assigned[name] = self.waiting[name]
                if name not in left:
                    del self.waiting[name]
        else:
            self.wire.mend()
            self._settled(names)

    @rule(hours=st.sampled_from([1, 24, 24 * 3, 24 * 8]))
    def expire(self, hours: int) -> None:
        """Stories end that have been quiet for longer than the retention, and take just their articles along."""
        self.clock.advance(hours * HOUR)
        before = self.clock.now() - RETENTION_S
        ended = [
            member.id.removeprefix(f"{FEED}.")
            for lang, number, member in self.desk.stories.everything()
            if (story := self.desk.stories.find(lang, number)) is not None and story.active < before
        ]
        assert self.runtime.ingest.expire() == len(ended)
        for name in ended:
            del self.assigned[name]

    @precondition(lambda self: self.assigned)
    @rule(data=st.data())
    def split(self, data: st.DataObject) -> None:
        """An editor takes an article out of its story, where others are left in it."""
        name = data.draw(st.sampled_from(sorted(self.assigned)))
        with suppress(BadInput):
            self.runtime.editing.split(self._story_of(name), [f"{FEED}.{name}"])

    @precondition(lambda self: len(self.assigned) > 1)
    @rule(data=st.data())
    def merge(self, data: st.DataObject) -> None:
        """An editor makes one story of two."""
        names = data.draw(st.lists(st.sampled_from(sorted(self.assigned)), min_size=2, max_size=2, unique=True))
        with suppress(BadInput):
            self.runtime.editing.merge([self._story_of(name) for name in names])

    @precondition(lambda self: self.revisions)
    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.revisions)))
        self.runtime.forgetting.forget(Target(What.ARTICLE, f"{FEED}.{name}"))
        self.forgotten.add(name)
        self.waiting.pop(name, None)
        self.assigned.pop(name, None)

    @invariant()
    def holds(self) -> None:
        assert self.desk.assigned() == {f"{FEED}.{name}": revision for name, revision in self.assigned.items()}
        assert self._waits() == self.waiting
        assert self.desk.stories.counts()["articles"] == len(self.assigned)
        check_store(self.desk)

    def _waits(self) -> dict[str, int]:
        waiting = self.desk.outbox.load(self._refs(sorted(self.revisions)))
        assert self.desk.outbox.depth() == len(waiting), "pending marks and payloads go together"
        return {each.id.removeprefix(f"{FEED}."): each.revision for _, each in waiting}

    def _story_of(self, name: str) -> str:
        found = self.desk.stories.article(f"{FEED}.{name}")
        assert found is not None
        story = self.desk.stories.find(found[0], found[1].story)
        assert story is not None
        return story_id(found[0], story.number)


@pytest.fixture(scope="module", autouse=True)
def one_server() -> Iterator[None]:
    """For all examples, each in a database of its own. A broken connection is tried again without a pause."""
    quick = redis.backoff.ExponentialWithJitterBackoff(base=0.001, cap=0.002)
    with pytest.MonkeyPatch.context() as patch, ExitStack() as closing:
        patch.setattr(worker.connect.single, "ExponentialWithJitterBackoff", lambda **_: quick)
        StoreMachine.server = Server()
        closing.callback(StoreMachine.server.close)
        StoreMachine.wire = Wire(StoreMachine.server.socket)
        closing.callback(StoreMachine.wire.close)
        yield


TestStoreStates = StoreMachine.TestCase
TestStoreStates.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)
