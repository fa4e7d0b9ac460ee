"""`storywire check`: server, queue, feeds, lag: one line each."""

import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from worker.config import Settings
    from worker.health import Finding
    from worker.runtime import Runtime

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command("check", epilog="Example: storywire check --json | jq -r .state")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, with the figures.")
@click.option("--data-dir", metavar="DIR", help="Data directory of the embedded server.  [STORYWIRE_DATA_DIR]")
def command(as_json: bool, data_dir: str | None) -> None:
    """Say of the server, the queue, the feeds and the stories whether all is well: one line each.

    Exit status 1 if any line says `fail`, for a monitor or a container's health check; `warn` can wait.
    """
    from worker import config

    failed = False
    for finding in findings(config.load(os.environ, data_dir=data_dir)):
        failed |= finding.state == "fail"
        show(finding, as_json)
    sys.exit(int(failed))


def show(finding: "Finding", as_json: bool) -> None:
    """Print a line: for a person, or as JSON."""
    if as_json:
        import msgspec

        line = {"check": finding.check, "state": finding.state, "said": finding.said, **finding.figures}
        click.echo(msgspec.json.encode(line).decode())
    else:
        state = click.style(f"{finding.state:<4}", fg=_COLOURS[finding.state])
        click.echo(f"{finding.check:<8} {state}  {finding.said}")


def findings(settings: "Settings") -> "Iterator[Finding]":
    """All findings; without a server there is only the one that says so."""
    from worker import health
    from worker.errors import StorywireError
    from worker.runtime import open_runtime

    try:
        with open_runtime(settings) as runtime:
            for check, examine in _examinations(runtime).items():
                try:
                    yield examine()
                except StorywireError as error:  # one server of two may be down: the other is still looked at
                    yield health.Finding(check, health.State.FAIL, str(error), {})
    except StorywireError as error:
        yield health.Finding("server", health.State.FAIL, str(error), {})


def _examinations(runtime: "Runtime") -> "dict[str, Callable[[], Finding]]":
    from worker import health
    from worker.connect import identify

    now = runtime.clock.now()

    def queue() -> "Finding":
        return health.of_queue(runtime.jobs.depth(), runtime.jobs.oldest_age_s(now), len(runtime.jobs.listening()))

    return {
        "server": lambda: health.of_server(identify(runtime.redis, runtime.url), runtime.described()),
        "queue": queue,
        "outbox": lambda: health.of_outbox(runtime.outbox.depth(), len(runtime.jobs.listening())),
        "feeds": lambda: health.of_feeds(runtime.feeds.all()),
        "lag": lambda: health.of_lag(runtime.feeds.all(), now),
        "stories": lambda: health.of_stories(runtime.stories.counts(), len(runtime.stories.languages())),
    }
