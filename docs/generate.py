"""Writes the pages that come from the code: settings, keys, commands, metrics, feeds, and the example of an environment
file.

Invariant: what it writes depends on the code alone, and `tests/unit/test_docs.py` fails where a page lags behind.
"""

import importlib
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import click

from docs.feeds import feeds_page
from worker.cli import COMMANDS, cli
from worker.config import SETTINGS
from worker.metrics import METRICS, Kind
from worker.metrics.table import PROCESS
from worker.store import keys

ROOT = Path(__file__).parents[1]
_NOTE = "<!-- Written by `make docs` from {source}: change it there. -->\n\n"


_SETTINGS = """\
# Settings

Every command reads these variables. An argument such as `--data-dir` wins over its variable, and an empty variable
counts as not set. A value that cannot be used is refused by name before anything starts.

Durations are written `90s`, `15m`, `24h`, `30d`. An address is `redis://:PASSWORD@HOST:PORT/DATABASE`, `rediss://...`
for TLS, or `unix:///PATH?db=DATABASE`; no message and no log shows its password.

| variable | default | meaning |
|---|---|---|
{rows}

[deploy/.env.example](../deploy/.env.example) has them all in the form that systemd reads.
"""

_KEYS = """\
# Keys in the server

{introduction}

The number after `sw` is the version of this layout, now {version}: no other version works on these keys, but the next
one carries them over ([upgrades.md](upgrades.md)). RQ's own begin with `rq:`; they carry ids only, and a lost queue
loses nothing.

"""

_COMMANDS = """\
# Commands

Each command ends with status 0, or says on standard error in one line what is wrong and what to do about it, and ends
with status 1 (2 where an argument cannot be used).

"""


def settings_page() -> str:
    """docs/settings.md."""
    rows = [
        f"| `{each.variable}` | {f'`{each.default}`' if each.default else 'none'} | {each.help} |" for each in SETTINGS
    ]
    return _NOTE.format(source="worker/config/table.py") + _SETTINGS.format(rows="\n".join(rows))


def environment_example() -> str:
    """deploy/.env.example: every setting with its default, the server's address set."""
    lines = [
        "# Settings of the Storywire units, and what each means. Written by `make docs`; docs/settings.md explains."
    ]
    lines.append("# Poller and worker are different users to the system: they need one server that both can reach.")
    for each in SETTINGS:
        lines += ["", f"# {each.help}"]
        lines.append(
            "STORYWIRE_REDIS_URL=redis://127.0.0.1:6379/0"
            if each.name == "redis_url"
            else f"#{each.variable}={_quoted(each.default)}"
        )
    return "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    return f'"{value}"' if " " in value else value


class _Name(str):
    """An argument of a key that stands for itself: `LANG`, `UID`."""

    __slots__ = ()

    def hex(self) -> str:
        return self


def key_functions() -> list[Callable[..., str]]:
    """The functions of store/keys/, one a key, in the order of the page."""
    return [each for section in keys.SECTIONS for each in _functions(section)]


def _functions(section: ModuleType) -> list[Callable[..., str]]:
    return [
        each
        for name, each in vars(section).items()
        if inspect.isfunction(each) and each.__module__ == section.__name__ and not name.startswith("_")
    ]


def key_pattern(function: Callable[..., str]) -> str:
    """What a key looks like: `sw:3:{LANG}:s:NUMBER`."""
    return function(*(_Name(name.upper()) for name in inspect.signature(function).parameters))


def redis_page() -> str:
    """docs/redis.md."""
    introduction = dedent(keys.__doc__ or "").partition("Invariant: ")[2].strip()
    lines = []
    for section in keys.SECTIONS:
        lines += [f"## {(section.__doc__ or '').partition(':')[0]}\n", "| key | what it is |", "|---|---|"]
        lines += [f"| `{key_pattern(each)}` | {_words(each)} |" for each in _functions(section)]
        lines.append("")
    head = _KEYS.format(introduction=introduction[:1].upper() + introduction[1:], version=keys.SCHEMA)
    return _NOTE.format(source="worker/store/keys/") + head + "\n".join(lines)


def _words(function: Callable[..., str]) -> str:
    return " ".join((function.__doc__ or "").split()).replace("|", "\\|")


def commands_page() -> str:
    """docs/commands.md: the help of every command."""
    lines = []
    for name in COMMANDS:
        module = importlib.import_module(f"worker.cli.{name}_" if name == "import" else f"worker.cli.{name}")
        top = click.Context(cli, info_name="storywire", terminal_width=100, **cli.context_settings)
        for context in _with_subcommands(click.Context(module.command, info_name=name, parent=top)):
            path = _path(context)
            lines += [f"{'#' * len(path)} {' '.join(path)}\n", "```", _help(context), "```", ""]
    return _NOTE.format(source="worker/cli/") + _COMMANDS + "\n".join(lines)


def _with_subcommands(context: click.Context) -> Iterator[click.Context]:
    """A command, then those below it; each context has its parent's command in its parent, as the usage line asks."""
    yield context
    if isinstance(context.command, click.Group):
        for name, subcommand in context.command.commands.items():
            yield from _with_subcommands(click.Context(subcommand, info_name=name, parent=context))


def _path(context: click.Context) -> list[str]:
    return [*(_path(context.parent) if context.parent else []), str(context.info_name)]


def _help(context: click.Context) -> str:
    return "\n".join(line.rstrip() for line in context.get_help().splitlines())


_METRICS = """\
# Metrics

What each process tells Prometheus: `storywire serve` at `/metrics` of its own address, the others where
`STORYWIRE_METRICS` says; [operations.md](operations.md#watching-it-with-prometheus-and-grafana) tells how to set it up.
Of a histogram, Prometheus has `_bucket`, `_sum` and `_count`. A gauge of the store is told by the web process alone.

| metric | kind | of | labels | meaning | what to do |
|---|---|---|---|---|---|
{rows}

Of every process, on Linux, as Prometheus' own library has them: {process}.
"""


def metrics_page() -> str:
    """docs/metrics.md."""
    rows = []
    for each in METRICS:
        kind = "gauge of the store" if each.kind is Kind.READING else str(each.kind)
        labels = ", ".join(f"`{label}`" for label in each.labels)
        rows.append(f"| `{each.name}` | {kind} | {', '.join(each.of)} | {labels} | {each.meaning} | {each.remedy} |")
    process = ", ".join(f"`{name}`" for name in PROCESS)
    return _NOTE.format(source="worker/metrics/table.py") + _METRICS.format(rows="\n".join(rows), process=process)


PAGES: dict[str, Callable[[], str]] = {
    "docs/settings.md": settings_page,
    "docs/redis.md": redis_page,
    "docs/commands.md": commands_page,
    "docs/metrics.md": metrics_page,
    "docs/feeds.md": feeds_page,
    "deploy/.env.example": environment_example,
}
"""Every page that is written, by its path in the repository."""


def main() -> None:
    """Write the pages that have changed."""
    for path, write in PAGES.items():
        page, text = ROOT / path, write()
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")
            click.echo(f"wrote {path}")


if __name__ == "__main__":
    main()
