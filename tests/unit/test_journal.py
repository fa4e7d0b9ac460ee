"""What the person who watches is told of what the children say."""

import json
from pathlib import Path

import pytest

from worker.supervisor.journal import Journal


def polled(trouble: str, outcome: str = "failed") -> str:
    """The line of a poll that went wrong, or with outcome "ok" of one that did not."""
    level = "info" if outcome == "ok" else "warning"
    return json.dumps(
        {"event": "polled", "level": level, "url": "https://a.example/x", "outcome": outcome, "trouble": trouble}
    )


@pytest.mark.parametrize(
    "trouble",
    [
        "a web page, not a feed: look for its RSS address",
        "answers with status 404: there is no such page: look for the feed's new address",
        "the answer is empty: check the address in a browser",
    ],
)
def test_a_feed_that_a_person_has_to_mend_is_told_of_once_until_it_was_read(tmp_path: Path, trouble: str) -> None:
    """In the words of its trouble, whatever they begin with."""
    said = list[str]()
    journal = Journal(tmp_path, said.append)
    line = f"The feed https://a.example/x cannot be read: {trouble} (said once; see `storywire feeds list`)"
    for what in (polled(trouble), polled(trouble), polled("", "ok"), polled(trouble)):
        journal.hear("poller", what)
    journal.close()
    assert said == [line, line]


def test_what_passes_by_itself_is_not_told(tmp_path: Path) -> None:
    """It is in the log all the same."""
    said = list[str]()
    journal = Journal(tmp_path, said.append)
    journal.hear("poller", polled("took longer than 4s: it is tried again later"))
    journal.close()
    assert said == []
    assert "took longer" in journal.path.read_text()
