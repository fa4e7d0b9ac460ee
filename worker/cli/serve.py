"""`storywire serve`: what others ask of us over HTTP, one process."""

import asyncio
import os
from typing import TYPE_CHECKING

import click

from worker.cli.stopping import until_stopped
from worker.config import load

if TYPE_CHECKING:
    from worker.runtime import Runtime


@click.command("serve", epilog="Example: STORYWIRE_PUBLIC_URL=https://news.example.org/wire storywire serve")
@click.option("--data-dir", metavar="DIR", help="Data directory of the embedded server.  [STORYWIRE_DATA_DIR]")
@click.option("--listen", metavar="ADDRESS:PORT", help="Where to listen.  [STORYWIRE_LISTEN, 127.0.0.1:8080]")
def command(data_dir: str | None, listen: str | None) -> None:
    """Serve what others ask of us: hubs that push feeds (WebSub) and `/healthz`, until stopped.

    With STORYWIRE_PUBLIC_URL, the hubs that feeds offer are asked to push to `/websub/` under that address: put a
    proxy with a certificate in front, which passes it on to STORYWIRE_LISTEN. Feeds that are pushed are polled rarely.
    Any number of these processes share the work.
    """
    from worker import log
    from worker.runtime import open_runtime

    settings = load(os.environ, data_dir=data_dir, listen=listen)
    log.configure("web", settings.log_level, settings.log_format)
    with open_runtime(settings, carry_over=True) as runtime:
        asyncio.run(_serve(runtime))


async def _serve(runtime: "Runtime") -> None:
    from worker.web.serve import Serving

    serving = Serving(runtime)
    await until_stopped(serving.run(), serving.stop)
