"""`storywire check`: server, queue, lag, pollers, feeds: one line each; with `--all` every process of every host."""

import os
import sys
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from worker.clock import SystemClock
from worker.names import this_host, this_version

if TYPE_CHECKING:
    from worker.config import Settings
    from worker.health import Finding, Process

CHECKS = (
    "server",
    "persistence",
    "schema",
    "queue",
    "outbox",
    "lag",
    "quarantine",
    "pollers",
    "polls",
    "feeds",
    "pages",
    "hubs",
    "alerts",
    "stories",
)
_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}

_EPILOG = """\
\b
What each line looks at, and when it says `warn` or `fail`:
  server       answers, has room. warn: memory 80 % full, a server that
               drops keys when full, or, with Sentinels or a Cluster, a
               primary without a replica in step; fail: 90 %, polls wait
               from there on
  persistence  warn: no append-only file, or its last rewrite failed;
               fail: its last write, or the last snapshot, failed
  schema       its version. warn: an old process has left something;
               fail (in place of all lines): it is another version's
  queue        jobs and workers. warn: the oldest job waits a minute;
               fail: ten minutes, or no worker is alive
  outbox       articles that wait. warn: STORYWIRE_MAX_PENDING, polls wait
  lag          from fetch to story. warn: the oldest article waits, or of
               those of the last ten minutes half took, a minute; fail: ten
  quarantine   warn: something is in it; fail: it is full
  pollers      warn: polls are held back; fail: no poller is alive
  polls        warn: five minutes late; fail: an hour, and not held back
  feeds        warn: there is none, some cannot be read, or one brings
               more than STORYWIRE_MAX_DAILY; fail: none can be read
  pages        articles that wait for their pages, and of the last 100 pages
               how many gave no text. warn: nobody reads them, or none of
               ten or more gave any; fail: what reads them is broken
  hubs         with STORYWIRE_PUBLIC_URL: feeds that hubs push. warn:
               nobody listens
  alerts       with STORYWIRE_ALERTS: alerts that wait to be delivered.
               warn: one is tried again, one was taken by nobody, or
               nobody watches
  stories      warn: one should have ended an hour ago
  processes    with --all. warn: some are of another version, or none lives

\b
Example: storywire check --json | jq -r .state
Example: storywire check --only server,queue --here
Example: storywire check --all"""


def _names(_context: click.Context, _parameter: click.Parameter, text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    if unknown := [name for name in names if name not in CHECKS]:
        raise click.BadParameter(f"{unknown[0]!r} is none of {', '.join(CHECKS)}")
    return names


@click.command("check", epilog=_EPILOG)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, with the figures.")
@click.option(
    "--only", "names", metavar="LINE,...", default=",".join(CHECKS), callback=_names, help="Look at these lines only."
)
@click.option("--here", is_flag=True, help="Count the workers and pollers of this machine or container only.")
@click.option("--all", "everybody", is_flag=True, help="Show who is alive where as well: each process of each host.")
@click.option("--data-dir", metavar="DIR", help="Data directory of the embedded server.  [STORYWIRE_DATA_DIR]")
def command(as_json: bool, names: tuple[str, ...], here: bool, everybody: bool, data_dir: str | None) -> None:
    """Say of the server, the queue, the pollers, the feeds and the stories whether all is well: one line each.

    It only looks: where no server runs it says so, and starts none. Exit status 1 if any line says `fail`, for a
    monitor or a container's health check; `warn` can wait. A container that runs one process asks for its own part:
    `--only queue --here` is about its worker, `--only pollers --here` about its poller.
    """
    from worker import config

    failed = False
    settings, host = config.load(os.environ, data_dir=data_dir), this_host() if here else ""
    alive: list[Process] | None = [] if everybody else None
    for finding in findings(settings, names, host, alive):
        failed |= finding.state == "fail"
        show(finding, as_json)
    if alive:
        show_processes(alive, as_json)
    sys.exit(int(failed))


def show(finding: "Finding", as_json: bool) -> None:
    """Print a line: for a person, or as JSON."""
    if as_json:
        import msgspec

        line = {"check": finding.check, "state": finding.state, "said": finding.said, **finding.figures}
        click.echo(msgspec.json.encode(line).decode())
    else:
        state = click.style(f"{finding.state:<4}", fg=_COLOURS[finding.state])
        click.echo(f"{finding.check:<11} {state}  {finding.said}")


def show_processes(processes: "Sequence[Process]", as_json: bool) -> None:
    """Print who is alive where: a table for a person, an object a line as JSON."""
    if as_json:
        import msgspec

        for each in processes:
            click.echo(msgspec.json.encode({"process": each.role, **msgspec.structs.asdict(each)}).decode())
        return
    from worker.report.harmless import harmless
    from worker.report.words import span

    now = SystemClock().now()
    rows: list[tuple[str, ...]] = [("HOST", "PROCESS", "PID", "VERSION", "UP FOR", "HEARD", "DOES")]
    for each in processes:
        up = span(max(now - each.started, each.heard_s)) if each.started else "-"  # its clock may differ from ours
        for_s = f", for {span(max(0.0, now - each.since))}" if each.since else ""
        does = (f"holds back: {each.held}" if each.held else each.doing or "works") + for_s
        version = f"{each.version or '-'} ({each.schema})"
        heard = f"{span(each.heard_s)} ago"
        rows.append(tuple(harmless(part) for part in (each.host, each.role, str(each.pid), version, up, heard, does)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    click.echo()
    for row in rows:
        click.echo("  ".join([*(part.ljust(width) for part, width in zip(row, widths, strict=False)), row[-1]]))


def findings(
    settings: "Settings",
    names: Collection[str] = CHECKS,
    host: str = "",
    alive: "list[Process] | None" = None,
) -> "Iterator[Finding]":
    """The findings of these names; without a server there is only the one that says so, and none is started.

    host: whose workers and pollers count; "" for all. alive: a list to be filled with the processes that live, about
    which there is a finding then.
    """
    from worker import examinations, health
    from worker.cli.opening import must_run
    from worker.errors import StorywireError
    from worker.runtime import open_runtime

    try:
        must_run(settings)
        with open_runtime(settings) as runtime:
            asked = names if set(names) != set(CHECKS) else examinations.asked(settings)
            yield from examinations.findings(runtime, asked, host)
            if alive is not None:
                finding, found = examinations.processes_that_live(runtime, this_version(), host)
                alive.extend(found)
                yield finding
    except StorywireError as error:
        yield health.Finding("server", health.State.FAIL, str(error), {})
