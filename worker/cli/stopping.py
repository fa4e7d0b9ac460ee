"""How the commands that run until they are stopped hear of it.

Invariant: SIGTERM and Ctrl-C are the same wish: to end in order.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable


async def until_stopped(run: Awaitable[None], stop: Callable[[], None]) -> None:
    """Run, and call `stop`, which lets it end soon, on SIGTERM and SIGINT."""
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    await run
