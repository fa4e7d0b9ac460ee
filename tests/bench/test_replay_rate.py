"""How many articles a second go through `storywire replay`: RQ, server with AOF everysec, fingerprints, commit."""

import json
import re
from pathlib import Path

import pytest

from tests.command import storywire
from tests.e2e.test_concurrency import newsroom_articles

ARTICLES = 2_000
LEAST_A_SECOND = 300


def generated(folder: Path) -> Path:
    """So many articles of the demo newsroom, of about 170 words."""
    path = folder / "newsroom.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for a in newsroom_articles(ARTICLES):
            line = {"id": a.id, "title": a.title, "text": a.text, "source": a.source, "lang": a.lang}
            file.write(json.dumps(line) + "\n")
    return path


def first_lines(source: Path, folder: Path) -> Path:
    """So many articles of a file of the shared material, of about 700 words."""
    path = folder / source.name
    with source.open(encoding="utf-8") as file:
        path.write_text("".join(line for line, _ in zip(file, range(ARTICLES), strict=False)), encoding="utf-8")
    return path


def rate(articles: Path, data_dir: Path) -> int:
    run = storywire("replay", articles, "--limit", 1, data_dir=data_dir, within_s=300)
    found = re.search(r"(\d+) articles in [\d.]+ s, (\d+) a second", run.stderr)
    assert found, run.stderr
    assert int(found[1]) == ARTICLES
    return int(found[2])


@pytest.mark.slow
def test_two_thousand_generated_articles(tmp_path: Path, data_dir: Path) -> None:
    measured = rate(generated(tmp_path), data_dir)
    print(f"\nreplay, 2,000 articles of 170 words, one worker, embedded server: {measured} a second")
    assert measured >= LEAST_A_SECOND


@pytest.mark.slow
def test_two_thousand_real_articles(shared: Path, tmp_path: Path, data_dir: Path) -> None:
    measured = rate(first_lines(shared / "stories" / "background.jsonl", tmp_path), data_dir)
    print(f"\nreplay, 2,000 articles of 735 words, one worker, embedded server: {measured} a second")
    assert measured >= LEAST_A_SECOND
