"""`storywire forget`: content out of every key of the store, for good."""

import os
import sys
from typing import TYPE_CHECKING

import click

from worker import config, log
from worker.cli.opening import must_exist
from worker.errors import BadSetting
from worker.report.words import count

if TYPE_CHECKING:
    from worker.forgetting import Removed, Target

_SHOWN = 10


@click.command("forget")
@click.argument("name", metavar="ARTICLE|URL|FEED")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--data-dir", metavar="DIR", help="Folder of the embedded server.")
def command(name: str, yes: bool, data_dir: str | None) -> None:
    """Remove an article, everything with an address, or a feed and all that came from it, and keep it out.

    It leaves its story (an emptied story ends), what waits, the quarantine, the corrections and the queue. Only hashes
    stay, so that no poll, revision or import brings it back until it has not come again for 90 days. A feed is removed,
    too; `storywire feeds add` lets it publish again, without the articles that were forgotten. Copies by others are
    articles of their own, and a log that a process wrote is left as it is.

    \b
    storywire forget bbc.1f3a9c
    storywire forget https://example.org/flood --yes
    """
    from worker.runtime import open_runtime

    settings = config.load(os.environ, data_dir=data_dir)
    must_exist(settings)
    log.configure("forget", settings.log_level, settings.log_format)
    with open_runtime(settings) as runtime:
        found = runtime.forgetting.find(name)
        if not yes:
            _ask(found)
        done = runtime.forgetting.forget(found.target)
        rewritten = runtime.rewrite_log()
    _tell(done)
    if not rewritten:
        click.echo("its server still has it on disk until it rewrites its log or snapshot (BGREWRITEAOF, BGSAVE)")


def _tell(done: "Removed") -> None:
    """What was removed, and which stories it changed."""
    click.echo(f"forgotten: {_told(done)}")
    for said, stories in (("ended", done.ended), ("shrank", done.changed)):
        if stories:
            more = f" and {len(stories) - _SHOWN} more" if len(stories) > _SHOWN else ""
            click.echo(f"{said}: {', '.join(sorted(stories)[:_SHOWN])}{more}")


def _ask(found: "Removed") -> None:
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        raise BadSetting(f"this would remove {_told(found)} for good: add --yes")
    if not click.confirm(f"Remove {_told(found)} for good?", default=False):
        raise SystemExit(1)


def _told(found: "Removed") -> str:
    """`2 articles with the address https://example.org/flood, and 1 that waits`."""
    waits = "that waits" if len(found.waiting) == 1 else "that wait"
    waiting = f", and {len(found.waiting)} {waits}" if found.waiting else ""
    waiting += f", and {len(found.quarantined)} in quarantine" if found.quarantined else ""
    return f"{count(found.count, 'article')} {_of(found.target)}{waiting}"


def _of(target: "Target") -> str:
    from worker.forgetting import What
    from worker.report.harmless import harmless

    name = harmless(target.name)
    return {What.ARTICLE: f"({name})", What.URL: f"of {name}", What.FEED: f"of the feed {name}, and the feed"}[
        target.what
    ]
