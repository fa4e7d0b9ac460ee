"""`storywire feeds`: add, remove, list, import and export feeds."""

import sys
from pathlib import Path

import click

from worker.cli.opening import DATA_DIR, opened
from worker.cli.screen.words import count
from worker.errors import BadInput


@click.group("feeds", epilog="Example: storywire feeds add https://example.org/feed.xml")
@click.option("--data-dir", metavar="DIR", help="Data directory of the embedded server.  [STORYWIRE_DATA_DIR]")
@click.pass_context
def command(context: click.Context, data_dir: str | None) -> None:
    """Add, remove, list, import and export feeds.

    The store keeps the list; a running poller sees a change within a second.
    """
    context.obj = data_dir


@command.command("add", epilog="Example: storywire feeds add https://example.org/feed.xml --title 'Example News'")
@click.argument("url")
@click.option("--title", default="", metavar="NAME", help="What to call the outlet; by default as the feed says.")
@DATA_DIR
def add(url: str, title: str, data_dir: str | None) -> None:
    """Add a feed, or poll one again that was removed or is paused."""
    from worker.feed.address import host, normal_url
    from worker.feed.private import why_private_host

    with opened(data_dir, begins=True) as runtime:
        feed, is_new = runtime.feeds.add(url, _title(title), runtime.clock.now())
    click.echo(f"{'added' if is_new else 'known already'}: {feed}")
    why = why_private_host(host(normal_url(url)))
    if why and runtime.settings.allow_private == "0":
        click.echo(
            f"{host(normal_url(url))} is {why}, and such are not fetched: let the poller have "
            "STORYWIRE_ALLOW_PRIVATE=1, or a list of ADDRESS:PORT",
            err=True,
        )


@command.command("remove", epilog="Example: storywire feeds remove https://example.org/feed.xml")
@click.argument("url")
@DATA_DIR
def remove(url: str, data_dir: str | None) -> None:
    """Remove a feed, by its address or its id; no list of feeds brings it back."""
    from worker.feed.address import feed_id, normal_url

    with opened(data_dir) as runtime:
        if not runtime.feeds.remove(url if runtime.feeds.get(url) else feed_id(normal_url(url))):
            raise BadInput(f"{url} is no feed of this store: `storywire feeds list` shows them")
    click.echo("removed")


@command.command("list", epilog="Example: storywire feeds list --json | jq -r .url")
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
@DATA_DIR
def list_(as_json: bool, data_dir: str | None) -> None:
    """List the feeds: how the last poll went, when the next one is and why."""
    from worker.cli.screen.feeds import as_record, show_feeds
    from worker.cli.screen.terminal import Screen, ended_quietly, print_json

    with opened(data_dir) as runtime, ended_quietly():
        feeds, now = runtime.feeds.all(), runtime.clock.now()
        if as_json:
            for feed in feeds:
                print_json(as_record(feed))
        elif feeds:
            show_feeds(Screen(), feeds, now)
        else:
            default = ", or `storywire poll` for the default list" if runtime.feeds.empty() else ""
            click.echo(f"no feeds: `storywire feeds add URL`{default}", err=True)


@command.command("import", epilog="Example: storywire feeds import subscriptions.opml")
@click.argument("opml", type=click.Path(path_type=Path))
@DATA_DIR
def import_(opml: Path, data_dir: str | None) -> None:
    """Add the feeds of an OPML file; those that were removed before stay removed."""
    from worker.poller.subscribe import read_file, summary

    outlines, refused = read_file(opml)
    for line in refused:
        click.echo(f"{opml}: {line}", err=True)
    with opened(data_dir, begins=True) as runtime:
        click.echo(summary(str(opml), runtime.feeds.offer(outlines, runtime.clock.now())))
    if refused:
        bad = f"{count(len(refused), 'address', 'addresses')} of it cannot be used"
        raise BadInput(f"{opml}: {bad}, the others were added")


@command.command("export", epilog="Example: storywire feeds export > subscriptions.opml")
@click.argument("opml", type=click.Path(path_type=Path), required=False)
@DATA_DIR
def export(opml: Path | None, data_dir: str | None) -> None:
    """Write the feeds as OPML, to a file or to standard output."""
    from worker.feed.opml import Outline, write_opml

    with opened(data_dir) as runtime:
        feeds = sorted(runtime.feeds.all(), key=lambda feed: (feed.added, feed.url))
    document = write_opml(Outline(feed.url, feed.title or feed.polls.title) for feed in feeds)
    if opml is None:
        sys.stdout.write(document)
        return
    try:
        opml.write_text(document, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{opml}: {(error.strerror or 'cannot be written').lower()}: give another path") from None
    click.echo(f"{opml}: {count(len(feeds), 'feed')}")


def _title(title: str) -> str:
    """A name as it may stand in tables and keys: one line of plain text."""
    from worker.text import clean

    return clean(title).replace("\n", " ")[:200]
