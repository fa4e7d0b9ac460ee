"""The writing side of a language's shard: the fenced lease, and the one atomic commit.

Invariant: whoever writes stories holds the language's lease, and the commit refuses every fencing number but the
newest, and the newest from anybody but who took it; so what was read under the lease is what the commit meets, also on
a server that has come back without its last second.
"""

import secrets
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from redis import Redis

from worker.cluster import USUAL_STRICTNESS, Need, Ties, View
from worker.connect import lasting, securing
from worker.errors import LeaseLost
from worker.store import keys
from worker.store.forgotten import Forgotten
from worker.store.plan import plan
from worker.store.reading import Reading, T
from worker.store.scripts import load

LEASE_S = 10.0
_RETRY_S = 0.002
_MAX_RETRY_S = 0.005
"""A batch holds the lease for about 50 ms: whoever waits looks so often that it lies idle for a twentieth of that."""
_WAIT_S = 60.0
_ATTEMPTS = 5
"""How often a decision starts over whose lease another worker took."""


@dataclass
class Lease:
    """The right to commit to one language: `fence` proves it, and `name`, which nobody else has, that it was given to
    this owner; `seq` is the last commit, `waited_ms` what it cost; `ties` are the corrections in force."""

    lang: str
    fence: int
    name: bytes
    seq: int
    made: int
    hand: int
    ties: Ties
    waited_ms: float
    taken: float = field(default_factory=time.monotonic)

    @property
    def proof(self) -> bytes:
        """What the scripts know it by."""
        return b"%d %b" % (self.fence, self.name)

    def view(self, strictness: float = USUAL_STRICTNESS) -> View:
        """An empty working set that goes on where the last commit ended."""
        view = View(self.lang, self.seq, self.made, self.hand, self.ties)
        view.strictness = strictness
        return view


class Committing:
    """The script of a commit, sent by this client; `make_room` is for a full server too."""

    def __init__(self, redis: "Redis") -> None:
        self.commit = load(redis, "commit_batch")
        self.make_room = load(redis, "commit_batch", though_full=True)


class Commits(Reading):
    """Leases, loads and commits; `forgotten`: what is kept out. Raises LeaseLost where somebody else has taken over:
    then nothing was written."""

    def __init__(self, redis: "Redis") -> None:
        super().__init__(redis)
        self.forgotten = Forgotten(redis)
        self._take = load(redis, "take_lease", though_full=True)
        self._keep = load(redis, "keep_lease")
        # what a commit placed leaves the outbox, which may be another node's: the commit must not be lost alone; nor
        # what a person decided, which nothing brings again
        self._commit, self._decided = Committing(securing(redis)), Committing(lasting(redis))

    @contextmanager
    def lease(self, lang: str, wait_s: float = _WAIT_S) -> Iterator[Lease]:
        """Hold the language's lease for the block; raises LeaseLost where it was not to be had within `wait_s`."""
        lease = self._acquire(lang, wait_s)
        try:
            yield lease
        finally:
            self._give_back(lease)

    def renew(self, lease: Lease) -> None:
        """Keep a lease that is a third through its time; raises LeaseLost where it ran out."""
        if time.monotonic() - lease.taken < LEASE_S / 3:
            return
        if not self._keep(keys=[keys.lease(lease.lang)], args=[lease.proof, int(LEASE_S * 1000)]):
            raise LeaseLost(f"the lease of {lease.lang} ran out: another worker goes on")
        lease.taken = time.monotonic()

    def answer(self, view: View, steps: Generator[Need, None, T] | Iterator[Need], lease: Lease) -> T:
        """Run the steps of a decision to their end, loading what they ask for and renewing the lease in between;
        returns what they return."""
        while True:
            try:
                need = next(steps)
            except StopIteration as stop:
                value: T = stop.value
                return value
            self.load(view, need)
            self.renew(lease)

    def decide(self, lang: str, steps: Callable[[View], Generator[Need, None, T]]) -> T:
        """Take the lease, run one decision of a person and commit it; starts over where another worker took the lease.

        Raises LeaseLost after some tries, and what the decision raises: then nothing was written. ServerUnavailable:
        then it may be, or may be lost with its server.
        """
        for attempt in range(_ATTEMPTS):
            try:
                with self.lease(lang) as lease:
                    view = lease.view()
                    value: T = self.answer(view, steps(view), lease)
                    self.commit(lease, view, self._decided)
                    return value
            except LeaseLost:
                if attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    def commit(self, lease: Lease, view: View, committing: "Committing | None" = None) -> None:
        """Write what the view changed since the lease, all or nothing; raises LeaseLost where it came too late.

        What only removes articles is written to a full server too: it makes room.
        """
        committing = committing or self._commit
        names, values = plan(view)
        shard = [
            f(view.lang) for f in (keys.fence, keys.counters, keys.active, keys.latest, keys.events, keys.corrections)
        ]
        moves = view.changes.moves
        run = committing.make_room if moves and all(move.kind == "leave" for move in moves) else committing.commit
        if not run(keys=[*shard, *names], args=[lease.proof, lease.seq, secrets.token_bytes(8), *values]):
            raise LeaseLost(f"a commit to {lease.lang} came after its lease had gone to another worker")
        lease.seq, lease.made, lease.hand, lease.ties = view.seq, view.made, view.hand, view.ties

    def _acquire(self, lang: str, wait_s: float) -> Lease:
        began, pause_s, name = time.monotonic(), _RETRY_S, secrets.token_bytes(8)
        names = [keys.lease(lang), keys.fence(lang), keys.counters(lang)]
        while True:
            fence, *rest = self._take(keys=names, args=[int(LEASE_S * 1000), name])
            waited = time.monotonic() - began
            if fence:
                seq, made, hand, corrected = rest
                return self._enter(Lease(lang, fence, name, seq, made, hand, Ties(), waited * 1000), corrected)
            if waited > wait_s:
                raise LeaseLost(f"the lease of {lang} was not free for {wait_s:.0f} s")
            time.sleep(pause_s)
            pause_s = min(_MAX_RETRY_S, pause_s * 1.5)

    def _enter(self, lease: Lease, corrected: bytes) -> Lease:
        """A taken lease with the corrections in force; given back where they cannot be had, or it would hold everybody
        up."""
        try:
            if not lease.seq:
                self._redis.sadd(keys.languages(), lease.lang)
            lease.ties = self._corrections(lease.lang, corrected)
        except BaseException:
            self._give_back(lease)
            raise
        return lease

    def _give_back(self, lease: Lease) -> None:
        self._keep(keys=[keys.lease(lease.lang)], args=[lease.proof, 0])
