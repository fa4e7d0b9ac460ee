"""What commands begin with: the data directory, before or behind a subcommand, and its store.

Invariant: what only reads or changes a store creates none, so a mistyped folder is an error and not an empty store.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from worker.config import Settings, load
from worker.errors import Permanent

if TYPE_CHECKING:
    from worker.runtime import Runtime


def _given(context: click.Context, _parameter: click.Parameter, data_dir: str | None) -> str | None:
    """The folder given behind the subcommand, or before it."""
    return data_dir or context.obj


DATA_DIR = click.option("--data-dir", metavar="DIR", callback=_given, help="Data directory of the embedded server.")
"""The option of a subcommand; its group keeps its own in `context.obj`."""


@contextmanager
def opened(data_dir: str | None, *, begins: bool = False) -> "Iterator[Runtime]":
    """The store of the running subcommand, whose group's name stands in the log.

    begins: begin a store where there is none; otherwise that raises Permanent.
    """
    from worker import log
    from worker.runtime import open_runtime

    parent = click.get_current_context().parent
    settings = load(os.environ, data_dir=data_dir)
    log.configure(str(parent and parent.command.name), settings.log_level, settings.log_format)
    if not begins:
        must_exist(settings)
    with open_runtime(settings) as runtime:
        yield runtime


def must_exist(settings: Settings) -> None:
    """Raises Permanent where the data directory holds no store; a server of one's own is asked later."""
    if settings.redis_url:
        return
    from worker.embedded import Home

    if not Home(settings.data_dir).is_made():
        raise Permanent(
            f"there is no store in {settings.data_dir} yet: `storywire up` begins one, `storywire demo` shows how it "
            "looks without internet; or give another --data-dir"
        )


def must_run(settings: Settings) -> None:
    """Raises Permanent where there is no store, or nobody runs its embedded server."""
    must_exist(settings)
    if settings.redis_url:
        return
    from worker.embedded import Home

    if not Home(settings.data_dir).is_served():
        raise Permanent(f"nothing runs in {settings.data_dir}: start `storywire up`, or `storywire poll` and `work`")
