"""`storywire pages`: read the pages of entries that carry only a summary, one process."""

import asyncio
import os

import click

from worker.cli.stopping import until_stopped
from worker.config import load


@click.command("pages", epilog="Example: storywire pages --data-dir ~/news")
@click.option("--data-dir", metavar="DIR", help="Data directory of the embedded server.  [STORYWIRE_DATA_DIR]")
def command(data_dir: str | None) -> None:
    """Read the pages of entries that carry only a summary, until stopped.

    Such an article waits up to STORYWIRE_PAGES_WAIT for its page's text; then its summary is clustered. Pages are
    asked for as their site's robots.txt and the gates of STORYWIRE_GATE let, never from private networks. Any number
    of these processes share the work; without any, summaries are clustered at once.
    """
    from worker import log
    from worker.cli.measuring import measured
    from worker.metrics import Metrics
    from worker.pages.loop import Pager
    from worker.runtime import Runtime, open_runtime
    from worker.watchdog import Watchdog

    async def read(runtime: Runtime, metrics: Metrics) -> None:
        pager = Pager(
            pages=runtime.pages,
            readers=runtime.readers,
            outbox=runtime.outbox,
            gates=runtime.gates,
            enqueue=runtime.jobs.enqueue,
            settings=runtime.settings,
            clock=runtime.clock,
            metrics=metrics,
            watchdog=Watchdog(os.environ),
        )
        await until_stopped(pager.run(), pager.stop)

    settings = load(os.environ, data_dir=data_dir)
    log.configure("pages", settings.log_level, settings.log_format)
    with open_runtime(settings, carry_over=True) as runtime, measured("pages", settings) as metrics:
        asyncio.run(read(runtime, metrics))
