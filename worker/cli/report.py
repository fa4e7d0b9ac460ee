"""`storywire report`: the stories of a span, once or as they form."""

import os
from typing import TYPE_CHECKING, Any

import click

from worker import config
from worker.cli.opening import must_exist
from worker.clock import Clock
from worker.errors import BadSetting, Transient

if TYPE_CHECKING:
    from worker.report.following import Follower
    from worker.report.listing import Listing, Query
    from worker.store.stories import Stories

_DEFAULT_SINCE = "24h"


def _since(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return config.duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command("report")
@click.option("--follow", is_flag=True, help="Go on printing what forms, grows and merges, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line; with --follow one an event.")
@click.option("--members", is_flag=True, help="Under each story its articles: who was first, who repeats whom.")
@click.option(
    "--since",
    metavar="TIME",
    callback=_since,
    help=f"Stories whose last article is at most so old: 90s, 15m, 24h, 30d.  [default: {_DEFAULT_SINCE}; "
    "with --follow --json every event]",
)
@click.option("--min-outlets", type=click.IntRange(1), default=1, show_default=True, help="Stories of so many outlets.")
@click.option("--lang", default="", metavar="CODE", help="Stories in this language, such as en.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many stories.")
@click.option("--after", metavar="CURSOR", help="With --follow: go on after this cursor of --json; 0: from the first.")
@click.option("--data-dir", metavar="DIR", help="Folder of the embedded server.")
def command(
    follow: bool, as_json: bool, since: float | None, after: str | None, data_dir: str | None, **asked: Any
) -> None:
    """List the stories, the hottest first, or follow them as they form.

    \b
    storywire report --members --min-outlets 3
    storywire report --follow
    storywire report --json --since 7d | jq -r .headline
    """
    if after is not None and not follow:
        raise BadSetting("--after goes with --follow")
    from worker.cli.screen.terminal import ended_quietly
    from worker.report.listing import Query, listing
    from worker.runtime import open_runtime

    if since is None and not (follow and as_json):
        since = config.duration(_DEFAULT_SINCE)
    query = Query(since_s=since, **asked)
    settings = config.load(os.environ, data_dir=data_dir)
    must_exist(settings)
    with ended_quietly(), open_runtime(settings) as runtime:
        if follow:
            _follow(runtime.stories, query, runtime.clock, as_json, after)
        else:
            show(listing(runtime.stories, query, runtime.clock.now()), query, as_json)


def show(found: "Listing", query: "Query", as_json: bool = False) -> None:
    """Print a listing: a table, or one JSON object a story. `replay` ends with it."""
    from worker.cli.screen.table import show_listing
    from worker.cli.screen.terminal import Screen, print_json
    from worker.report.views import story_record

    if not as_json:
        show_listing(Screen(), found, query)
    for view in found.views if as_json else ():
        print_json(story_record(view))


def _follow(stories: "Stories", query: "Query", clock: Clock, as_json: bool, after: str | None) -> None:
    from worker.cli.screen.terminal import print_json
    from worker.report.following import Follower, change_record, parse_cursor

    follower = Follower(stories, None if after is None else parse_cursor(after))
    if not as_json:
        _show_following(follower, stories, query, clock, begin=after is None)
        return
    for read in follower.stream(_waiting):
        for change in follower.each(read, query, clock.now()):
            print_json(change_record(change))


def _show_following(follower: "Follower", stories: "Stories", query: "Query", clock: Clock, *, begin: bool) -> None:
    """Changes for a person; with `begin` first what there is."""
    from worker.cli.screen.changes import QUIET, show_changes
    from worker.cli.screen.table import empty_line, show_listing
    from worker.cli.screen.terminal import Screen
    from worker.report.listing import listing

    screen, told_quiet = Screen(), False
    if begin:
        found = listing(stories, query, clock.now())
        if found.views:
            show_listing(screen, found, query)
        elif found.stored:
            screen.say(*empty_line(found, query), " What forms now appears here.")
        else:
            screen.say("No stories yet; they appear here as they form.")
    for read in follower.stream(_waiting):
        some_are_quiet = show_changes(screen, list(follower.summary(read, query, clock.now())), clock.now())
        if some_are_quiet and not told_quiet:
            told_quiet = True
            screen.say((QUIET, "dim"))


def _waiting(error: Transient) -> None:
    click.echo(f"storywire: {error}; trying again", err=True)
