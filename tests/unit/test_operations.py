"""docs/operations.md against the program."""

from pathlib import Path

import pytest

from worker.examinations import EXAMINATIONS

DOCS = Path(__file__).parents[2] / "docs" / "operations.md"


@pytest.mark.parametrize("line", EXAMINATIONS)
def test_every_line_of_a_check_is_in_the_table(line: str) -> None:
    assert f"| `{line}` | " in DOCS.read_text()
