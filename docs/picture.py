"""Draws docs/report.svg, the picture on top of the README: the real report of half a day of the demo newsroom.

Run it with `make picture`. The articles go through the real queue, workers and store, as in `storywire replay`.
"""

import os
import re
import tempfile
from pathlib import Path

from worker import config, supervisor
from worker.cli.screen.table import show_listing
from worker.cli.screen.terminal import Screen
from worker.demo.newsroom import Newsroom
from worker.demo.outlets import OUTLETS
from worker.intake import Intake
from worker.model import Article
from worker.report.listing import Query, whole_store
from worker.runtime import open_runtime
from worker.store.forgotten import Forgotten

TARGET = Path(__file__).with_name("report.svg")
_FONT_FROM_ELSEWHERE = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
_ARTICLES = 700
_STORIES = 12
_NAMES = {outlet.id: outlet.name for outlet in OUTLETS}


def articles() -> list[Article]:
    """The newest of them are still breaking."""
    published = Newsroom(seed=11, breaking=[1_767_571_200.0 + 39_000], site="https://newsroom.example").articles(
        _ARTICLES
    )
    return [
        Article(
            id=p.id, title=p.title, text=p.text, url=p.url, source=_NAMES[p.outlet], lang=p.lang,
            published=p.published, received=p.published,
        )
        for p in published
        if p.revision == 1
    ]  # fmt: skip


def main() -> None:
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    with (
        tempfile.TemporaryDirectory(prefix="sw-") as folder,
        open_runtime(config.load({}, data_dir=folder)) as runtime,
        supervisor.workers(runtime.settings, runtime.url, 1),
    ):
        intake = Intake(runtime.outbox, runtime.stories, Forgotten(runtime.redis), runtime.jobs, runtime.clock)
        intake.run(articles(), lambda _: None)
        query = Query(limit=_STORIES)
        found = whole_store(runtime.stories, query)
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
            screen = Screen(record=True, file=nowhere, force_terminal=True, width=118, color_system="truecolor")
            show_listing(screen, found, query)
    drawn = screen.export_svg(title="storywire report", unique_id="report")
    TARGET.write_text(_FONT_FROM_ELSEWHERE.sub("", drawn), encoding="utf-8")


if __name__ == "__main__":
    main()
