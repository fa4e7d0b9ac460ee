"""Publishing, revising, merging, ending, correcting and forgetting in any order: the invariants of a shard hold after
every step."""

import random
from contextlib import suppress

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.invariants import check, check_relations
from tests.memory import Memory, answer, member
from tests.unit.articles import CUP, DAM, DAM_REPORT, DAM_REWRITE
from tests.unit.confusable import told
from worker.cluster import expire, forget, outlive, pin, split, undo, unite
from worker.errors import BadInput
from worker.model import uid

HOUR = 3600.0
BASES = (DAM, CUP, DAM_REPORT, DAM_REWRITE)


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, str]:
    """(title, text): nothing, a headline, or a base text that is whole, cut, altered, mixed or shuffled."""
    words = draw(st.sampled_from(BASES)).split()
    kind = draw(
        st.sampled_from(["empty", "one word", "headline", "whole", "whole", "cut", "altered", "mixed", "shuffled"])
    )
    rng = random.Random(draw(st.integers(0, 5)))
    if kind == "empty":
        return "", "!!!"
    if kind == "one word":
        return "", draw(st.sampled_from(["one", "me", "dam"]))
    if kind == "headline":
        return draw(st.sampled_from(["Morning briefing", "Live updates", "Dam breaks"])), ""
    if kind == "cut":
        words = words[: rng.randrange(30, len(words))]
    elif kind == "altered":
        words = [word if rng.random() > 0.15 else f"zq{rng.randrange(1000)}" for word in words]
    elif kind == "mixed":
        words = words[: rng.randrange(10, 60)] + rng.choice(BASES).split()[20:]
    elif kind == "shuffled":
        rng.shuffle(words)
    return draw(st.sampled_from(["Title", "Another headline", "Dam"])), " ".join(words)


class ClusterMachine(RuleBasedStateMachine):
    """A language in memory; the wall clock goes an hour a step."""

    def __init__(self) -> None:
        super().__init__()
        self.memory = Memory()
        self.revisions: dict[str, int] = {}
        self.only_published = True

    def _place(self, name: str, text: tuple[str, str], hour: int, source: str) -> None:
        revision = self.revisions[name] = self.revisions.get(name, 0) + 1
        self.memory.place(member(name, *text, hour * HOUR, source=source, revision=revision))

    @rule(text=texts(), hour=st.integers(0, 100), source=st.sampled_from(["", "Wire", "Echo"]))
    def publish(self, text: tuple[str, str], hour: int, source: str) -> None:
        self._place(f"a{len(self.revisions)}", text, hour, source)

    @rule(
        names=st.lists(st.sampled_from([f"{event}{number}" for event in "ab" for number in range(1, 6)]), max_size=5),
        hour=st.integers(0, 100),
    )
    def publish_confusable(self, names: list[str], hour: int) -> None:
        """Reports of two events that are told in much the same words: together they are divided sooner or later."""
        for name in names:
            self._place(f"a{len(self.revisions)}", ("", told(name[0], int(name[1:]))), hour, name)

    @rule(text=texts(), data=st.data(), hour=st.integers(0, 100))
    def revise(self, text: tuple[str, str], data: st.DataObject, hour: int) -> None:
        if self.revisions:
            self.only_published = False
            self._place(data.draw(st.sampled_from(sorted(self.revisions))), text, hour, "Wire")

    @rule(data=st.data(), at_once=st.sampled_from([1, 2, 500]), parts=st.integers(1, 4))
    def end(self, data: st.DataObject, at_once: int, parts: int) -> None:
        """End a story, or the first parts of it."""
        numbers = sorted(story.number for story in self.memory.stories())
        if numbers:
            self.only_published = False
            number = data.draw(st.sampled_from(numbers))
            for _ in range(parts):
                answer(self.memory.view, expire(self.memory.view, number, at_once))
            outlive(self.memory.view, 1.0)
            gone = [name for name in self.revisions if self.memory.view.members.get(uid(name)) is None]
            for name in gone:
                self.revisions[f"gone {len(self.revisions)}"] = self.revisions.pop(name)

    @rule(data=st.data(), count=st.integers(1, 3))
    def split(self, data: st.DataObject, count: int) -> None:
        """Take articles out of a story; refused where it would leave nothing."""
        numbers = sorted(story.number for story in self.memory.stories() if story.articles > 1)
        if numbers:
            self.only_published = False
            number = data.draw(st.sampled_from(numbers))
            members = sorted(self.memory.view.rolls[number])
            named = data.draw(st.lists(st.sampled_from(members), min_size=1, max_size=count, unique=True))
            with suppress(BadInput):
                answer(self.memory.view, split(self.memory.view, number, named, 0.0))

    @rule(data=st.data())
    def unite(self, data: st.DataObject) -> None:
        numbers = sorted(story.number for story in self.memory.stories() if story.articles)
        if len(numbers) > 1:
            self.only_published = False
            chosen = data.draw(st.lists(st.sampled_from(numbers), min_size=2, max_size=3, unique=True))
            answer(self.memory.view, unite(self.memory.view, chosen, 0.0))

    @rule(data=st.data())
    def pin(self, data: st.DataObject) -> None:
        numbers = sorted(story.number for story in self.memory.stories() if story.articles)
        if numbers:
            self.only_published = False
            home = data.draw(st.sampled_from(numbers))
            article = data.draw(st.sampled_from(sorted(self.memory.view.rolls[home])))
            answer(self.memory.view, pin(self.memory.view, article, data.draw(st.sampled_from([None, *numbers])), 0.0))

    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        numbers = [correction.number for correction in self.memory.view.ties.all()]
        if numbers:
            self.only_published = False
            assert answer(self.memory.view, undo(self.memory.view, data.draw(st.sampled_from(numbers)), 0.0))

    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        if self.revisions:
            self.only_published = False
            name = data.draw(st.sampled_from(sorted(self.revisions)))
            answer(self.memory.view, forget(self.memory.view, uid(name)))
            self.revisions[f"gone {len(self.revisions)}"] = self.revisions.pop(name)

    @invariant()
    def holds(self) -> None:
        check(self.memory.view)
        if self.only_published:
            check_relations(self.memory.view)


TestClusterStates = ClusterMachine.TestCase
TestClusterStates.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
