"""`storywire feeds remove | pause | resume | poll`: what is done with feeds that are there."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from worker.cli.feeds.naming import called, named, of_address, words_given
from worker.cli.opening import DATA_DIR, opened
from worker.errors import BadInput

if TYPE_CHECKING:
    from worker.runtime import Runtime
    from worker.store.feeds import Feed, Feeds

_FEEDS = click.argument("feeds", nargs=-1, required=True, metavar="FEED...")


@click.command("remove", epilog="Example: storywire feeds remove https://example.org/feed.xml")
@click.argument("feeds", nargs=-1, required=True, metavar="URL|ID...")
@DATA_DIR
def remove(feeds: tuple[str, ...], data_dir: str | None) -> None:
    """Remove feeds; no list of feeds brings them back.

    They are named by address or id alone; `-` takes those on standard input. What they published stays in its
    stories: `storywire forget` removes that.
    """
    with opened(data_dir) as runtime:
        _each(runtime, feeds, of_address, lambda feed: "removed" if runtime.feeds.remove(feed.id) else "")


@click.command("pause", epilog="Example: storywire feeds pause example.org")
@_FEEDS
@DATA_DIR
def pause(feeds: tuple[str, ...], data_dir: str | None) -> None:
    """Poll feeds no more until they are resumed.

    `-` takes them from standard input.
    """
    with opened(data_dir) as runtime:
        _each(runtime, feeds, named, lambda feed: "paused" if runtime.feeds.pause(feed.id) else "")


@click.command("resume", epilog="Example: storywire feeds resume example.org")
@_FEEDS
@DATA_DIR
def resume(feeds: tuple[str, ...], data_dir: str | None) -> None:
    """Poll paused feeds again, at once.

    Those that a person paused, and those whose servers said that they are gone for good; `-` takes them from
    standard input.
    """

    def resumed(feed: "Feed") -> str:
        if not feed.paused:
            return "was not paused"
        return "resumed" if runtime.feeds.resume(feed.id, runtime.clock.now()) else ""

    with opened(data_dir) as runtime:
        _each(runtime, feeds, named, resumed, polled=True)


@click.command("poll", epilog="Example: storywire feeds poll example.org")
@_FEEDS
@DATA_DIR
def poll(feeds: tuple[str, ...], data_dir: str | None) -> None:
    """Make feeds due now, whatever they wait for.

    `storywire feeds show FEED` tells what the poll found; `-` takes feeds from standard input. The gate of the
    feed's host still holds: a host that asked to be left alone is left alone.
    """

    from worker.report.feeds import status
    from worker.schedule import until
    from worker.store.gates import CLOSED

    def hastened(feed: "Feed") -> str:
        if feed.paused:
            raise BadInput(f"{called(feed)} is {status(feed)}: `storywire feeds resume {feed.id}`")
        if not runtime.feeds.hasten(feed.id, runtime.clock.now()):
            return ""
        gate = runtime.gates.rule.gate(feed.url, feed.id)
        if not (closed_s := runtime.gates.look(gate).closed_s):
            return "due now"
        return f"due, but {gate} {CLOSED}, {until(runtime.clock.now(), closed_s)}"

    with opened(data_dir) as runtime:
        _each(runtime, feeds, named, hastened, polled=True)


def tell_of_pollers(runtime: "Runtime") -> None:
    """Say it, where nobody polls."""
    if not runtime.pollers.alive():
        click.echo("no poller runs: `storywire poll` (or `storywire up`) begins with what is due", err=True)


def _each(
    runtime: "Runtime",
    texts: Sequence[str],
    find: "Callable[[Feeds, str], Feed]",
    do: "Callable[[Feed], str]",
    *,
    polled: bool = False,
) -> None:
    """Do it with each and say so: all that can be, the others are named in the end. Raises BadInput for those.

    polled: what is done needs a poller to go on with it.
    """
    failed, texts = [], _given(texts)
    for text in texts:
        try:
            feed = find(runtime.feeds, text)
            if not (done := do(feed)):
                raise BadInput(f"{called(feed)} was removed meanwhile")
            click.echo(f"{done}: {feed.id} {called(feed)}")
        except BadInput as error:
            failed.append(str(error))
    if polled and len(failed) < len(texts):
        tell_of_pollers(runtime)
    for line in failed[:-1]:
        click.echo(line, err=True)
    if failed:
        raise BadInput(failed[-1])


def _given(texts: Sequence[str]) -> Sequence[str]:
    if not (found := words_given(texts)):
        raise BadInput("no feed is named on standard input: give one a line")
    return found
