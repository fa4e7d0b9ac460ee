"""Labelled sets as the peers' benchmark needs them: articles in order of time, as `storywire replay` reads them, and
the true story of each.

Invariant: every method gets the same articles in the same order, cleaned and with their language decided.
"""

import json
from pathlib import Path
from typing import NamedTuple

from worker.demo.__main__ import articles, line
from worker.feed.lines import article_of
from worker.files import index
from worker.model import Article

SETS = ("basil", "ecb", "neus", "roundups", "headlines")
NEWSROOM = "newsroom"
"""The generated one: 2,000 articles of six weeks' worth in three languages, at 60 an hour."""
_NEWSROOM_ARTICLES = 2_000


class LabelledSet(NamedTuple):
    """A set's name, its articles in order of time, and article id -> true story."""

    name: str
    articles: list[Article]
    truth: dict[str, str]


def read(path: Path, *among: Path) -> LabelledSet:
    """A file of articles with the truth in `story`; those without, and those of the files that it is `among`, are left
    out of the truth alone."""
    found = index([path, *among], lambda published: published or 0.0)
    with path.open(encoding="utf-8") as file:
        rows = [json.loads(raw) for raw in file]
    truth = {row["id"]: row["story"] for row in rows if row.get("story")}
    ordered = [article_of(each, each.published or 0.0, backfill=False) for each in found.read()]
    return LabelledSet(path.stem, ordered, truth)


def newsroom(folder: Path, seed: int = 11) -> LabelledSet:
    """The generated set, by way of a file in `folder`."""
    path = folder / f"{NEWSROOM}.jsonl"
    path.write_bytes(b"\n".join(line(article) for article in articles(seed, _NEWSROOM_ARTICLES)))
    return read(path)


def available(shared: Path, folder: Path) -> list[LabelledSet]:
    """The newsroom, and the sets of `shared` where that is there."""
    paths = [shared / "stories" / f"{name}.jsonl" for name in SETS]
    return [*(read(path) for path in paths if path.is_file()), newsroom(folder)]
