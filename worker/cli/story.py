"""`storywire story`: an editor's corrections, and what is in force of them."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import json as msgspec_json

from worker.cli.opening import DATA_DIR, opened
from worker.cli.standard import read, write
from worker.feed.address import shown_url
from worker.report.words import count
from worker.spool import name_of

if TYPE_CHECKING:
    from worker.editing import Edited


@click.group("story", epilog="Example: storywire story merge en-7f3k en-81aa")
@click.option("--data-dir", metavar="DIR", help="Data directory of the embedded server.  [STORYWIRE_DATA_DIR]")
@click.pass_context
def command(context: click.Context, data_dir: str | None) -> None:
    """Show a story, or correct stories by hand: split, merge, pin; list, undo and export the corrections.

    A correction is kept as constraints between articles, so it holds after merges, revisions and restarts, and for
    articles that come again. A later one lifts what an earlier one says against it. A STORY is an id such as en-7f3k,
    an ARTICLE an id that `storywire report --members` shows, or its address.
    """
    context.obj = data_dir


@command.command("show", epilog="Example: storywire story show en-7f3k")
@click.argument("story")
@click.option("--json", "as_json", is_flag=True, help="One object, as of `storywire report --members --json`.")
@DATA_DIR
def show(story: str, as_json: bool, data_dir: str | None) -> None:
    """Show a story with all that is kept of its articles.

    Whose each is, which feeds carried it, what it repeats, and the headlines that its outlet gave it before.
    """
    from worker.cli.screen.story import story_lines
    from worker.cli.screen.terminal import Screen, ended_quietly, print_json
    from worker.report.listing import one_story
    from worker.report.views import story_record

    with opened(data_dir) as runtime, ended_quietly():
        now = runtime.clock.now()
        view = one_story(runtime.stories, story, now)
        if as_json:
            print_json(story_record(view))
            return
        ids = {feed for member in view.members or () if len(member.feeds) > 1 for feed in member.feeds}
        known = {feed: found for feed in ids if (found := runtime.feeds.get(feed))}
        names = {feed: found.title or found.polls.title or shown_url(found.url) for feed, found in known.items()}
        screen = Screen()
        for line in story_lines(view, names, now):
            screen.say(*line)


@command.command("split", epilog="Example: storywire story split en-7f3k bbc.1f3a9c https://example.org/flood")
@click.argument("story")
@click.argument("articles", nargs=-1, required=True, metavar="ARTICLE...")
@DATA_DIR
def split(story: str, articles: tuple[str, ...], data_dir: str | None) -> None:
    """Take articles out of a story, into one story of their own; the two never merge again.

    Copies of their texts go with them, now and later. Other articles that come later join whichever fits better.
    """
    with opened(data_dir) as runtime:
        done = runtime.editing.split(story, articles)
    _tell(done, asked=len(set(articles)))


@command.command("merge", epilog="Example: storywire story merge en-7f3k en-81aa")
@click.argument("stories", nargs=-1, required=True, metavar="STORY STORY...")
@DATA_DIR
def merge(stories: tuple[str, ...], data_dir: str | None) -> None:
    """Make one story of several; the oldest number stays, the others lead to it."""
    with opened(data_dir) as runtime:
        done = runtime.editing.merge(stories)
    _tell(done)


@command.command("pin", epilog="Example: storywire story pin bbc.1f3a9c en-7f3k")
@click.argument("article")
@click.argument("story", required=False)
@DATA_DIR
def pin(article: str, story: str | None, data_dir: str | None) -> None:
    """Keep an article in its story, or put it into another one, for good: whatever its revisions say."""
    with opened(data_dir) as runtime:
        done = runtime.editing.pin(article, story)
    _tell(done)


@command.command("undo", epilog="Example: storywire story undo en.3")
@click.argument("correction")
@DATA_DIR
def undo(correction: str, data_dir: str | None) -> None:
    """Lift a correction, by the name that `storywire story corrections` shows, and put articles back.

    What it merged is taken apart again, under new numbers (64 articles at most), and what it split off comes back; a
    pinned article stays. Where a later correction speaks of the same articles, none moves: undo the latest first.
    """
    from worker.report.corrected import undone

    with opened(data_dir) as runtime:
        done = runtime.editing.undo(correction)
    click.echo(undone(*done.lifted, done.stories, done.later))


@command.command("corrections", epilog="Example: storywire story corrections --json | jq -r .kind")
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
@DATA_DIR
def corrections(as_json: bool, data_dir: str | None) -> None:
    """List the corrections in force, the oldest first."""
    from worker.cli.screen.terminal import Screen, ended_quietly, print_json
    from worker.report.cases import correction_record
    from worker.report.corrected import said
    from worker.report.harmless import harmless
    from worker.report.words import full_time

    with opened(data_dir) as runtime, ended_quietly():
        found = runtime.editing.corrections()
        screen = Screen()
        for named in found:
            if as_json:
                print_json(correction_record(named.lang, named.correction))
                continue
            until = f"  (until {full_time(named.correction.until)})" if named.correction.until else ""
            screen.say(
                (f"{named.id:<8}", "bold"), f"  {full_time(named.correction.made)}  {harmless(said(*named))}{until}"
            )
        if not found:
            click.echo("no corrections: `storywire story split | merge | pin` makes one", err=True)


@command.command("import", epilog="Example: storywire story import corrections.jsonl")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@DATA_DIR
def import_(file: Path, data_dir: str | None) -> None:
    """Put the corrections of another store in force, as `storywire story corrections --json` printed them.

    `-` reads them from standard input. They hold for articles that come from now on: import them before the articles.
    None that is there moves.
    """
    from worker.report.cases import parse_corrections

    records = list(parse_corrections(read(file).splitlines(), name_of(file)))
    with opened(data_dir, begins=True) as runtime:
        added = runtime.editing.adopt(records)
    click.echo(f"{count(added, 'correction')} in force, {len(records) - added} known already")


@command.command("export", epilog="Example: storywire story export cases.jsonl")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@DATA_DIR
def export(file: Path, data_dir: str | None) -> None:
    """Write the corrections as test cases, one pair of articles a line; `storywire replay --cases` runs them.

    `-` writes them to standard output.
    """
    from worker.report.cases import cases

    with opened(data_dir) as runtime:
        found = [
            case
            for named in runtime.editing.corrections()
            for case in cases(named.lang, named.correction, runtime.editing.members(named))
        ]
    if write(file, b"".join(msgspec_json.encode(case) + b"\n" for case in found)):
        click.echo(f"{file}: {count(len(found), 'pair')} of articles")


def _tell(done: "Edited", asked: int = 0) -> None:
    """What was done, the name of the correction, and what it was about that earlier ones said."""
    from worker.report.corrected import overridden, told
    from worker.report.harmless import harmless

    lang, made = done.made
    click.echo(told(lang, made, asked, harmless))
    click.echo(f"correction {done.made.id}")
    for line in overridden(lang, [named.correction for named in done.lifted], done.partly, harmless):
        click.echo(line)
