"""What `replay` and `import` share: a file's articles through the queue, with a progress bar and the counts."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from time import monotonic, perf_counter
from typing import TYPE_CHECKING

import click

from worker import supervisor
from worker.errors import BadInput
from worker.feed.lines import Line, article_of
from worker.files import Arrival, Index, index
from worker.intake import Intake, Sent
from worker.model import Article
from worker.patience import Patience
from worker.report.harmless import harmless
from worker.report.words import count
from worker.runtime import Runtime
from worker.spool import name_of, spooled
from worker.store.forgotten import Forgotten
from worker.store.quarantine import Quarantined

if TYPE_CHECKING:
    from rich.progress import Progress

_SHOWN = 10
"""Bad lines that are told one by one; the rest is counted."""

_EARLIEST = -2_208_988_800.0
"""1900: programs write the years 1 and 1601 where they know no date."""

_AGAIN_S = 60.0
"""A run that waits, goes on and waits again says so once a minute."""

FILES = click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True), metavar="FILE..."
)
DATA_DIR = click.option("--data-dir", metavar="DIR", help="Data directory of the embedded server.")
WORKERS = click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Worker processes.")


def arrival_at(now: float) -> Arrival:
    """An article arrived as of its stated date, however old; one of the future, or without a date that can be
    meant, arrives now."""

    def arrival(published: float | None) -> float:
        return now if published is None or published < _EARLIEST else min(published, now)

    return arrival


@contextmanager
def read_index(files: Sequence[Path], arrival: Arrival, folder: Path | None = None) -> Iterator[Index]:
    """Look through the files, and say which lines are bad; what is no file (`-` is standard input) is kept in `folder`
    until the block ends. Raises BadInput where no line is good."""
    with spooled(files, folder) as kept:
        found = index(files, arrival, kept)
        _tell_bad(found)
        yield found


def _tell_bad(found: Index) -> None:
    for path, number, reason in found.bad[:_SHOWN]:
        click.echo(f"{name_of(path)}:{number}: {reason}; the line is left out", err=True)
    if len(found.bad) > _SHOWN:
        click.echo(f"... and {count(len(found.bad) - _SHOWN, 'more bad line')}", err=True)
    if not found.lines:
        held = ", ".join(map(name_of, found.paths))
        raise BadInput(f'{held}: no article in it: a line is a JSON object with an "id" and a "title" or a "text"')


def load(runtime: Runtime, found: Index, arrival: Arrival, workers: int, *, backfill: bool) -> int:
    """Send the articles through the queue and `workers` worker processes, and say how many were new, and which stand in
    the quarantine; how many do. A server that is away is waited for, whatever is asked of it."""

    def prepare(line: Line) -> Article:
        return article_of(line, arrival(line.published), backfill)

    began = perf_counter()
    with ExitStack() as closing:
        told = closing.enter_context(_progress(len(found.lines)))
        patience = Patience(told.away, revive=runtime.keep_server)
        intake = patience.ask(lambda: _intake(runtime, told, patience))
        begun = partial(supervisor.workers, runtime.settings, runtime.url, workers)
        patience.ask(lambda: closing.enter_context(begun()))
        ready = perf_counter()
        sent = intake.run(map(prepare, found.read()), told.settled)
        quarantined = patience.ask(lambda: runtime.quarantine.of_feed(intake.feed))
        named = patience.ask(lambda: list(islice(runtime.quarantine.of(intake.feed), _SHOWN))) if quarantined else []
    _tell_sent(sent, quarantined, took=perf_counter() - ready, start=ready - began)
    _tell_quarantined(named, quarantined)
    return quarantined


def _intake(runtime: Runtime, told: "_Told", patience: Patience) -> Intake:
    return Intake(
        runtime.outbox,
        runtime.stories,
        Forgotten(runtime.redis),
        runtime.jobs,
        runtime.clock,
        held=runtime.held,
        waits=told.waits,
        patience=patience,
    )


def _tell_sent(sent: Sent, quarantined: int, *, took: float, start: float) -> None:
    """What became of the articles, and how long that took, in seconds."""
    done, known, forgotten = sent
    rate = f", {done / took:.0f} a second" if done else ""
    told = [f"{done - known - forgotten - quarantined} new"]
    told += [f"{known} known already"] if known else []
    told += [f"{forgotten} forgotten, kept out"] if forgotten else []
    told += [f"{quarantined} in quarantine"] if quarantined else []
    news = f": {', '.join(told)}" if len(told) > 1 else ""
    click.echo(f"{count(done, 'article')} in {took:.1f} s{rate} (after {start:.1f} s to start){news}", err=True)


def _tell_quarantined(named: Sequence[Quarantined], number: int) -> None:
    for kept in named:
        click.echo(f"in quarantine: {harmless(kept.article)}: {harmless(kept.reason)}", err=True)
    if number > _SHOWN:
        click.echo(f"... and {number - _SHOWN} more in quarantine", err=True)


def end(found: Index, quarantined: int) -> None:
    """Exit status 1 where lines were bad, or articles are in quarantine."""
    if found.bad:
        all_lines = count(len(found.bad) + len(found.lines), "line")
        were = "was" if len(found.bad) == 1 else "were"
        click.echo(f"{len(found.bad):,} of {all_lines} {were} left out", err=True)
    if found.bad or quarantined:
        raise SystemExit(1)


class _Told:
    """How far a run is: a bar on a terminal, nothing elsewhere; and a line, on either, when it has to wait."""

    def __init__(self, bar: "Progress", total: int) -> None:
        self._bar, self._task = bar, bar.add_task("clustering", total=total)
        self._said_at = -_AGAIN_S

    def settled(self, number: int) -> None:
        """So many articles are done."""
        self._bar.update(self._task, completed=number)

    def waits(self, why: str) -> None:
        """Nothing is sent for now, for this reason; "": it goes on."""
        self._bar.update(self._task, description="waiting" if why else "clustering")
        if why and monotonic() - self._said_at >= _AGAIN_S:
            self._said_at = monotonic()
            self._say(f"waiting for room: {why}")

    def away(self, why: str) -> None:
        """A server does not answer, for this reason; "": it does again."""
        self._bar.update(self._task, description="waiting" if why else "clustering")
        self._say(away_told(why))

    def _say(self, line: str) -> None:
        self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)


def tell_away(why: str) -> None:
    """The same before there is a bar."""
    click.echo(away_told(why), err=True)


def away_told(why: str) -> str:
    return f"waiting for the server: {why}" if why else "the server answers again"


@contextmanager
def _progress(total: int) -> Iterator[_Told]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield _Told(bar, total)
