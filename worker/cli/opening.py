"""What every group of subcommands begins with: the data directory, before or behind the subcommand, and its store."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from worker.config import load

if TYPE_CHECKING:
    from worker.runtime import Runtime


def _given(context: click.Context, _parameter: click.Parameter, data_dir: str | None) -> str | None:
    """The folder given behind the subcommand, or before it."""
    return data_dir or context.obj


DATA_DIR = click.option("--data-dir", metavar="DIR", callback=_given, help="Data directory of the embedded server.")
"""The option of a subcommand; its group keeps its own in `context.obj`."""


@contextmanager
def opened(data_dir: str | None) -> "Iterator[Runtime]":
    """The store of the running subcommand, whose group's name stands in the log."""
    from worker import log
    from worker.runtime import open_runtime

    parent = click.get_current_context().parent
    settings = load(os.environ, data_dir=data_dir)
    log.configure(str(parent and parent.command.name), settings.log_level, settings.log_format)
    with open_runtime(settings) as runtime:
        yield runtime
