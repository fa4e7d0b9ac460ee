"""Sends commands to the nodes of a Cluster that have their slots, and again where a slot moves or a node is gone.

redis-py's own client sends what failed in a pipeline again one by one, each six times: 500 commands to a host that is
gone take it an hour. Here all of them go again together, for some seconds in all.

Invariant: the answers have the order of the commands. Commands of one slot are sent in their order at first; one that
is sent again comes after those of them that were answered, and one whose answer was lost may be carried out twice. What
needs an order for good is one script.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from typing import Any

import redis.exceptions as theirs

from worker.connect import merged
from worker.connect.nodes import ANSWERLESS, REFUSED, Lent, Node, Nodes, Shards
from worker.connect.several import place_name
from worker.connect.task import Sent, Task, worth_another
from worker.connect.trouble import Unreplicated

PATIENCE_S = 3.0
"""So long what is about a slot that moves, or about a node that is gone, is sent again; then whoever asked decides. A
replica takes over after the Cluster's cluster-node-timeout: 15 s, if nobody has changed it."""

_PATIENCE_ALONE_S = 0.5
"""And so long where no node at all answers: as on a single server."""

_PAUSE_S, _LONGEST_PAUSE_S = 0.01, 0.25

_OLD_MAP = (*ANSWERLESS, theirs.ClusterDownError, theirs.MovedError, Unreplicated)
"""What may be so as the map is old: of Unreplicated its replica may be dead by now, or the primary."""

Parse = Callable[..., Any]
"""(connection, command, options) -> the answer, as redis-py's clients have it; raises the server's errors."""


def send(
    nodes: Nodes,
    parse: Parse,
    stack: Sequence[tuple[Any, Any]],
    scripts: Collection[Any] = (),
    *,
    secured: bool = False,
) -> list[Any]:
    """The answers to these (arguments, options), errors among them; `scripts` are loaded where a node lacks them.

    secured: what the replicas of its node do not get is sent again too, and at last Unreplicated: it may stand there or
    not. Raises what redis-py does where no node has ever told who serves what, or a user is refused.
    """
    tasks = [Task(args, options, secured=secured) for args, options in stack]
    began, pause_s, patience_s, overdue = time.monotonic(), _PAUSE_S, PATIENCE_S, False
    while tasks:
        shards = nodes.shards()
        _round(nodes, parse, tasks, shards, scripts)
        errors = [error for task in tasks for error in task.errors()]
        lacking = bool(scripts) and any(task.lacking for task in tasks)
        if not lacking and not any(map(worth_another, errors)):
            _learn(nodes, errors, shards)
            break
        if time.monotonic() + pause_s > began + patience_s:
            if overdue or not lacking:
                break
            overdue = True  # a node that hangs took the time; another is sent its scripts all the same
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        if not _learn(nodes, errors, shards):
            patience_s = _PATIENCE_ALONE_S
    return [task.answer() for task in tasks]


def _round(nodes: Nodes, parse: Parse, tasks: Sequence[Task], shards: Shards, scripts: Collection[Any]) -> None:
    """Send what has no lasting answer: all nodes are written to before any is read from."""
    with ExitStack() as closing:
        reading = []
        for node, sent in _by_node(tasks, shards, scripts).items():
            try:
                lent = closing.enter_context(Lent(nodes, node))
                lent.connection.send_packed_command(
                    lent.connection.pack_commands([c for each in sent for c in each.written()])
                )
                reading.append((lent, sent))
            except ANSWERLESS as error:
                _all_failed(nodes, node, sent, error)
        for lent, sent in reading:
            _read(lent, parse, sent)


def _by_node(tasks: Sequence[Task], shards: Shards, scripts: Collection[Any]) -> dict[Node, list[Sent]]:
    """What each node is sent. One that lacked a script is sent all of them, before the first command that it had none
    for: no other node is asked, which might be away."""
    loading = set[Node]()
    to: dict[Node, list[Sent]] = defaultdict(list)
    for task in tasks:
        for node, asking in task.places(shards, missing=bool(scripts)):
            if node is None:
                task.keep(None, theirs.ClusterDownError("Hash slot not served", status_code="CLUSTERDOWN"))
                continue
            lacking = task.lacking and node not in loading
            if lacking:
                loading.add(node)
            texts = [script.script for script in scripts] if lacking else []
            to[node].append(task.sent(shards, node, asking=asking, scripts=texts))
    return to


def _read(lent: Lent, parse: Parse, sent: Sequence[Sent]) -> None:
    late: list[tuple[Task, int]] = []
    for at, each in enumerate(sent):
        task, replicas = each.task, each.replicas
        try:
            said = [_answer(lent, parse, args, {}) for args in each.before()]
            answer = _answer(lent, parse, task.args, task.options)
            acked = _answer(lent, parse, ("WAIT",), {}) if replicas else 0
        except ANSWERLESS as error:
            _all_failed(lent.nodes, lent.node, sent[at:], error)
            break
        if isinstance(answer, theirs.ClusterDownError):
            lent.nodes.failed(lent.node)  # it may be cut off from the others, and its map old: it is asked last
        task.keep(lent.node, next((refused for refused in said if isinstance(refused, Exception)), answer))
        if isinstance(acked, theirs.NoPermissionError):
            task.keep(lent.node, acked)
        elif replicas and not isinstance(answer, Exception):  # any other error: it was demoted while it waited
            missing = replicas - (0 if isinstance(acked, Exception) else acked)
            late += [(task, missing)] if missing > 0 else []
    else:
        lent.read = True
    _not_secured(lent, parse, late)


def _not_secured(lent: Lent, parse: Parse, late: Sequence[tuple[Task, int]]) -> None:
    """What `missing` replicas have not got is not answered, unless they are given a copy of everything just now: that
    takes minutes, and a replica that is half copied does not take over."""
    copying = _copying(lent, parse) if late else 0
    for task, missing in late:
        if missing > copying:
            lent.nodes.failed(lent.node)  # asked last for the map: cut off, it would call its replicas well for ever
            task.keep(lent.node, Unreplicated(place_name(lent.node)))


def _copying(lent: Lent, parse: Parse) -> int:
    """How many replicas are being given a copy; 0 where the node does not say."""
    if not lent.read:
        return 0
    lent.read = False
    try:
        lent.connection.send_command("INFO", "replication")
        said = _answer(lent, parse, ("INFO",), {})
    except ANSWERLESS:
        return 0
    lent.read = True
    return 0 if isinstance(said, Exception) else merged.copying(said)


def _answer(lent: Lent, parse: Parse, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """The next answer, or the error that it is."""
    try:
        return parse(lent.connection, args[0], **options)
    except ANSWERLESS:
        raise
    except theirs.RedisError as error:
        return error


def _all_failed(nodes: Nodes, node: Node, sent: Sequence[Sent], error: Exception) -> None:
    """What a node gave no answer to; the error says which."""
    nodes.failed(node)
    error.at = place_name(node)  # type: ignore[attr-defined]
    for each in sent:
        each.task.keep(node, error)


def _learn(nodes: Nodes, errors: Sequence[Exception], shards: Shards) -> bool:
    """Have the map asked for anew where an error says that it is old; False where no node answers."""
    moved = [error for error in errors if isinstance(error, theirs.MovedError)]
    if any(isinstance(error, _OLD_MAP) for error in errors):
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
