"""`storywire import`: history into the live store, as backfill."""

import os
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import click

from worker import config, log
from worker.cli.loading import DATA_DIR, FILES, WORKERS, arrival_at, end, load, read_index, tell_away
from worker.cli.screen.terminal import ended_quietly
from worker.clock import SystemClock
from worker.patience import Patience
from worker.report.words import count
from worker.runtime import open_runtime


@click.command("import")
@FILES
@DATA_DIR
@WORKERS
def command(files: tuple[Path, ...], data_dir: str | None, workers: int) -> None:
    """Put files of articles into the live store, as backfill: they are clustered, but nothing breaks because of them.

    The files are those of `storywire replay`. An article counts as of its stated date, however old. One whose id is in
    the store already is left as it is. Files of STORYWIRE_ARCHIVE_DIR bring stories back as they were, with their
    numbers where those are free; `-` is standard input, gzipped or not. A server that is away is waited for, two
    minutes at most. Exit status 1 if lines had to be left out, or articles ended in quarantine (`storywire quarantine
    list`).

    Example: storywire import last-week.jsonl
    """
    clock = SystemClock()
    arrival = arrival_at(clock.now())
    settings = config.load(os.environ, data_dir=data_dir)
    log.configure("import", "error", settings.log_format)  # workers have a log of their own
    with ExitStack() as closing:
        found = closing.enter_context(read_index(files, arrival, settings.data_dir))
        opened = partial(open_runtime, settings, clock, carry_over=True)
        runtime = Patience(tell_away, full=False).ask(lambda: closing.enter_context(opened()))
        quarantined = load(runtime, found, arrival, workers, backfill=True)
        counts = Patience(tell_away, revive=runtime.keep_server).ask(runtime.stories.counts)
    with ended_quietly():
        articles, stories = count(counts["articles"], "article"), count(counts["stories"], "story", "stories")
        click.echo(f"the store now holds {articles} in {stories}")
    end(found, quarantined)
