"""Where `up` and `demo` serve the page: what they ask and what they say of it.

Invariant: an address that a person gave is taken or done without, never changed.
"""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from worker import config

if TYPE_CHECKING:
    from worker.config import Settings

LISTEN = click.option(
    "--listen",
    metavar="ADDRESS:PORT",
    help="Where the page is.  [STORYWIRE_LISTEN, 127.0.0.1:8080 or the next port that is free]",
)
NO_PAGE = click.option("--no-page", is_flag=True, help="Serve no page, and listen to no hubs.")


@contextmanager
def place_for_page(
    settings: "Settings", listen: str | None, say: Callable[[str], None], *, wanted: bool
) -> Iterator[tuple["Settings", socket.socket | None]]:
    """A socket that listens for the page, and the settings with its address; None where there is to be no page, or the
    address that was given is taken: then it is said, with what to do.

    Where nobody gave an address, the next port that is free is one: who gave STORYWIRE_PUBLIC_URL has a proxy that
    knows the usual one.
    """
    from worker.errors import Permanent
    from worker.listening import listen as listening_at
    from worker.listening import place_of

    if not wanted:
        yield settings, None
        return
    given = listen is not None or bool(settings.public_url) or config.is_set(os.environ, "listen")
    try:
        listening = listening_at(settings.listen, near=not given)
    except Permanent as error:
        say(f"The page is not served: {error}, with STORYWIRE_LISTEN or --listen")
        yield settings, None
        return
    with listening:
        yield replace(settings, listen=place_of(listening)), listening
