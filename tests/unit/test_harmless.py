"""Feed text that is shown: one line, without what a terminal obeys."""

import pytest

from worker.report.harmless import harmless
from worker.text import headline


@pytest.mark.parametrize(
    "sequence", ["\x1b[31m", "\x1b[1;31;4m", "\x9b0m", "\x1b]0;title\x07", "\x1b]8;;https://x.example\x1b\\", "\x1bM"]
)
def test_what_a_terminal_obeys_is_taken_out_whole(sequence: str) -> None:
    assert harmless(f"Dam {sequence}breaks{sequence}") == "Dam breaks"
    assert headline(f"Dam {sequence}breaks{sequence}", 100) == "Dam breaks"


def test_brackets_are_no_sequence() -> None:
    assert harmless("[31m] Dam breaks") == headline("[31m] Dam breaks", 100) == "[31m] Dam breaks"


def test_a_headline_of_blanks_is_none() -> None:
    assert headline("\u200b\u3164\u2800", 100) == ""
    assert headline("\u3164Dam", 100).endswith("Dam")
