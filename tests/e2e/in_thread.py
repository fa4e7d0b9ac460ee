"""A server of a test in a thread and a loop of its own, so that whole processes can be tested against it."""

import asyncio
import threading
from types import TracebackType
from typing import Self


class InThread:
    """Use it as a context manager. `_run` serves: it sets `_ready` once it listens, and ends by `_stopping`."""

    _stopping: asyncio.Event
    """Made in `_run`: an event belongs to its loop."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10), f"the {type(self).__name__} did not start"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)
        assert not self._thread.is_alive(), f"the {type(self).__name__} did not stop"

    async def _run(self) -> None:
        raise NotImplementedError

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._run())
        finally:
            self._loop.close()
