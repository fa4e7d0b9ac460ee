"""`storywire serve`: what others ask of us over HTTP, one process."""

import asyncio
import os
import socket
import sys
from typing import TYPE_CHECKING

import click

from worker.cli.stopping import until_stopped
from worker.config import load

if TYPE_CHECKING:
    from worker.runtime import Runtime


@click.command("serve", epilog="Example: STORYWIRE_PUBLIC_URL=https://news.example.org/wire storywire serve")
@click.option("--data-dir", metavar="DIR", help="Data directory of the embedded server.  [STORYWIRE_DATA_DIR]")
@click.option("--listen", metavar="ADDRESS:PORT", help="Where to listen.  [STORYWIRE_LISTEN, 127.0.0.1:8080]")
@click.option("--fd", type=click.IntRange(3), help="Serve on this socket, which listens already: a file descriptor.")
def command(data_dir: str | None, listen: str | None, fd: int | None) -> None:
    """Serve the page, and what else others ask of us over HTTP: hubs that push feeds (WebSub), `/healthz`.

    Runs until it is stopped, and says on a terminal where the page is. The address has to be free: another is given
    with --listen. What listens for more than this machine demands a token (STORYWIRE_TOKEN).

    With STORYWIRE_PUBLIC_URL, the hubs that feeds offer are asked to push to `/websub/` under that address: put a
    proxy with a certificate in front, which passes it on to STORYWIRE_LISTEN. Feeds that are pushed are polled rarely.
    Any number of these processes share the work.
    """
    from worker import listening, log
    from worker.runtime import open_runtime

    given = None if fd is None else listening.inherited(fd)
    settings = load(os.environ, data_dir=data_dir, listen=listening.place_of(given) if given else listen)
    log.configure("web", settings.log_level, settings.log_format)
    with given or listening.listen(settings.listen) as listens, open_runtime(settings, carry_over=True) as runtime:
        asyncio.run(_serve(runtime, listens, listening.url_of(listens), lenient=fd is not None))


async def _serve(runtime: "Runtime", listening: socket.socket, url: str, *, lenient: bool) -> None:
    from worker.watchdog import Watchdog
    from worker.web.serve import Serving, alone

    serving = Serving(runtime, listening=listening, watchdog=Watchdog(os.environ), lenient=lenient)
    alone()
    if sys.stderr.isatty():
        click.echo(f"The page: {url}", err=True)
    await until_stopped(serving.run(), serving.stop)
