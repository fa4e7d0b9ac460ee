"""The one place that turns settings into clients, stores and use cases.

Invariant: everything a process talks to is made here, once, and is closed on every way out; what a command does not
touch (the queue, the fingerprints) is not imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import structlog

from worker.clock import Clock, SystemClock
from worker.config import Settings
from worker.connect import STORE_VARIABLE, await_loaded, connect, connect_plain, identify, server_name
from worker.errors import ServerUnavailable
from worker.runtime.stores import Stores

if TYPE_CHECKING:
    from worker.editing import Editing
    from worker.forgetting import Forgetting
    from worker.ingest import Ingest
    from worker.jobs import Jobs

__all__ = ["Runtime", "open_runtime"]

log = structlog.get_logger()


@dataclass(frozen=True)
class Runtime(Stores):
    """What a process works with: the stores, and what is made of them, each when it is first asked for.

    `url` is the stories' server, `queue_url` the queue's; `owns_server` is true in the process that started the
    embedded server.
    """

    url: str
    queue_url: str
    owns_server: bool
    _meet: Callable[..., object] = field(repr=False)
    _closing: ExitStack = field(repr=False)

    @cached_property
    def jobs(self) -> Jobs:
        """The queue: RQ, 0.1 s to import."""
        from worker.jobs import Jobs  # noqa: PLC0415

        variable = _queue_variable(self.settings)
        client = connect_plain(self.queue_url, variable)
        self._closing.callback(client.close)
        if self.queue_url != self.url:
            self._meet(client, self.queue_url, variable)
        return Jobs(client, self.settings.batch, url=self.queue_url, variable=variable)

    @cached_property
    def ingest(self) -> Ingest:
        """The use case that clusters a batch; imports all that fingerprints need."""
        from worker.ingest import Ingest  # noqa: PLC0415
        from worker.jobs.hang import allow_cpu  # noqa: PLC0415
        from worker.store.commits import Commits  # noqa: PLC0415
        from worker.store.reach import Reach  # noqa: PLC0415

        commits, reach = Commits(self.redis), Reach(self.redis)
        return Ingest(self.outbox, self.stories, commits, self.settings, self.clock, self.lags, allow_cpu, reach)

    @cached_property
    def editing(self) -> Editing:
        """The use case that corrects stories by hand."""
        from worker.editing import Editing  # noqa: PLC0415
        from worker.store.commits import Commits  # noqa: PLC0415

        return Editing(self.stories, Commits(self.redis), self.clock)

    @cached_property
    def forgetting(self) -> Forgetting:
        """The use case that removes content everywhere."""
        from worker.forgetting import Forgetting  # noqa: PLC0415
        from worker.store.commits import Commits  # noqa: PLC0415

        return Forgetting(
            self.stories,
            self.outbox,
            self.quarantine,
            self.feeds,
            Commits(self.redis),
            self.jobs,
            self.clock,
            self.pages,
        )

    def rewrite_log(self) -> bool:
        """Have the embedded server write its log anew, without what was removed; False for another server, which is
        not ours to burden."""
        from worker.store.forgotten import Forgotten  # noqa: PLC0415

        return not self.settings.redis_url and Forgotten(self.redis).rewrite_log()

    def described(self) -> str:
        """Where the stories are, in words for a person."""
        joined = not self.settings.redis_url and not self.owns_server
        return f"{self._place()}, which ran already" if joined else self._place()

    def _place(self) -> str:
        if self.settings.redis_url:
            return f"the server {server_name(self.url)}"
        return f"the embedded server in {self.settings.data_dir}"

    def enter_store(self, *, carry_over: bool) -> None:
        """See that the store is of this version, or make it so; raises Permanent where it is another's."""
        from worker.store import schema  # noqa: PLC0415

        carried = schema.enter(self.redis, self._place(), self.clock.now(), carry_over=carry_over)
        if carried is not None:
            self.jobs.drop_previous()
            log.info("store carried over", schema=schema.OURS, **asdict(carried))

    def ensure_store(self) -> None:
        """For processes that run on and on: raises Permanent where a newer version has taken the store over."""
        from worker.store import schema  # noqa: PLC0415

        schema.ensure(self.redis, self._place())

    def keep_server(self) -> bool:
        """Start the embedded server again if it has ended; True if it had. Raises ServerUnavailable or Permanent."""
        try:
            identify(self.redis, self.url)
        except ServerUnavailable:
            if self.settings.redis_url:
                raise
            from worker.embedded import open_server  # noqa: PLC0415

            return self._closing.enter_context(open_server(self.settings.data_dir)).owned
        return False


def _queue_variable(settings: Settings) -> str:
    return "STORYWIRE_QUEUE_URL" if settings.queue_url else STORE_VARIABLE


@contextmanager
def open_runtime(settings: Settings, clock: Clock | None = None, *, carry_over: bool = False) -> Iterator[Runtime]:
    """A runtime on the server of `settings.redis_url`, or on the embedded one of `settings.data_dir`.

    The embedded server is started, or joined where it runs already. carry_over: for processes that cluster or poll:
    bring a store of the previous version to this one's layout first, and wait for a server that loads its data.
    Raises ServerUnavailable or Permanent if the server does not answer, is too old, holds a store of another version,
    or its address cannot be used.
    """
    with ExitStack() as closing:
        url, owned = settings.redis_url, False
        if not url:
            from worker.embedded import open_server  # noqa: PLC0415

            server = closing.enter_context(open_server(settings.data_dir))
            url, owned = server.url, server.owned
        client = connect(url)
        closing.callback(client.close)
        connect_plain(settings.queue_url or url, _queue_variable(settings)).close()  # refuses what RQ cannot use
        meet = await_loaded if carry_over else identify
        meet(client, url)
        runtime = Runtime(
            settings, clock or SystemClock(), client, url, settings.queue_url or url, owned, meet, closing
        )
        runtime.enter_store(carry_over=carry_over)
        yield runtime
