"""Sends commands to the nodes of a Cluster that have their slots, and again where a slot moves or a node is gone.

redis-py's own client sends what failed in a pipeline again one by one, each six times: 500 commands to a host that is
gone take it an hour. Here all of them go again together, for some seconds in all.

Invariant: the answers have the order of the commands; commands of one slot are sent in their order, and what is sent
again keeps it.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import redis.exceptions as theirs
from redis.crc import key_slot

from worker.connect import merged
from worker.connect.nodes import ANSWERLESS, REFUSED, Node, Nodes, Shards

PATIENCE_S = 3.0
"""So long what is about a slot that moves, or about a node that is gone, is sent again; then whoever asked decides. A
replica takes over after the Cluster's cluster-node-timeout: 15 s, if nobody has changed it."""

_PATIENCE_ALONE_S = 0.5
"""And so long where no node at all answers: as on a single server."""

_PAUSE_S, _LONGEST_PAUSE_S = 0.01, 0.25

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

_PASSING = (*ANSWERLESS, theirs.AskError, theirs.TryAgainError, theirs.ClusterDownError)  # MOVED is an AskError too
_FINAL = (*REFUSED, theirs.TimeoutError)
"""Among those, what is not sent again: a server that does not answer in time is not asked for more."""

Parse = Callable[..., Any]
"""(connection, command, options) -> the answer, as redis-py's clients have it; raises the server's errors."""


SECURED_S = 1.0
"""So long a write that is to outlive its node is waited for until a replica has it; without any it stands all the
same, as on a single server."""

_SECURE = ("WAIT", 1, int(SECURED_S * 1000))


class _Task:
    """A command, with the slot that it is about, None for what all primaries are asked; what each node answered.
    `secured`: it is answered when a replica has what it wrote; `late`: none had it in time."""

    __slots__ = ("answers", "args", "late", "options", "secured", "slot")

    def __init__(self, args: tuple[Any, ...], options: dict[str, Any], *, secured: bool = False) -> None:
        self.args, self.options, self.secured, self.late = args, options, secured, False
        self.slot = slot_of(args)
        self.answers: dict[Node | None, Any] = {}

    def keep(self, node: Node | None, answer: Any) -> None:
        self.answers[node if self.slot is None else None] = answer

    def sent(self, shards: Shards, node: Node, *, asking: bool) -> "_Sent":
        """It, as this node is sent it: without a replica there is none to wait for."""
        return _Sent(self, asking, self.secured and node in shards.replicated)

    def errors(self) -> Iterator[Exception]:
        return (answer for answer in self.answers.values() if isinstance(answer, Exception))

    def answer(self) -> Any:
        """What it came to: the first error, if there is any."""
        if (error := next(self.errors(), None)) is not None:
            return error
        given = list(self.answers.values())
        return given[0] if self.slot is not None else _EVERYWHERE[str(self.args[0]).upper()](given)


class _Sent(NamedTuple):
    """A task with what goes before and after it."""

    task: _Task
    asking: bool
    secure: bool

    def written(self) -> list[tuple[Any, ...]]:
        return [*([("ASKING",)] if self.asking else ()), self.task.args, *([_SECURE] if self.secure else ())]


def send(
    nodes: Nodes,
    parse: Parse,
    stack: Sequence[tuple[Any, Any]],
    scripts: Collection[Any] = (),
    *,
    secured: bool = False,
) -> list[Any]:
    """The answers to these (arguments, options), errors among them; `scripts` are loaded where a node lacks them.

    secured: each is answered when a replica of its node has what it wrote, or SECURED_S later. Raises what redis-py
    does where no node has ever told who serves what, or a user is refused.
    """
    tasks = [_Task(args, options, secured=secured) for args, options in stack]
    began, pause_s, patience_s = time.monotonic(), _PAUSE_S, PATIENCE_S
    while tasks:
        shards = nodes.shards()
        _round(nodes, parse, tasks, shards, missing=bool(scripts))
        errors = [error for task in tasks for error in task.errors()]
        lacking = bool(scripts) and any(isinstance(error, theirs.NoScriptError) for error in errors)
        if not lacking and not any(map(_worth_another, errors)):
            _learn(nodes, errors, shards, late=any(task.late for task in tasks))
            break
        if time.monotonic() + pause_s > began + patience_s:
            break
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        if not _learn(nodes, errors, shards):
            patience_s = _PATIENCE_ALONE_S
        if lacking:
            send(nodes, parse, [(("SCRIPT LOAD", script.script), {}) for script in scripts])
    return [task.answer() for task in tasks]


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


def _worth_another(error: Exception) -> bool:
    return isinstance(error, _PASSING) and not isinstance(error, _FINAL)


def _round(nodes: Nodes, parse: Parse, tasks: Sequence[_Task], shards: Shards, *, missing: bool) -> None:
    """Send what has no lasting answer: all nodes are written to before any is read from."""
    to: dict[Node, list[_Sent]] = defaultdict(list)
    for task in tasks:
        for node, asking in _places(task, shards, missing=missing):
            if node is None:
                task.keep(None, theirs.ClusterDownError("Hash slot not served", status_code="CLUSTERDOWN"))
            else:
                to[node].append(task.sent(shards, node, asking=asking))
    with ExitStack() as closing:
        reading = []
        for node, sent in to.items():
            try:
                connection: Any = nodes.pool(node).get_connection()
                whole = closing.enter_context(_Whole(nodes, node, connection))
                connection.send_packed_command(connection.pack_commands([c for each in sent for c in each.written()]))
                reading.append((whole, sent))
            except ANSWERLESS as error:
                _all_failed(nodes, node, sent, error)
        for whole, sent in reading:
            _read(whole, parse, sent)


class _Whole:
    """A connection that goes back to its pool; closed, unless all answers were read from it."""

    def __init__(self, nodes: Nodes, node: Node, connection: Any) -> None:
        self.nodes, self.node, self.connection, self.read = nodes, node, connection, False

    def __enter__(self) -> "_Whole":
        return self

    def __exit__(self, *_: object) -> None:
        if not self.read:
            self.connection.disconnect()
        self.nodes.pool(self.node).release(self.connection)


def _read(whole: _Whole, parse: Parse, sent: Sequence[_Sent]) -> None:
    for at, (task, asking, secure) in enumerate(sent):
        try:
            refused = _answer(whole, parse, ("ASKING",), {}) if asking else None
            answer = _answer(whole, parse, task.args, task.options)
            if secure:
                task.late = _answer(whole, parse, _SECURE, {}) == 0
        except ANSWERLESS as error:
            _all_failed(whole.nodes, whole.node, sent[at:], error)
            return
        if isinstance(answer, theirs.ClusterDownError):
            whole.nodes.failed(whole.node)  # it may be cut off from the others, and its map old: it is asked last
        task.keep(whole.node, refused if isinstance(refused, Exception) else answer)
    whole.read = True


def _answer(whole: _Whole, parse: Parse, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """The next answer, or the error that it is."""
    try:
        return parse(whole.connection, args[0], **options)
    except ANSWERLESS:
        raise
    except theirs.RedisError as error:
        return error


def _all_failed(nodes: Nodes, node: Node, sent: Sequence[_Sent], error: Exception) -> None:
    nodes.failed(node)
    for each in sent:
        each.task.keep(node, error)


def _places(task: _Task, shards: Shards, *, missing: bool) -> Iterator[tuple[Node | None, bool]]:
    """Where a command is still to be sent, and whether that node has to be told that another one named it (ASKING)."""

    def again(answer: Any) -> bool:
        return _worth_another(answer) or (missing and isinstance(answer, theirs.NoScriptError))

    if task.slot is None and not shards.primaries:
        yield None, False
    elif task.slot is None:
        task.answers = {node: answer for node, answer in task.answers.items() if node in shards.primaries}
        yield from ((node, False) for node in shards.primaries if node not in task.answers or again(task.answers[node]))
    elif not task.answers or again(answer := task.answers[None]):
        if task.answers and type(answer) is theirs.AskError:
            yield (answer.host, answer.port), True
        else:
            yield shards.by_slot[task.slot], False


def _learn(nodes: Nodes, errors: Sequence[Exception], shards: Shards, *, late: bool = False) -> bool:
    """Have the map asked for anew where an error says that it is old, or a replica was late and may be none any more;
    False where no node answers."""
    moved = [error for error in errors if isinstance(error, theirs.MovedError)]
    if late or any(isinstance(error, (*ANSWERLESS, theirs.ClusterDownError, theirs.MovedError)) for error in errors):
        try:
            nodes.ask_again(shards)
        except REFUSED:
            raise
        except ANSWERLESS:
            return False
    for error in moved:
        if error.host:
            nodes.moved(error.slot_id, (error.host, error.port))
    return True
