"""`storywire feeds`: the feeds as a person manages them; one module for each kind of thing that is done with them."""

import click

from worker.cli.feeds.add import add
from worker.cli.feeds.change import pause, poll, remove, resume
from worker.cli.feeds.exchange import export, import_
from worker.cli.feeds.look import list_, show


@click.group("feeds", epilog="Example: storywire feeds add https://example.org/")
@click.option("--data-dir", metavar="DIR", help="Data directory of the embedded server.  [STORYWIRE_DATA_DIR]")
@click.pass_context
def command(context: click.Context, data_dir: str | None) -> None:
    """Add, list and show feeds; pause, resume, poll and remove them; import and export lists.

    The store keeps the list; a running poller sees a change within a second. A FEED is an address, an id that
    `storywire feeds list` shows, or any part of an address or a name that no other feed has.
    """
    context.obj = data_dir


for _each in (add, remove, pause, resume, poll, list_, show, import_, export):
    command.add_command(_each)
