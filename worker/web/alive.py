"""Says that this web process lives, for the page of status of whichever one is asked.

Invariant: a server that is away neither ends it nor delays the end of the process by more than a second.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from worker.errors import StorywireError
from worker.names import new_name, this_version
from worker.store.pollers import TTL_S, Sign, Webs

_BEAT_S = TTL_S / 4
_LEAVE_S = 1.0


async def stay_alive(webs: Webs, aside: Callable[..., Awaitable[Any]], now: float, place: str) -> None:
    """Give signs of life until cancelled, then take them back. `aside` runs a blocking call in a thread; `place`: where
    it serves since `now`."""
    name, sign = new_name(), Sign(started=now, version=this_version(), doing=f"serves at {place}")
    try:
        while True:
            with suppress(StorywireError):
                await aside(webs.beat, name, sign)
            await asyncio.sleep(_BEAT_S)
    finally:
        with suppress(StorywireError, TimeoutError):
            await asyncio.wait_for(aside(webs.leave, name), _LEAVE_S)
