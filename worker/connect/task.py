"""A command on its way to the nodes of a Cluster: which of them it is for, and what came back.

Invariant: it has one answer for its slot, or one of each primary; which errors pass, and are worth another try, is said
here alone.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import redis.exceptions as theirs
from redis.crc import key_slot

from worker.connect import merged
from worker.connect.nodes import ANSWERLESS, REFUSED, Node, Shards
from worker.connect.trouble import Unreplicated

SECURED_S = 1.0
"""So long a write that is to outlive its node is waited for until its replicas have it; then it is sent again."""

_EVERYWHERE: dict[str, Callable[[Sequence[Any]], Any]] = {
    "INFO": merged.info,
    "DBSIZE": sum,
    "SCRIPT LOAD": lambda answers: answers[0],
    "SCRIPT FLUSH": all,
    "BGREWRITEAOF": all,
}
"""What has no key and is asked of all primaries, and what their answers come to."""

_ANYWHERE = {"PING", "TIME", "CLUSTER INFO", "CLUSTER SLOTS"}
"""What has no key either, and is asked of one, always the same: the clocks of two differ."""

_PASSING = (*ANSWERLESS, theirs.AskError, theirs.TryAgainError, theirs.ClusterDownError, Unreplicated)
"""MOVED is an AskError too."""

_FINAL = (*REFUSED, theirs.TimeoutError)
"""Among those, what is not sent again: a server that does not answer in time is not asked for more."""


class Task:
    """A command, with the slot that it is about, None for what all primaries are asked; what each node answered.
    `secured`: it is answered when the replicas of its node have what it wrote; it writes whenever it is sent, or a
    second time nothing would be waited for."""

    __slots__ = ("answers", "args", "options", "secured", "slot")

    def __init__(self, args: tuple[Any, ...], options: dict[str, Any], *, secured: bool = False) -> None:
        self.args, self.options, self.secured = args, options, secured
        self.slot = slot_of(args)
        self.answers: dict[Node | None, Any] = {}

    def keep(self, node: Node | None, answer: Any) -> None:
        self.answers[node if self.slot is None else None] = answer

    def sent(self, shards: Shards, node: Node, *, asking: bool, scripts: Sequence[Any] = ()) -> "Sent":
        """It, as this node is sent it: without a replica there is none to wait for; `scripts`: what it loads first."""
        return Sent(self, asking, shards.replicas.get(node, 0) if self.secured else 0, tuple(scripts))

    @property
    def lacking(self) -> bool:
        """Whether its node had not the script of it."""
        return any(isinstance(error, theirs.NoScriptError) for error in self.errors())

    def places(self, shards: Shards, *, missing: bool) -> Iterator[tuple[Node | None, bool]]:
        """Where it is still to be sent, None where no node serves its slot, and whether that node has to be told that
        another one named it (ASKING). `missing`: also where a node had not the script of it."""

        def again(answer: Any) -> bool:
            return worth_another(answer) or (missing and isinstance(answer, theirs.NoScriptError))

        if self.slot is None and not shards.primaries:
            yield None, False
        elif self.slot is None:
            self.answers = {node: answer for node, answer in self.answers.items() if node in shards.primaries}
            yield from (
                (node, False) for node in shards.primaries if node not in self.answers or again(self.answers[node])
            )
        elif not self.answers or again(answer := self.answers[None]):
            if self.answers and type(answer) is theirs.AskError:
                yield (answer.host, answer.port), True
            else:
                yield shards.by_slot[self.slot], False

    def errors(self) -> Iterator[Exception]:
        return (answer for answer in self.answers.values() if isinstance(answer, Exception))

    def answer(self) -> Any:
        """What it came to: the first error, if there is any."""
        if (error := next(self.errors(), None)) is not None:
            return error
        given = list(self.answers.values())
        return given[0] if self.slot is not None else _EVERYWHERE[str(self.args[0]).upper()](given)


class Sent(NamedTuple):
    """A task with what goes before and after it; `replicas`: how many are to have what it wrote; `scripts`: their
    texts."""

    task: Task
    asking: bool
    replicas: int
    scripts: tuple[Any, ...] = ()

    def before(self) -> list[tuple[Any, ...]]:
        """What it is sent behind: the scripts that the node lacks, and that another node named it."""
        return [*(("SCRIPT LOAD", script) for script in self.scripts), *([("ASKING",)] if self.asking else ())]

    def written(self) -> list[tuple[Any, ...]]:
        after = [waiting(self.replicas)] if self.replicas else []
        return [*self.before(), self.task.args, *after]


def waiting(replicas: int) -> tuple[Any, ...]:
    """The command that is answered when so many have what was written before, or SECURED_S later: how many have it."""
    return "WAIT", replicas, int(SECURED_S * 1000)


def slot_of(args: Sequence[Any]) -> int | None:
    """The slot of a command's first key; None for a command that all primaries are asked."""
    name = str(args[0]).upper()
    if name in _EVERYWHERE:
        return None
    if name in _ANYWHERE:
        return 0
    at = 3 if name in ("EVALSHA", "EVAL") else 1
    if len(args) <= at:
        raise theirs.RedisError(f"{name} has no key, and nobody has said which nodes it is for")
    key = args[at]
    return key_slot(key.encode() if isinstance(key, str) else key)


def worth_another(error: Exception) -> bool:
    return isinstance(error, _PASSING) and not isinstance(error, _FINAL)
