"""The tag of a feed out: another as soon as anything of a story is, the same wherever it is made."""

import pytest
from msgspec.structs import replace

from tests.unit.test_board import row
from worker.report.rows import Row
from worker.web.out.serving import tag

OWN = "http://example.org/stories.atom"


def test_the_same_stories_have_the_same_tag_in_every_process() -> None:
    """Also after a restart, whatever the seed of hashes: a reader is not sent again what it has."""
    there = row(1, named=("herald", "post"), words=" dam ", sources=("Herald", "Post"), links=b"12345678")
    known = 'W/"d0f101749c8ea60b7f5de9a1"'  # another one when rows have other fields
    assert tag(OWN, [there]) == tag(OWN, [replace(there)]) == known


@pytest.mark.parametrize("name", Row.__struct_fields__)
def test_a_story_that_changes_changes_the_tag(name: str) -> None:
    before = row(1)
    value = getattr(before, name)
    other = {str: "other", int: 77, float: 77.5, bytes: b"12345678", tuple: (7.0, 8.0)}[type(value)]
    assert tag(OWN, [before]) != tag(OWN, [replace(before, **{name: other})])
    assert tag(OWN, [before]) != tag(f"{OWN}?lang=en", [before])
