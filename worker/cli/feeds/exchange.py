"""`storywire feeds import | export`: lists of feeds in OPML, which all feed readers know."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from worker.cli.opening import DATA_DIR, opened
from worker.cli.standard import is_standard, write
from worker.errors import BadInput
from worker.report.words import count
from worker.spool import name_of, standard_input

if TYPE_CHECKING:
    from worker.feed.opml import Outline
    from worker.runtime import Runtime
    from worker.store.feeds import Offered

_STEP = 1_000
"""Feeds that are added between two signs of progress."""

_MOST_REFUSED = 20
"""Addresses that cannot be used which are named."""


@click.command("import", epilog="Example: storywire feeds import subscriptions.opml")
@click.argument("opml", type=click.Path(path_type=Path, allow_dash=True))
@DATA_DIR
def import_(opml: Path, data_dir: str | None) -> None:
    """Add the feeds of an OPML file, with their folders.

    `-` reads it from standard input; 20 MB at most. Feeds that are known already stay as they are, and those that
    were removed before stay removed. Nothing is fetched now: `storywire feeds list --failing` tells, once they were
    polled, which cannot be read. Where an address cannot be used, it says so, adds the others and ends with status 1.
    """
    from worker.poller.subscribe import read_file, read_stream, summary

    name = name_of(opml)
    outlines, refused = read_stream(standard_input(), name) if is_standard(opml) else read_file(opml)
    for line in refused[:_MOST_REFUSED]:
        click.echo(f"{name}: {line}", err=True)
    if len(refused) > _MOST_REFUSED:
        click.echo(f"{name}: and {len(refused) - _MOST_REFUSED:,} more that cannot be used", err=True)
    with opened(data_dir, begins=True) as runtime:
        click.echo(summary(name, _offered(runtime, outlines), len(refused)))
    if refused:
        bad = f"{count(len(refused), 'address', 'addresses')} of it cannot be used"
        raise BadInput(f"{name}: {bad}, the others were added")


def _offered(runtime: "Runtime", outlines: "Sequence[Outline]") -> "Offered":
    """Add them, step by step, and say on a terminal how far it is."""
    from worker.store.feeds import Offered

    done = Offered(0, 0, 0)
    watched = sys.stderr.isatty() and len(outlines) > _STEP
    for start in range(0, len(outlines), _STEP):
        more = runtime.feeds.offer(outlines[start : start + _STEP], runtime.clock.now())
        done = Offered(*map(sum, zip(done, more, strict=True)))
        if watched:
            click.echo(f"\r{min(start + _STEP, len(outlines)):,} of {len(outlines):,} feeds", nl=False, err=True)
    if watched:
        click.echo("\r" + " " * 40 + "\r", nl=False, err=True)
    return done


@click.command("export", epilog="Example: storywire feeds export > subscriptions.opml")
@click.argument("opml", type=click.Path(path_type=Path, allow_dash=True), default="-")
@click.option("--folder", metavar="A/B", help="Those of this folder, and of the folders in it, alone.")
@DATA_DIR
def export(opml: Path, folder: str | None, data_dir: str | None) -> None:
    """Write the feeds as OPML.

    To a file, or to standard output, for `-` or none. Folders are nested outlines, which all readers know; what only
    Storywire knows (paused, pages) other readers skip. An import into an empty store brings back what was set.
    Passwords in addresses are written with them.
    """
    from worker.cli.feeds.look import tell_no_folder, tell_none
    from worker.feed.opml import Outline, write_opml

    with opened(data_dir) as runtime:
        every = sorted(runtime.feeds.all(), key=lambda feed: (feed.folder, feed.url))
        feeds = [feed for feed in every if folder is None or f"{feed.folder}/".startswith(f"{folder.strip('/')}/")]
        document = write_opml(
            (Outline(feed.url, feed.title, feed.folder, feed.pages, feed.held) for feed in feeds),
            names={feed.url: feed.polls.title for feed in feeds},
        )
        if write(opml, document.encode("utf-8")):
            click.echo(f"{opml}: {count(len(feeds), 'feed')}")
        if not every:
            tell_none(runtime)
        elif not feeds:
            tell_no_folder(str(folder), every)
