"""`storywire feeds add`: an address to a feed of the store, after a look at what it leads to."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import click

from worker.cli.feeds.change import tell_of_pollers
from worker.cli.feeds.naming import called, words_given
from worker.cli.opening import DATA_DIR, opened
from worker.errors import BadInput, BadSetting
from worker.report.words import count

if TYPE_CHECKING:
    from worker.poller.probe import Examined, Found, Prober
    from worker.runtime import Runtime

_AT_ONCE = 8
"""Addresses that are looked at at the same time; their hosts' gates hold besides."""


class _Wanted(NamedTuple):
    """What the options say of the feeds to add."""

    title: str
    folder: str
    pages: str
    everything: bool
    force: bool


@click.command(
    "add", epilog="Example: storywire feeds add https://example.org/ --title 'Example News' --folder News/World"
)
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@click.option("--title", default="", metavar="NAME", help="What to call the outlet; by default as the feed says.")
@click.option("--folder", default="", metavar="A/B", help="The folder to put it in.")
@click.option("--pages", type=click.Choice(["auto", "on", "off"]), help="Whether its articles' pages are read.")
@click.option("--all", "everything", is_flag=True, help="All feeds that a page names, if it names several.")
@click.option("--force", is_flag=True, help="Add the address even if no feed can be read there now.")
@click.option("--no-fetch", is_flag=True, help="Add the address as it is, without a look at it.")
@DATA_DIR
def add(
    urls: tuple[str, ...],
    title: str,
    folder: str,
    pages: str | None,
    everything: bool,
    force: bool,
    no_fetch: bool,
    data_dir: str | None,
) -> None:
    """Add feeds, by their addresses or those of pages.

    `-` reads addresses from standard input, one a line. A page leads to the feed that it names, or to one at a
    place where many sites have theirs; of several feeds one has to be chosen, or all. Each is fetched once, as the
    poller does it, and what was found is shown; where no feed can be read, none is added. A feed that was removed
    or paused is polled again, and title, folder and pages of a known one are changed.
    """
    from worker.feed.opml import folder_path

    given = words_given(urls)
    if not given:
        raise BadInput("no address is given on standard input: write one a line")
    if title and len(given) > 1:
        raise BadSetting("--title names one feed, and several addresses are given: add them one by one")
    wanted = _Wanted(_line(title), folder_path(folder), pages or "", everything, force)
    with opened(data_dir, begins=True) as runtime:
        if no_fetch:
            failed = _as_they_are(runtime, given, wanted)
        else:
            failed = asyncio.run(_after_a_look(runtime, given, wanted))
            if len(failed) < len(given):
                tell_of_pollers(runtime)
    for line in failed[:-1]:
        click.echo(line, err=True)
    if failed:
        raise BadInput(failed[-1])


def _as_they_are(runtime: "Runtime", urls: Sequence[str], wanted: _Wanted) -> list[str]:
    from worker.feed.address import spellings

    failed = []
    for url in (spellings(each)[0] for each in urls):
        try:
            click.echo(_stored(runtime, url, wanted))
        except BadInput as error:
            failed.append(str(error))
            continue
        _tell_private(runtime, url)
    return failed


async def _after_a_look(runtime: "Runtime", urls: Sequence[str], wanted: _Wanted) -> list[str]:
    """Look at each and add it; the reasons of those that were not added."""
    from worker.feed.address import spellings
    from worker.fetch import Fetcher, Guard
    from worker.poller.parsers import Parsers
    from worker.poller.probe import Prober

    settings = runtime.settings
    fetcher = Fetcher(
        user_agent=settings.user_agent, timeout_s=settings.fetch_timeout, guard=Guard(settings.allow_private)
    )
    failed: list[str] = []
    room = asyncio.Semaphore(_AT_ONCE)
    async with fetcher, Parsers(size=2) as parsers:
        prober = Prober(fetcher, parsers, runtime.gates, runtime.clock)

        async def one(url: str) -> None:
            async with room:
                try:
                    spelled = spellings(url)
                    if not any(_is_known(runtime, each, wanted) for each in spelled):
                        found = await _look(prober, spelled, wanted)
                        _take(runtime, found, wanted, alone=len(urls) == 1)
                except BadInput as error:
                    failed.append(str(error))

        tasks = [asyncio.create_task(one(url)) for url in urls]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
    return failed


async def _look(prober: "Prober", spelled: Sequence[str], wanted: _Wanted) -> "Found":
    """What the first of these addresses that leads to a feed leads to; or else why the first one leads to none."""
    first: Found | None = None
    for each in spelled:
        found = await prober.look(each, everything=wanted.everything)
        if found.feeds:
            return found
        first = first or found
    assert first is not None
    return first


def _is_known(runtime: "Runtime", url: str, wanted: _Wanted) -> bool:
    """Change a feed that is there, and have it polled again if it was not; False where there is none."""
    feed = runtime.feeds.get(runtime.feeds.id_of(url))
    if feed is None:
        return False
    click.echo(_stored(runtime, url, wanted) + (", is polled again" if feed.paused else ""))
    return True


def _take(runtime: "Runtime", found: "Found", wanted: _Wanted, *, alone: bool) -> None:
    """Add what was found, and show it. Raises BadInput where there is no feed, or several to choose from."""
    from worker.cli.screen.probe import choice_lines, show_examined
    from worker.cli.screen.terminal import Screen
    from worker.feed.address import shown_url
    from worker.report.harmless import harmless

    if not found.feeds:
        if not wanted.force:
            raise BadInput(f"{shown_url(found.asked)}: {harmless(found.reason)} (--force adds it all the same)")
        click.echo(f"{_stored(runtime, found.asked, wanted)}; {harmless(found.reason)}")
        return
    if len(found.feeds) > 1 and not wanted.everything:
        for line in choice_lines(found, runtime.clock.now()):
            click.echo(line)
        raise BadInput(
            f"{shown_url(found.asked)} names {count(len(found.feeds), 'feed')}: add one of these, or --all of them"
        )
    screen = Screen()
    if found.page and alone:
        screen.say(f"{shown_url(found.asked)} is a web page; {_how(found)}:")
    for each in found.feeds:
        line = _stored(runtime, each.url, wanted, each)
        if not alone:
            line += f" ({harmless(shown_url(each.url))}" + (f", of {shown_url(found.asked)})" if found.page else ")")
        show_examined(screen, line, each, runtime.clock.now(), whole=alone and len(found.feeds) == 1)
    if found.others and alone and not wanted.everything:
        others = ", ".join(shown_url(each.url) for each in found.others[:3])
        screen.say((f"it names others as well (--all adds them): {harmless(others)}", "dim"))


def _how(found: "Found") -> str:
    """How a page led to its feeds, in words."""
    feeds = "its feed" if len(found.feeds) == 1 else "its feeds"
    if found.page == "guess":
        return "it names no feed, and this is where many sites have theirs"
    return feeds if found.page == "link" else f"{feeds}, by a link on it"


def _stored(runtime: "Runtime", url: str, wanted: _Wanted, examined: "Examined | None" = None) -> str:
    """Add a feed; in a line, what became of it."""
    from worker.report.harmless import harmless

    feed, is_new = runtime.feeds.add(url, wanted.title, runtime.clock.now(), wanted.folder, wanted.pages)
    found = _line(examined.feed.title) if examined else ""
    if is_new and found:
        runtime.feeds.call(feed, found)
    title = wanted.title or found
    if not title and (known := runtime.feeds.get(feed)) is not None:
        title = called(known)
    return f"{'added' if is_new else 'known already'}: {feed} {harmless(title)}"


def _tell_private(runtime: "Runtime", url: str) -> None:
    """Warn of an address that the poller would refuse."""
    from worker.feed.address import host, normal_url
    from worker.feed.private import why_private_host

    place = host(normal_url(url))
    if (why := why_private_host(place)) and runtime.settings.allow_private == "0":
        click.echo(
            f"{place} is {why}, and such are not fetched: let the poller have STORYWIRE_ALLOW_PRIVATE=1, or a list of "
            "ADDRESS:PORT",
            err=True,
        )


def _line(title: str) -> str:
    """A name as it may stand in tables and keys: one line of plain text."""
    from worker.text import clean

    return clean(title).replace("\n", " ")[:200]
