"""Growth: the cost of one more article, whether its story is found, and the memory it takes.

`BENCH_ARTICLES=1000000 make bench` fills the largest window with a million articles, which takes an hour; the default
is 100,000.
"""

import os

import pytest

from tests.bench import growth, memory
from tests.bench.stream import observed

MOST_GROWTH = 1.5
MOST_BYTES = 4096
LARGEST = int(os.environ.get("BENCH_ARTICLES", "100000"))


@pytest.mark.slow
def test_an_article_costs_the_same_however_many_are_stored() -> None:
    sizes = [size for size in growth.SIZES if size < LARGEST] + [LARGEST]
    rows = growth.measured(sizes)
    print("\n" + growth.table(rows))
    for row in rows:
        assert row.cost_ms <= MOST_GROWTH * rows[0].cost_ms, f"{row.articles:,} articles"


@pytest.mark.slow
def test_an_article_takes_four_kilobytes_of_the_server_at_most() -> None:
    measured = memory.measured(memory.ARTICLES)
    print("\n" + memory.table(measured))
    assert measured.used / measured.articles <= MOST_BYTES


def test_every_key_of_the_store_is_booked_on_the_function_that_names_it() -> None:
    measured = memory.measured(300)
    booked = {kind.name: kind for kind in measured.kinds}
    assert "?" not in booked, "store/keys/ has no function for some key"
    assert booked["article"].keys == measured.articles
    assert booked["story"].keys == booked["members"].keys == measured.stories
    assert 0 < sum(kind.bytes for kind in measured.kinds) < measured.used


def test_probes_come_after_the_earlier_reports_of_their_events() -> None:
    before, probes = observed(50)
    earlier = {report.event: report for report in before}
    assert [report.time for report in before] == sorted(report.time for report in before)
    assert {probe.event for probe in probes if probe.place} == earlier.keys()
    for probe in probes:
        assert probe.event not in earlier or earlier[probe.event].place < probe.place
        assert all(report.time < probe.time for report in before if report.event == probe.event)
