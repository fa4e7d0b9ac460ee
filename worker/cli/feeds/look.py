"""`storywire feeds list | show`: how the feeds do, and why one was or was not polled."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from worker.cli.feeds.naming import named
from worker.cli.opening import DATA_DIR, opened

if TYPE_CHECKING:
    from worker.runtime import Runtime
    from worker.store.feeds import Feed

_LIMIT = 50

_NAMED = 10
"""Folders that are named where one was asked for that is not there."""

_SORTS = ("next", "name", "new", "polled", "errors", "added")


@click.command("list", epilog="Example: storywire feeds list --failing --sort errors")
@click.argument("words", nargs=-1, metavar="[WORD]...")
@click.option("--failing", is_flag=True, help="Those whose last poll went wrong, but for those that are gone.")
@click.option("--paused", is_flag=True, help="Those that are not polled: paused, or gone.")
@click.option("--folder", metavar="A/B", help="Those of this folder, and of the folders in it.")
@click.option("--sort", type=click.Choice(_SORTS), default="next", show_default=True, help="What stands first.")
@click.option(
    "--limit", type=click.IntRange(1), metavar="N", help=f"Feeds to list.  [{_LIMIT} on a terminal, else all]"
)
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
@DATA_DIR
def list_(
    words: tuple[str, ...],
    failing: bool,
    paused: bool,
    folder: str | None,
    sort: str,
    limit: int | None,
    as_json: bool,
    data_dir: str | None,
) -> None:
    """List feeds: how they do, when they are next, and why.

    All of them, or those with all these WORDs in name, address or folder. New/day is how many new entries a feed
    brings, Why what is wrong with it, or the reason of its next poll. Sorted by the next poll, by name, by new
    entries a day, by the last poll, by errors in a row, or by when they were added.
    """
    from worker.cli.screen.feeds import show_feeds
    from worker.cli.screen.terminal import Screen, ended_quietly, print_json
    from worker.report.feeds import as_record

    with opened(data_dir) as runtime, ended_quietly():
        every, now = runtime.feeds.all(), runtime.clock.now()
        feeds = sorted((f for f in every if _fits(f, words, folder, failing, paused)), key=_order(sort))
        if every and folder is not None and not any(_is_in(feed, folder) for feed in every):
            tell_no_folder(folder, every)
        elif as_json:
            for feed in feeds[:limit]:
                print_json(as_record(feed))
        elif feeds:
            screen = Screen()
            show_feeds(screen, feeds, len(every), now, limit or (_LIMIT if screen.is_terminal else None))
        elif every:
            click.echo(f"none of {len(every):,} feeds is like that", err=True)
        else:
            tell_none(runtime)


def _fits(feed: "Feed", words: Sequence[str], folder: str | None, failing: bool, paused: bool) -> bool:
    from worker.report.feeds import is_failing

    if (failing and not is_failing(feed)) or (paused and not feed.paused):
        return False
    if folder is not None and not _is_in(feed, folder):
        return False
    text = f"{feed.title or feed.polls.title}\n{feed.url}\n{feed.folder}\n{feed.id}".casefold()
    return all(word.casefold() in text for word in words)


def _is_in(feed: "Feed", folder: str) -> bool:
    return f"{feed.folder}/".casefold().startswith(f"{folder.strip('/')}/".casefold())


def tell_none(runtime: "Runtime") -> None:
    """Say on standard error that this store has no feeds, and how to have some."""
    default = ", or `storywire poll` for the default list" if runtime.feeds.empty() else ""
    click.echo(f"no feeds on {runtime.described()}: `storywire feeds add URL`{default}", err=True)


def tell_no_folder(folder: str, feeds: "Sequence[Feed]") -> None:
    """Say on standard error that none of the feeds is in this folder, and which there are."""
    from worker.report.harmless import harmless

    names = sorted({feed.folder for feed in feeds if feed.folder})
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    there = f"there are {harmless(', '.join(names[:_NAMED]))}{more}" if names else "no feed is in any"
    click.echo(f"there is no folder {folder}: {there}", err=True)


def _order(sort: str) -> "Callable[[Feed], Any]":
    from worker.schedule.adapt import new_a_day

    orders: dict[str, Callable[[Feed], Any]] = {
        "next": lambda feed: (feed.due, feed.url),
        "name": lambda feed: ((feed.title or feed.polls.title or feed.url).casefold(), feed.url),
        "new": lambda feed: (-(new_a_day(feed.polls) or 0.0), feed.url),
        "polled": lambda feed: (feed.polls.polled, feed.url),
        "errors": lambda feed: (-feed.polls.errors, feed.url),
        "added": lambda feed: (-feed.added, feed.url),
    }
    return orders[sort]


@click.command("show", epilog="Example: storywire feeds show example.org")
@click.argument("feed")
@click.option("--json", "as_json", is_flag=True, help="One object, its fetches in it.")
@DATA_DIR
def show(feed: str, as_json: bool, data_dir: str | None) -> None:
    """Show a feed with its last 30 polls.

    How it does, when it is polled next and why, what it brings, its validators, redirects, hub and the gate of its
    host; and of each poll what it found, and what was decided and why.
    """
    from worker.cli.screen.feed import show_feed
    from worker.cli.screen.terminal import Screen, ended_quietly, print_json
    from worker.report.feed import as_record, look

    with opened(data_dir) as runtime, ended_quietly():
        view = look(named(runtime.feeds, feed), runtime, runtime.clock.now())
        if as_json:
            print_json(as_record(view))
        else:
            show_feed(Screen(), view)
