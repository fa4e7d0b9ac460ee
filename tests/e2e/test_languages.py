"""News in sixteen languages through the real queue and workers, in one file and with no language stated."""

import json
from pathlib import Path

from tests.command import storywire
from tests.languages import LANGUAGES, Report, reports
from tests.scoring import bcubed


def line(lang: str, report: Report) -> str:
    fields = {"id": f"{lang}/{report.id}", "title": report.title, "text": report.text, "source": report.outlet}
    return json.dumps({**fields, "published": report.published}, ensure_ascii=False) + "\n"


def test_a_file_of_many_languages_becomes_the_stories_of_each(tmp_path: Path, data_dir: Path) -> None:
    news = [(lang, report) for lang in LANGUAGES for report in reports(lang)]
    file, out = tmp_path / "news.jsonl", tmp_path / "out.tsv"
    file.write_text("".join(line(lang, report) for lang, report in news), encoding="utf-8")
    run = storywire("replay", file, "--assignments", out, "--json", data_dir=data_dir)
    assert run.returncode == 0, run.stderr
    found = dict(row.split("\t") for row in out.read_text(encoding="utf-8").splitlines())
    told = [f"{lang}/{report.story}" for lang, report in news]
    score = bcubed(told, [found[f"{lang}/{report.id}"] for lang, report in news])
    assert score.f1 >= 0.97, score
    assert score.precision >= 0.98, score
    assert {story.partition("-")[0] for story in found.values()} == set(LANGUAGES)
