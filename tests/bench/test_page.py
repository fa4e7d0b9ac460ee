"""What the page, the list and the stream may take with 100,000 articles in 30,000 stories."""

import pytest

from tests.bench.page import CLIENTS, has_load_tool, measure, show


@pytest.mark.slow
def test_many_stories_are_shown_and_followed_as_fast_as_promised() -> None:
    """The page under 150 ms and 200 KB, the list under 50 ms, and every event in order to each of 500 clients."""
    if not has_load_tool():
        pytest.skip("hey is not installed: apt-get install hey")
    found = measure()
    show(found)
    page, *lists = found.latencies
    assert page.p50_ms < 150
    assert found.plain + found.files < 200_000
    assert [each.name for each in lists if each.p99_ms >= 50 or each.failed] == []
    assert found.in_order == CLIENTS
