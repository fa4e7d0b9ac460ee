"""`storywire replay`: history through the real pipeline, into a store of its own."""

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

import click

from worker import config, log
from worker.cli.loading import FILES, WORKERS, end, load, read_index
from worker.cli.report import show
from worker.clock import SystemClock
from worker.errors import BadSetting
from worker.feed.lines import Line, article_of
from worker.model import Article
from worker.report.listing import Query, whole_store
from worker.runtime import open_runtime


@click.command("replay")
@FILES
@click.option(
    "--assignments", metavar="OUT.tsv", type=click.Path(path_type=Path), help="Write `article<TAB>story` here."
)
@click.option("--data-dir", metavar="DIR", help="Keep the store here instead of in a temporary folder.")
@WORKERS
@click.option("--json", "as_json", is_flag=True, help="The report as one JSON object a story.")
@click.option("--members", is_flag=True, help="The report with every story's articles.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Stories in the report.")
def command(
    files: tuple[Path, ...],
    assignments: Path | None,
    data_dir: str | None,
    workers: int,
    as_json: bool,
    members: bool,
    limit: int,
) -> None:
    """Send files of articles through the real queue and workers, as if they arrived now, and report the stories.

    A file holds one JSON object a line: `id`, and `title` or `text`; `url`, `published` (RFC 3339), `source` and `lang`
    if they are known. Articles go in order of their dates. The store is a new, temporary one unless --data-dir is
    given; the live store is never touched. Exit status 1 if lines had to be left out.

    Example: storywire replay articles.jsonl --assignments stories.tsv
    """
    clock = SystemClock()
    started = clock.now()
    if assignments is not None and not assignments.parent.is_dir():
        raise BadSetting(f"--assignments {assignments}: {assignments.parent} is no folder; name one that exists")
    found = read_index(files, started)
    with ExitStack() as closing:
        folder = data_dir or closing.enter_context(tempfile.TemporaryDirectory(prefix="storywire-"))
        environ = {k: v for k, v in os.environ.items() if k not in ("STORYWIRE_REDIS_URL", "STORYWIRE_QUEUE_URL")}
        settings = config.load(environ, data_dir=folder)
        log.configure("replay", "error", settings.log_format)  # workers have a log of their own
        runtime = closing.enter_context(open_runtime(settings, clock))

        def prepare(line: Line) -> Article:
            return article_of(line, started if line.published is None else line.published, backfill=False)

        load(runtime, found, prepare, workers)
        if assignments is not None:
            lines = sorted(f"{article}\t{story}\n" for article, story in runtime.stories.assignments())
            assignments.write_text("".join(lines), encoding="utf-8")
        query = Query(limit=limit, members=members)
        show(whole_store(runtime.stories, query), query, as_json)
    end(found)
