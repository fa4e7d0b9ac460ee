"""Recurring reports through `storywire replay`: more than 300 editions among ordinary news."""

import json
from datetime import UTC, datetime
from pathlib import Path

from tests.command import storywire
from tests.recurring import all_series
from tests.recurring.measuring import NEWS, Labelled, scores, stream


def record(labelled: Labelled) -> str:
    article = labelled.article
    published = datetime.fromtimestamp(article.time, UTC).isoformat()
    fields = {"id": article.id, "title": article.title, "text": labelled.text, "source": article.source}
    return json.dumps(fields | {"published": published, "lang": "en"})


def test_editions_stay_apart_and_every_outlet_joins_the_right_one(tmp_path: Path, data_dir: Path) -> None:
    articles = stream(5, [*all_series("series"), *all_series("unseen")], days=6)
    assert len({labelled.story for labelled in articles if labelled.series != NEWS}) > 300
    source, out = tmp_path / "articles.jsonl", tmp_path / "out.tsv"
    source.write_text("".join(f"{record(each)}\n" for each in articles), encoding="utf-8")
    run = storywire("replay", source, "--assignments", out, "--limit", 1, within_s=120, data_dir=data_dir)
    assert run.returncode == 0, run.stderr
    assigned = dict(line.split("\t") for line in out.read_text(encoding="utf-8").splitlines())
    found = scores(articles, assigned)
    assert found[""].precision >= 0.95, found
    assert found[""].recall >= 0.85, found
    assert found[NEWS].recall >= 0.95, found
