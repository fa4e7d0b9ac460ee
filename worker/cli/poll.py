"""`storywire poll`: poll feeds and queue their new articles, one process."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from worker.cli.stopping import until_stopped
from worker.config import load

if TYPE_CHECKING:
    from worker.metrics import Metrics
    from worker.runtime import Runtime


@click.command("poll", epilog="Example: storywire poll --feeds news.opml")
@click.option("--feeds", "opml", type=click.Path(path_type=Path), metavar="OPML", help="Add the feeds of this file.")
@click.option("--once", is_flag=True, help="Poll what is due now, once, and end.")
@click.option("--data-dir", metavar="DIR", help="Data directory of the embedded server.  [STORYWIRE_DATA_DIR]")
def command(opml: Path | None, once: bool, data_dir: str | None) -> None:
    """Poll feeds and queue their new articles, until stopped.

    A store that never knew a feed begins with the default list. Any number of pollers share the work. SIGTERM and
    Ctrl-C end it: what is being fetched is given back, and polled again at the next start.
    """
    from worker import log
    from worker.cli.measuring import measured
    from worker.poller.subscribe import subscribe
    from worker.runtime import open_runtime

    settings = load(os.environ, data_dir=data_dir)
    log.configure("poller", settings.log_level, settings.log_format)
    with open_runtime(settings, carry_over=True) as runtime:
        for line in subscribe(runtime.feeds, opml, runtime.clock.now()):
            click.echo(line, err=True)
        with measured("poller", settings) as metrics:
            asyncio.run(_poll(runtime, metrics, once=once))


async def _poll(runtime: "Runtime", metrics: "Metrics", *, once: bool) -> None:
    from worker.poller.loop import Poller
    from worker.store.reach import Reach
    from worker.watchdog import Watchdog

    poller = Poller(
        feeds=runtime.feeds,
        outbox=runtime.outbox,
        pollers=runtime.pollers,
        gates=runtime.gates,
        pages=runtime.pages,
        hubs=runtime.hubs,
        enqueue=runtime.jobs.enqueue,
        settings=runtime.settings,
        clock=runtime.clock,
        metrics=metrics,
        watchdog=Watchdog(os.environ),
        reach=Reach(runtime.redis),
    )
    await until_stopped(poller.run(once=once), poller.stop)
