"""`storywire demo`: everything over a local newsroom, in one terminal, without internet."""

import os
import secrets
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import click

from worker.cli.paging import LISTEN, NO_PAGE, place_for_page
from worker.config import load
from worker.errors import Permanent

if TYPE_CHECKING:
    from worker.config import Settings
    from worker.store.feeds import Feeds

_POLL_INTERVAL = "2s"
_MAX_DAILY = "100000"
"""In one day two months of news pass here, and more with `--speed`."""
_HOST = "http://127.0.0.1:"


@click.command("demo", epilog="Example: storywire demo --speed 2")
@click.option(
    "--speed",
    type=click.FloatRange(0.05, 60),
    default=1.0,
    show_default=True,
    help="How fast the news comes; 1 is a minute of news a second.",
)
@click.option("--seed", type=click.IntRange(0), help="The same seed tells the same news.  [default: another each time]")
@click.option("--seconds", type=click.FloatRange(1), help="End by itself after so long.")
@click.option("--data-dir", metavar="DIR", help="Keep what was gathered in this folder.  [default: a temporary one]")
@LISTEN
@NO_PAGE
def command(
    speed: float, seed: int | None, seconds: float | None, data_dir: str | None, listen: str | None, no_page: bool
) -> None:
    """Watch stories form in the news of an invented country: real feeds over real HTTP, all on this machine.

    Breaking stories, wire copies, rewrites, follow-ups, corrections, one slow feed and one that breaks; the poller,
    the workers, the page and the report are those of `up`. The live store is never touched. Ctrl-C ends all.
    """
    from worker import log, supervisor
    from worker.demo.outlets import OUTLETS
    from worker.demo.server import NewsroomServer, serving
    from worker.runtime import open_runtime

    seed = secrets.randbelow(10_000) if seed is None else seed
    say = partial(click.echo, err=True)
    with ExitStack() as closing:
        folder = data_dir or closing.enter_context(tempfile.TemporaryDirectory(prefix="storywire-demo-"))
        site = closing.enter_context(serving(NewsroomServer(seed, speed=speed)))
        settings = _settings_in(folder, site, listen)
        log.configure("demo", settings.log_level, settings.log_format)
        closing.enter_context(supervisor.alone(settings.data_dir))
        placed = closing.enter_context(place_for_page(settings, listen, say, wanted=not no_page))
        runtime = closing.enter_context(open_runtime(placed[0], carry_over=True))
        _make_room(runtime.feeds, settings.data_dir)
        for outlet in OUTLETS:
            runtime.feeds.add(f"{site}/{outlet.id}/feed.xml", outlet.name, runtime.clock.now())
        say(f"Look closer in another terminal: storywire report --members --data-dir {settings.data_dir}")
        say(f"The local newsroom is at {site}/: {len(OUTLETS)} outlets; --seed {seed} tells this news again.")
        with _ended_after(seconds):
            supervisor.run(runtime, say, placed[1])


def _settings_in(folder: str, site: str, listen: str | None) -> "Settings":
    """Those of the environment, but for the servers: a demo has a store of its own, and reaches its own site only."""
    others = ("STORYWIRE_REDIS_URL", "STORYWIRE_QUEUE_URL", "STORYWIRE_ARCHIVE_DIR", "STORYWIRE_PUBLIC_URL")
    return load(
        {name: value for name, value in os.environ.items() if name not in others},
        data_dir=folder,
        listen=listen,
        poll_interval=_POLL_INTERVAL,
        poll_min=_POLL_INTERVAL,
        poll_max=_POLL_INTERVAL,
        max_daily=_MAX_DAILY,
        allow_private=site.removeprefix("http://"),
        gate="feed",  # each of them an outlet of its own, though on one host
        pages="off",  # they say what its feeds say, and news here is minutes old after seconds
    )


def _make_room(feeds: "Feeds", data_dir: Path) -> None:
    """Remove the feeds of an earlier demo, whose server is gone; refuse a folder in which real feeds are watched."""
    known = feeds.all()
    if any(not feed.url.startswith(_HOST) for feed in known):
        raise Permanent(f"{data_dir} holds feeds of yours, and a demo would mix with them: give it another --data-dir")
    for feed in known:
        feeds.remove(feed.id)


@contextmanager
def _ended_after(seconds: float | None) -> Iterator[None]:
    """Press Ctrl-C for the person who watches, after so many seconds."""
    before = signal.signal(signal.SIGALRM, _interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds or 0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
