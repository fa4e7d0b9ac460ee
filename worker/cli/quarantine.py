"""`storywire quarantine`: articles that could not be processed: why, and what is to become of them."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from worker.cli.opening import DATA_DIR, opened
from worker.errors import BadInput, BadSetting
from worker.report.words import count

if TYPE_CHECKING:
    from worker.runtime import Runtime
    from worker.store.quarantine import Quarantined


@click.group("quarantine", epilog="Example: storywire quarantine list")
@click.option("--data-dir", metavar="DIR", help="Data directory of the embedded server.  [STORYWIRE_DATA_DIR]")
@click.pass_context
def command(context: click.Context, data_dir: str | None) -> None:
    """Articles that could not be processed: list, show, retry, drop.

    An article is here because reading, fingerprinting or placing it raised an error, or because the process that worked
    on it died three times with nothing else in hand. The others of its batch were clustered. It stays until you retry
    or drop it, or until its feed publishes a newer revision that can be clustered. The quarantine takes 1,000 articles
    a feed and 10,000 in all; beyond that they wait where they were and are tried again every hour.
    """
    context.obj = data_dir


_ARTICLES = click.argument("articles", nargs=-1, metavar="ARTICLE...")
_ALL = click.option("--all", "everything", is_flag=True, help="All that are in quarantine.")


@command.command("list", epilog="Example: storywire quarantine list --json | jq -r .reason | sort | uniq -c")
@click.option("--json", "as_json", is_flag=True, help="One object an article.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Articles to list.")
@DATA_DIR
def list_(as_json: bool, limit: int, data_dir: str | None) -> None:
    """List the articles, those that came last first: which, since when, and why."""
    from worker.cli.screen.quarantine import as_record, show_list
    from worker.cli.screen.terminal import Screen, ended_quietly, print_json

    with opened(data_dir) as runtime, ended_quietly():
        kept = sorted(runtime.quarantine.everything(), key=lambda each: (-each.at, each.article))
        if as_json:
            for each in kept[:limit]:
                print_json(as_record(each))
        elif kept:
            show_list(Screen(), kept[:limit], len(kept), runtime.clock.now())
        else:
            click.echo("nothing is in quarantine", err=True)


@command.command("show", epilog="Example: storywire quarantine show bbc.1f3a9c")
@click.argument("article")
@click.option("--json", "as_json", is_flag=True, help="One object, its payload in base64.")
@click.option("--full", is_flag=True, help="The whole traceback, not only where it began and what came of it.")
@DATA_DIR
def show(article: str, as_json: bool, full: bool, data_dir: str | None) -> None:
    """Show an article: its reason, its traceback, and what waited of it, as far as that can be read."""
    from worker.cli.screen.quarantine import as_record, show_one
    from worker.cli.screen.terminal import Screen, ended_quietly, print_json

    with opened(data_dir) as runtime, ended_quietly():
        for each in _found(runtime, [article]):
            if as_json:
                print_json(as_record(each, whole=True))
            else:
                show_one(Screen(), each, full=full)


@command.command("retry", epilog="Example: storywire quarantine retry --all")
@_ARTICLES
@_ALL
@DATA_DIR
def retry(articles: tuple[str, ...], everything: bool, data_dir: str | None) -> None:
    """Give articles back to the workers, after an update that mends what they failed with.

    One that fails again comes back here.
    """
    with opened(data_dir) as runtime:
        kept = _chosen(runtime, articles, everything)
        moved = runtime.quarantine.release(kept, runtime.clock.now())
        runtime.jobs.enqueue(moved)
    click.echo(f"queued: {count(len(moved), 'article')}")


@command.command("drop", epilog="Example: storywire quarantine drop bbc.1f3a9c --yes")
@_ARTICLES
@_ALL
@click.option("--yes", is_flag=True, help="Do not ask.")
@DATA_DIR
def drop(articles: tuple[str, ...], everything: bool, yes: bool, data_dir: str | None) -> None:
    """Remove articles from the quarantine for good; a later revision of one is clustered as usual."""
    with opened(data_dir) as runtime:
        kept = _chosen(runtime, articles, everything)
        if kept and not yes:
            _ask(f"{count(len(kept), 'article')} from the quarantine")
        dropped = runtime.quarantine.drop([each.ref for each in kept], runtime.clock.now())
    click.echo(f"dropped: {count(dropped, 'article')}")


def _chosen(runtime: "Runtime", articles: Sequence[str], everything: bool) -> "list[Quarantined]":
    if articles and everything:
        raise BadSetting("--all is of every article, and some are named: give the one or the other")
    if not articles and not everything:
        raise BadSetting("name the articles, or give --all")
    return list(runtime.quarantine.everything()) if everything else _found(runtime, articles)


def _found(runtime: "Runtime", articles: Sequence[str]) -> "list[Quarantined]":
    """The articles of these ids; raises BadInput for one that is not there."""
    found: list[Quarantined] = []
    for article in dict.fromkeys(articles):
        kept = runtime.quarantine.find(article)
        if not kept:
            raise BadInput(f"{article!r} is not in quarantine: `storywire quarantine list` shows what is")
        found += kept
    return found


def _ask(what: str) -> None:
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        raise BadSetting(f"this would remove {what} for good: add --yes")
    if not click.confirm(f"Remove {what} for good?", default=False):
        raise SystemExit(1)
