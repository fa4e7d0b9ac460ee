"""`storywire replay`: history through the real pipeline, into a store of its own."""

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

import click

from worker import config, log
from worker.cli.cases import read_cases, tell_verdict
from worker.cli.loading import FILES, WORKERS, arrival_at, end, load, read_index
from worker.cli.report import show
from worker.cli.screen.terminal import ended_quietly
from worker.clock import Clock, SystemClock
from worker.errors import BadSetting
from worker.report.cases import Case, Verdict, judge
from worker.report.listing import Query, whole_store
from worker.runtime import Runtime, open_runtime
from worker.store.stories import Stories


@click.command("replay")
@FILES
@click.option(
    "--assignments", metavar="OUT.tsv", type=click.Path(path_type=Path), help="Write `article<TAB>story` here."
)
@click.option(
    "--cases", metavar="CASES", type=click.Path(path_type=Path), help="Test it on the cases of `story export`."
)
@click.option("--data-dir", metavar="DIR", help="Keep the store here instead of in a temporary folder.")
@click.option(
    "--strictness",
    metavar="X",
    type=click.FloatRange(0, 1),
    help="From 0 (join freely) to 1 (only what is nearly certain).",
)
@WORKERS
@click.option("--json", "as_json", is_flag=True, help="The report as one JSON object a story.")
@click.option("--members", is_flag=True, help="The report with every story's articles.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Stories in the report.")
def command(
    files: tuple[Path, ...],
    assignments: Path | None,
    cases: Path | None,
    data_dir: str | None,
    strictness: float | None,
    workers: int,
    as_json: bool,
    members: bool,
    limit: int,
) -> None:
    """Send files of articles through the real queue and workers, as if they arrived now, and report the stories.

    A file, gzipped or not, or standard input (`-`) holds one JSON object a line: `id`, and `title` or `text`; `url`,
    `published` (RFC 3339), `source` and `lang` if they are known; of title and text, plain or HTML, markup is taken
    out: write `&lt;` for a `<` that is to be read. Articles go in order of their dates. The store is a new, temporary
    one unless --data-dir is given; the live store is never touched. Exit status 1 if lines had to be left out, articles
    ended in quarantine, or a case was decided otherwise.

    Example: storywire replay articles.jsonl --assignments stories.tsv
    """
    clock = SystemClock()
    arrival = arrival_at(clock.now())
    asked = read_cases(cases) if cases is not None else []
    query = Query(limit=limit, members=members)
    with ExitStack() as closing:
        found = closing.enter_context(read_index(files, arrival, Path(data_dir) if data_dir else None))
        out = closing.enter_context(_opened(assignments, files)) if assignments is not None else None
        runtime = closing.enter_context(_own_store(data_dir, strictness, clock))
        quarantined = load(runtime, found, arrival, workers, backfill=False)
        verdict = _tell(runtime.stories, query, as_json, out, asked)
    if cases is not None:
        tell_verdict(verdict)
    end(found, quarantined)
    if verdict.wrong:
        raise SystemExit(1)


@contextmanager
def _own_store(data_dir: str | None, strictness: float | None, clock: Clock) -> Iterator[Runtime]:
    """A store of the replay's own: in a temporary folder, or kept in `data_dir`."""
    with ExitStack() as closing:
        folder = data_dir or closing.enter_context(tempfile.TemporaryDirectory(prefix="storywire-"))
        settings = _settings_in(folder, strictness)
        log.configure("replay", "error", settings.log_format)  # workers have a log of their own
        yield closing.enter_context(open_runtime(settings, clock, carry_over=True))


def _tell(stories: Stories, query: Query, as_json: bool, out: TextIO | None, asked: Sequence[Case]) -> Verdict:
    """The assignments into their file, the report onto the screen; what came of the cases."""
    if out is not None:
        _write(out, stories.assignments())
    with ended_quietly():
        show(whole_store(stories, query), query, as_json)
    return judge(asked, dict(stories.assignments()) if asked else {})


def _settings_in(folder: str, strictness: float | None) -> config.Settings:
    """Those of the environment, but for the servers: a replay has a store of its own, which nobody watches."""
    others = ("STORYWIRE_REDIS_URL", "STORYWIRE_QUEUE_URL", "STORYWIRE_ARCHIVE_DIR", "STORYWIRE_METRICS")
    environ = {k: v for k, v in os.environ.items() if k not in others}
    return config.load(environ, data_dir=folder, strictness=None if strictness is None else str(strictness))


def _opened(path: Path, files: Sequence[Path]) -> TextIO:
    """The file of assignments, opened before the run so that no run is in vain; never one of those that are read."""
    try:
        if path.exists() and any(file.exists() and path.samefile(file) for file in files):
            raise BadSetting(f"--assignments {path} is one of the files to read: name another file")
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise _not_written(path, error) from None


def _write(out: TextIO, pairs: Iterable[tuple[str, str]]) -> None:
    try:
        out.writelines(sorted(f"{article}\t{story}\n" for article, story in pairs))
        out.close()
    except OSError as error:
        raise _not_written(Path(out.name), error) from None


def _not_written(path: Path, error: OSError) -> BadSetting:
    return BadSetting(f"--assignments {path}: {(error.strerror or 'cannot be written').lower()}: name another file")
