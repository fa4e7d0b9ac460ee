"""`storywire demo` as a person runs it: the whole pipeline over the newsroom, and nothing left behind."""

import json
import signal
from pathlib import Path
from typing import Any

from tests.command import here, one_line, start_storywire, storywire
from tests.waiting import eventually


def test_a_demo_shows_stories_form_and_grow(data_dir: Path) -> None:
    """The history of its newsroom first, then what happens from minute to minute."""
    with start_storywire("demo", "--seed", "1", "--data-dir", data_dir, data_dir=data_dir) as demo:
        try:
            assert demo.stdout is not None
            told = iter(demo.stdout.readline, "")
            assert any(" new " in line for line in told)
            assert any(" grew " in line for line in told)
            eventually(lambda: gathered(listed(data_dir)), 60, "a history of 50 stories in three languages")
            demo.send_signal(signal.SIGINT)
            demo.communicate(timeout=30)
        finally:
            demo.kill()


def listed(data_dir: Path) -> list[dict[str, Any]]:
    said = here("report", "--json", "--members", "--limit", "500", data_dir=data_dir)
    assert said.returncode == 0, said.stderr
    return [json.loads(line) for line in said.stdout.splitlines()]


def gathered(stories: list[dict[str, Any]]) -> bool:
    """Whether the history is there: stories in all its languages, large ones, with articles of every relation."""
    relations = {member["relation"] for story in stories for member in story["members"]}
    assert relations == {"first", "copy", "rewrite", "report"}
    assert max(story["outlets"] for story in stories) >= 5
    assert {story["lang"] for story in stories} == {"de", "en", "es"}
    return len(stories) >= 50


def test_a_demo_ends_by_itself_when_its_time_is_over(data_dir: Path) -> None:
    run = storywire("demo", "--seconds", "1", "--data-dir", data_dir, data_dir=data_dir)
    assert run.returncode == 0, run.stderr
    assert "The local newsroom is at http://127.0.0.1:" in run.stderr
    assert "The page: http://127.0.0.1:" in run.stderr


def test_ctrl_c_ends_a_demo_with_status_0(data_dir: Path) -> None:
    with start_storywire("demo", "--data-dir", data_dir, data_dir=data_dir) as demo:
        try:
            assert demo.stdout is not None
            said = next((line for line in demo.stdout if "new" in line), "")
            assert said, "the demo ended before it showed a story"
            demo.send_signal(signal.SIGINT)
            _, errors = demo.communicate(timeout=30)
        finally:
            demo.kill()
    assert demo.returncode == 0, errors
    assert "Traceback" not in errors


def test_a_demo_never_mixes_with_feeds_of_the_user(data_dir: Path) -> None:
    added = storywire("feeds", "add", "--no-fetch", "https://news.example/feed.xml", data_dir=data_dir)
    assert added.returncode == 0, added.stderr
    run = storywire("demo", "--seconds", "5", "--data-dir", data_dir, data_dir=data_dir)
    assert run.returncode == 1
    assert "another --data-dir" in one_line(run.stderr)
