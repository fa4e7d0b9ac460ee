"""`storywire explain`: why two articles are, or are not, one story."""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from worker import config
from worker.cli.opening import must_exist
from worker.errors import BadInput

if TYPE_CHECKING:
    from worker.report.comparison import Side
    from worker.store.stories import Stories

_MAX_FILE_BYTES = 5_000_000


@click.command("explain")
@click.argument("articles", nargs=2, metavar="ARTICLE ARTICLE")
@click.option("--lang", default="", metavar="CODE", help="Language of the text files; otherwise it is detected.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--data-dir", metavar="DIR", help="Folder of the embedded server.")
def command(articles: tuple[str, str], lang: str, as_json: bool, data_dir: str | None) -> None:
    """Why two articles are, or are not, one story, and as what.

    ARTICLE is an id that `storywire report --members` shows, or a text file: the headline on its first line, then the
    text.

    \b
    storywire explain first.txt second.txt
    storywire explain bbc.1f3a9c reuters.77e0b2
    """
    from worker.cli.screen.explanation import show_explanation
    from worker.cli.screen.terminal import Screen, ended_quietly, print_json
    from worker.report.comparison import compare
    from worker.report.explained import comparison_record

    with ended_quietly():
        one, other = _sides(articles, lang, data_dir)
        if _same(*articles):
            raise BadInput(f"{articles[0]!r} is given twice: it is one and the same article, give another to compare")
        result = compare(one, other, config.load(os.environ).strictness)
        if as_json:
            print_json(comparison_record(result))
        else:
            show_explanation(Screen(), result)


def _sides(articles: tuple[str, str], lang: str, data_dir: str | None) -> tuple["Side", "Side"]:
    """Both articles; a store is opened only if one of them is not a file."""
    from worker.report.comparison import from_text, stored

    sides: list[Side] = []
    with ExitStack() as opened:
        stories: Stories | None = None
        for article in articles:
            if _is_file(article):
                sides.append(from_text(article, _content(Path(article)), lang))
                continue
            if stories is None:
                stories = _open_stories(opened, data_dir)
            sides.append(stored(stories, article))
    return sides[0], sides[1]


def _open_stories(opened: ExitStack, data_dir: str | None) -> "Stories":
    from worker.runtime import open_runtime

    settings = config.load(os.environ, data_dir=data_dir)
    must_exist(settings)
    return opened.enter_context(open_runtime(settings)).stories


def _same(one: str, other: str) -> bool:
    """Whether one article is given twice: the same id, or two paths of one file."""
    return one == other or (_is_file(one) and _is_file(other) and Path(one).samefile(other))


def _is_file(article: str) -> bool:
    """Ids hold slashes too (an imported one may be a URL), so only what is there counts as a file."""
    try:
        return Path(article).is_file()
    except (OSError, ValueError):
        return False


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}") from None
    if len(content) > _MAX_FILE_BYTES:
        raise BadInput(f"{path}: larger than {_MAX_FILE_BYTES // 1_000_000} MB; give a text file")
    if b"\0" in content:
        raise BadInput(f"{path}: not a text file; give one with the headline on its first line, then the text")
    return content.decode("utf-8", "replace")
