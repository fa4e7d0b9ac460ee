"""A story with all that is kept of its articles, as `storywire story show` prints it."""

from tests.unit.report_makers import NOW, shown, view
from worker.cli.screen.story import story_lines
from worker.cli.screen.terminal import Part
from worker.model import Relation


def text(parts: list[Part]) -> str:
    return "".join(part if isinstance(part, str) else part[0] for part in parts)


def test_everything_that_is_kept_is_shown_and_nothing_can_act_on_a_terminal() -> None:
    first = shown(
        "a", source="Harbour Post", outlet="harbourpost.com", url="https://harbourpost.com/a", time=NOW,
        titles=((NOW, "Bridge shut"), (NOW, "Bridge\x1b[2J shut for good")), feeds=("f1", "f2"),
    )  # fmt: skip
    copy = shown("b", Relation.COPY, "a", title="", source="lakenews.com", outlet="lakenews.com", time=NOW)
    found = view(articles=2, outlets=2, members=(first, copy))
    lines = [text(line) for line in story_lines(found, {"f1": "Harbour Post: World"}, NOW)]
    assert lines[:2] == ["Harbour bridge closed after a ship hits it", "en-1, 2 outlets, 2 articles"]
    told = "\n".join(lines)
    assert "Harbour Post (harbourpost.com)" in told
    assert "in 2 feeds: Harbour Post: World, f2" in told
    assert told.index("shut for good") < told.index("Bridge shut\n"), "the latest first"
    assert "= copy of Harbour Post" in told
    assert "lakenews.com (" not in told
    assert "\x1b" not in told
