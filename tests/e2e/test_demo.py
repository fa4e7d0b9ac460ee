"""`storywire demo` as a person runs it: the whole pipeline over the newsroom, and nothing left behind."""

import json
import signal
from pathlib import Path

from tests.command import one_line, start_storywire, storywire


def test_a_demo_shows_a_story_form_and_grow_and_ends_by_itself(data_dir: Path) -> None:
    run = storywire("demo", "--seconds", "14", "--seed", "1", "--data-dir", data_dir, data_dir=data_dir)
    assert run.returncode == 0, run.stderr
    assert "The local newsroom is at http://127.0.0.1:" in run.stderr
    assert "The page: http://127.0.0.1:" in run.stderr
    assert "new" in run.stdout
    assert "grew" in run.stdout
    listed = storywire("report", "--json", "--members", "--limit", "500", data_dir=data_dir)
    assert listed.returncode == 0, listed.stderr
    stories = [json.loads(line) for line in listed.stdout.splitlines()]
    assert len(stories) >= 50, "history is gathered at the start"
    assert max(story["outlets"] for story in stories) >= 5
    relations = {member["relation"] for story in stories for member in story["members"]}
    assert relations == {"first", "copy", "rewrite", "report"}
    assert {story["lang"] for story in stories} == {"de", "en", "es"}


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
