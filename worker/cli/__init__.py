"""The `storywire` command: arguments only; one module a command, imported when it is called."""

import importlib
import os
import sys

import click

from worker.errors import StorywireError

COMMANDS = {
    "up": "All of it in one terminal, on an embedded server.",
    "demo": "The same over a local newsroom, without internet.",
    "poll": "Poll feeds and queue their new articles.",
    "pages": "Read the pages of entries that carry only a summary.",
    "serve": "Serve the page, and what else others ask of us over HTTP.",
    "work": "Cluster queued articles.",
    "report": "List the stories, or follow them as they form.",
    "explain": "Why two articles are, or are not, one story.",
    "replay": "A file of articles through the real pipeline into a store of its own, then the report.",
    "import": "The same files into the live store, as backfill.",
    "story": "Correct stories by hand: split, merge, pin, undo.",
    "forget": "Remove an article, an address or a feed everywhere, for good.",
    "quarantine": "Articles that could not be processed: list, show, retry, drop.",
    "feeds": "Add, list, show, pause, poll and remove feeds; import and export lists.",
    "alerts": "Tell others of stories by rules: check them, send a test, list what was not taken.",
    "check": "Server, queue, lag, pollers, feeds: one line each.",
}


class _Commands(click.Group):
    """A group that imports a command's module (`worker.cli.NAME`, attribute `command`) only when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"worker.cli.{name}_" if name == "import" else f"worker.cli.{name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="storywire", prog_name="storywire")
def cli() -> None:
    """Watch news feeds and see stories as they form: who reported first, who copied, who rewrote.

    Try `storywire demo`. Settings come from STORYWIRE_* variables; docs/settings.md lists them.
    """


def main() -> None:
    """Run the command; an expected failure is one line on standard error and exit status 1."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a thread a core for 2048 sums costs more than it brings
    try:
        cli(standalone_mode=True)
    except StorywireError as error:
        click.echo(f"storywire: {error}", err=True)
        sys.exit(1)
