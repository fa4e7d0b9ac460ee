"""`storywire up`: everything in one terminal."""

import os
from functools import partial
from pathlib import Path

import click

from worker.cli.paging import LISTEN, NO_PAGE, place_for_page
from worker.config import load


@click.command("up", epilog="Example: storywire up --feeds news.opml --data-dir ~/news")
@click.option("--feeds", "opml", type=click.Path(path_type=Path), metavar="OPML", help="Add the feeds of this file.")
@click.option("--data-dir", metavar="DIR", help="Data directory of the embedded server.  [STORYWIRE_DATA_DIR]")
@click.option("--workers", type=click.IntRange(1, 64), help="Worker processes.  [STORYWIRE_WORKERS, 1]")
@LISTEN
@NO_PAGE
def command(opml: Path | None, data_dir: str | None, workers: int | None, listen: str | None, no_page: bool) -> None:
    """Watch the news: poller, workers, the page and the report in this terminal, until Ctrl-C.

    Runs an embedded server unless STORYWIRE_REDIS_URL names another. What was gathered is kept for the next time. The
    page's address is printed; where its port is taken, the next one that is free serves it, but an address that was
    given (STORYWIRE_LISTEN, --listen, or with STORYWIRE_PUBLIC_URL the usual one) is never changed: there is no page
    then, and a line that says why.
    """
    from worker import log, supervisor
    from worker.poller.subscribe import subscribe
    from worker.runtime import open_runtime
    from worker.watchdog import Watchdog

    settings = load(os.environ, data_dir=data_dir, workers=str(workers) if workers else None, listen=listen)
    log.configure("up", settings.log_level, settings.log_format)
    say = partial(click.echo, err=True)
    with (
        supervisor.alone(settings.data_dir),
        place_for_page(settings, listen, say, wanted=not no_page) as (placed, page),
        open_runtime(placed, carry_over=True) as runtime,
    ):
        say(f"Storywire on {runtime.described()}")
        for line in subscribe(runtime.feeds, opml, runtime.clock.now()):
            say(line)
        supervisor.run(runtime, say, page, watchdog=Watchdog(os.environ))
