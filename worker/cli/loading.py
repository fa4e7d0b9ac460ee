"""What `replay` and `import` share: a file's articles through the queue, with a progress bar and the counts."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from time import perf_counter

import click

from worker import supervisor
from worker.cli.screen.harmless import harmless
from worker.errors import BadInput
from worker.feed.lines import Line, article_of
from worker.files import Index, index
from worker.intake import Intake
from worker.model import Article
from worker.runtime import Runtime
from worker.store.forgotten import Forgotten

_SHOWN = 10
"""Bad lines that are told one by one; the rest is counted."""

Arrival = Callable[[float | None], float]
"""When an article counts as arrived whose file states this time, or none."""

FILES = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
DATA_DIR = click.option("--data-dir", metavar="DIR", help="Data directory of the embedded server.")
WORKERS = click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Worker processes.")


def read_index(files: Sequence[Path], arrival: Arrival) -> Index:
    """Look through the files, and say which lines are bad. Raises BadInput where none is good."""
    found = index(files, arrival)
    for path, number, reason in found.bad[:_SHOWN]:
        click.echo(f"{path}:{number}: {reason}; the line is left out", err=True)
    if len(found.bad) > _SHOWN:
        click.echo(f"... and {len(found.bad) - _SHOWN} more bad lines", err=True)
    if not found.lines:
        held = ", ".join(map(str, files))
        raise BadInput(f'{held}: no article in it: a line is a JSON object with an "id" and a "title" or a "text"')
    return found


def load(runtime: Runtime, found: Index, arrival: Arrival, workers: int, *, backfill: bool) -> int:
    """Send the articles through the queue and `workers` worker processes, and say how many were new, and which stand in
    the quarantine; how many do."""
    intake = Intake(
        runtime.outbox, runtime.stories, Forgotten(runtime.redis), runtime.jobs, runtime.clock, held=runtime.held
    )

    def prepare(line: Line) -> Article:
        return article_of(line, arrival(line.published), backfill)

    began = perf_counter()
    with supervisor.workers(runtime.settings, runtime.url, workers), _progress(len(found.lines)) as progress:
        ready = perf_counter()
        done, known, forgotten = intake.run(map(prepare, found.read()), progress)
    took = perf_counter() - ready
    quarantined = runtime.quarantine.of_feed(intake.feed)
    rate = f", {done / took:.0f} a second" if done else ""
    told = [f"{done - known - forgotten - quarantined} new"]
    told += [f"{known} known already"] if known else []
    told += [f"{forgotten} forgotten, kept out"] if forgotten else []
    told += [f"{quarantined} in quarantine"] if quarantined else []
    news = f": {', '.join(told)}" if len(told) > 1 else ""
    click.echo(f"{done} articles in {took:.1f} s{rate} (after {ready - began:.1f} s to start){news}", err=True)
    if quarantined:
        _tell_quarantined(runtime, intake.feed, quarantined)
    return quarantined


def _tell_quarantined(runtime: Runtime, feed: str, count: int) -> None:
    for kept in islice(runtime.quarantine.of(feed), _SHOWN):
        click.echo(f"in quarantine: {harmless(kept.article)}: {harmless(kept.reason)}", err=True)
    if count > _SHOWN:
        click.echo(f"... and {count - _SHOWN} more in quarantine", err=True)


def end(found: Index, quarantined: int) -> None:
    """Exit status 1 where lines were bad, or articles are in quarantine."""
    if found.bad:
        click.echo(f"{len(found.bad)} of {len(found.bad) + len(found.lines)} lines were left out", err=True)
    if found.bad or quarantined:
        raise SystemExit(1)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("clustering"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done)
