"""Stories read with their members, many at once, are those that are read one by one."""

import pytest

from tests.memory import member
from tests.store.test_commits import ARTICLES, run
from worker.cluster import unite
from worker.connect import Redis
from worker.store import stories as reading
from worker.store.commits import Commits
from worker.store.stories import Stories


@pytest.mark.parametrize("at_once", [1, 2, 1_000])
def test_stories_read_many_at_once_are_those_read_one_by_one(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """Through aliases, each once, without those that are not there, however many members are read at a time."""
    monkeypatch.setattr(reading, "_MEMBERS_AT_ONCE", at_once)
    commits, stories = Commits(redis), Stories(redis)
    run(commits, [*ARTICLES, member("odd", "Parade of tall ships", "Tall ships sail into the bay on Sunday.", 5_000)])
    numbers = stories.numbers("en")
    assert numbers == [3, 1, 2], "the one with the latest article first"
    commits.decide("en", lambda view: unite(view, [1, 3], 6_000.0))
    found = _by_number(stories, [1, 2, 3, 4, 99, 1])
    assert sorted(found) == [1, 2]
    for number in found:
        assert found[number] == (stories.find("en", number), stories.members("en", number))
    assert list(stories.whole("en", [])) == []


def _by_number(stories: Stories, numbers: list[int]) -> dict[int, tuple[object, object]]:
    pairs = list(stories.whole("en", numbers))
    assert len({story.number for story, _ in pairs}) == len(pairs), "each once"
    return {story.number: (story, members) for story, members in pairs}
