"""The version of the store's layout: which one a server holds, and what to do about another one.

Invariant: no process works on a server whose processes are of a newer version; an older version's store is carried over
by a process of this one before it does anything else, and by one only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from redis import Redis

from worker.errors import NotPermitted, Permanent, ServerUnavailable
from worker.store import keys
from worker.store.scripts import load

if TYPE_CHECKING:
    from worker.store.carrying import Carried

OURS = keys.SCHEMA
OLDEST = OURS - 1
"""The oldest version that is carried over: the previous one."""


class State(NamedTuple):
    """`ours`: this program's version; `found`: the server's, 0 for an empty one; `left`: whether something of the
    previous version is there besides, as a process of it still runs or ran; `written`: whether the server says so."""

    ours: int
    found: int
    left: bool = False
    written: bool = True


def state(redis: Redis) -> State:
    """Which version a server holds; one round trip, or two where nobody has written it down yet."""
    server: Any = redis
    pipe = server.pipeline(transaction=False)
    pipe.get(keys.schema())
    for key in _traces(OLDEST):  # each by itself: on a Cluster they lie on different nodes
        pipe.exists(key)
    said, *left = pipe.execute()
    if said is not None:
        return State(OURS, _number(said), any(left))
    there = [version for version in range(OURS, 0, -1) if _has(redis, version)]
    older = [version for version in there if version < OURS]
    return State(OURS, max(older or there, default=0), any(left), written=False)


def enter(redis: Redis, server: str, now: float, *, carry_over: bool) -> Carried | None:
    """Make sure that this version may work on a server, named `server` in errors; what was carried over, if anything.

    carry_over: for processes that cluster or poll; a command that only looks does not decide on an upgrade. Raises
    Permanent for a newer version, for one that is too old, and for the previous one without `carry_over`.
    """
    found = state(redis)
    _refuse(found, server, carry_over=carry_over)
    carried = None
    if carry_over and (found.left or found.found == OLDEST):
        from worker.store.carrying import Carrying  # noqa: PLC0415 - with all that a commit needs

        try:
            carried = Carrying(redis, OLDEST).run(now)
        except NotPermitted:  # the poller's
            raise Permanent(
                f"the store on {server} is of schema {OLDEST}, and this user may not carry it over: start "
                "`storywire work` of this version first, whose user may"
            ) from None
    if not found.written or found.found < found.ours:
        try:
            now_there: Any = load(redis, "raise_schema")(keys=[keys.schema()], args=[OURS])
        except ServerUnavailable:  # a server that is full can still be looked at
            if carry_over:
                raise
        else:
            _refuse(found._replace(found=now_there), server, carry_over=carry_over)
    return carried


def ensure(redis: Redis, server: str) -> None:
    """For a process that runs on and on: raises Permanent where a newer version has taken the store over. One GET."""
    said: Any = redis.get(keys.schema())
    if said is not None:
        _refuse(State(OURS, _number(said)), server, carry_over=True)


def _refuse(found: State, server: str, *, carry_over: bool) -> None:
    if found.found > found.ours:
        raise Permanent(
            f"the store on {server} is of schema {found.found}, this program knows up to {found.ours}: "
            "install the newer version here too"
        )
    if 0 < found.found < OLDEST:
        raise Permanent(
            f"the store on {server} is of schema {found.found}, this program carries over {OLDEST} only: start the "
            "version before this one on it first, or give an empty database"
        )
    if found.found == OLDEST and not carry_over:
        raise Permanent(
            f"the store on {server} is of schema {OLDEST}, this program's is {found.ours}: start `storywire up`, "
            "`work` or `poll` of this version, which carries it over"
        )


def _has(redis: Redis, version: int) -> bool:
    """Whether a server holds anything of a version; version 2 did not write it down."""
    server: Any = redis
    pipe = server.pipeline(transaction=False)
    for key in (*_traces(version), keys.Layout(version).was(keys.removed_feeds())):
        pipe.exists(key)
    return any(pipe.execute())


def _traces(version: int) -> list[str]:
    """Keys of which every store of a version that was ever used has one."""
    layout = keys.Layout(version)
    return [layout.was(each()) for each in (keys.languages, keys.schedule, keys.outboxes)]


def _number(said: bytes) -> int:
    """A value that is no figure was written by no version that this one knows: it is taken for a newer one."""
    return int(said) if said.isdigit() and len(said) < 10 else OURS + 1
