"""`storywire work`: cluster queued articles, one process."""

import os
import sys

import click

from worker.config import load


@click.command("work", epilog="Example: storywire work --burst")
@click.option("--burst", is_flag=True, help="End when the queue is empty.")
@click.option("--data-dir", metavar="DIR", help="Folder of the embedded server.  [STORYWIRE_DATA_DIR]")
def command(burst: bool, data_dir: str | None) -> None:
    """Cluster queued articles until stopped; SIGTERM lets the batch in hand be finished.

    Start as many as there are processors. Each starts itself afresh after 5,000 batches.
    """
    from worker import log, tasks
    from worker.cli.measuring import measured
    from worker.jobs.worker import End
    from worker.runtime import open_runtime
    from worker.watchdog import Watchdog

    settings = load(os.environ, data_dir=data_dir)
    log.configure("worker", settings.log_level, settings.log_format)
    with open_runtime(settings, carry_over=True) as runtime, measured("worker", settings) as metrics:
        end = tasks.work(runtime, burst=burst, metrics=metrics, watchdog=Watchdog(os.environ))
    if end is End.WORN:
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606
