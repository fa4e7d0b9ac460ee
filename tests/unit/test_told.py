"""What is kept of an article beside its text: its newsroom, earlier headlines, the feeds that carried it."""

from msgspec.structs import replace

from tests.invariants import check
from tests.memory import Memory, member
from tests.unit.articles import CUP, CUP_TITLE, DAM, DAM_TITLE
from worker.cluster import Placed
from worker.cluster.join import outlet_hash
from worker.model import MOST_FEEDS, MOST_TITLES, UNTOLD, Member

DAM_1 = member("dam-1", DAM_TITLE, DAM, 0, source="Wire")


def edition(number: int, title: str) -> Member:
    return member("dam-1", title, DAM, 0, source="Wire", revision=number)


def test_a_changed_headline_leaves_the_one_before_with_the_time_until_which_it_stood() -> None:
    memory = Memory().place_all([DAM_1])
    memory.place(edition(2, "Dam holds"), 50.0)
    memory.place(edition(3, "Dam holds"), 60.0)
    memory.place(edition(4, DAM_TITLE), 70.0)
    assert memory.member("dam-1").titles == ((50.0, DAM_TITLE), (70.0, "Dam holds"))
    memory.place(edition(4, "Late and old"), 80.0)
    assert memory.member("dam-1").titles == ((50.0, DAM_TITLE), (70.0, "Dam holds"))


def test_of_many_headlines_the_first_and_the_latest_are_kept() -> None:
    memory = Memory().place_all([DAM_1])
    for number in range(2, 40):
        memory.place(edition(number, f"Dam, edit {number}"), float(number))
    titles = [title for _, title in memory.member("dam-1").titles]
    assert titles == [DAM_TITLE, *(f"Dam, edit {number}" for number in range(40 - MOST_TITLES, 39))]


def test_another_feed_that_carries_an_article_changes_nothing_else() -> None:
    """Neither its place, nor its text, nor its story, nor the stream of events; and said again nothing at all."""
    memory = Memory().place_all([DAM_1, member("cup", CUP_TITLE, CUP, 10)])
    story, events = memory.story("dam-1"), list(memory.view.changes.events)
    before = memory.member("dam-1")
    again = replace(member("dam-1", "Other", CUP, 0, revision=0), feeds=("f2",))
    assert memory.place(again) is Placed.CARRIED
    assert memory.place(again) is Placed.REPEATED
    assert memory.member("dam-1") == replace(before, feeds=("f2",))
    assert (memory.story("dam-1"), memory.view.changes.events) == (story, events)


def test_a_revision_keeps_the_feeds_and_so_many_are_kept() -> None:
    memory = Memory().place_all([DAM_1])
    for number in range(2 * MOST_FEEDS):
        memory.place(replace(DAM_1, revision=0, feeds=(f"f{number}",)))
    memory.place(edition(2, "Dam holds"))
    assert memory.member("dam-1").feeds == tuple(f"f{number}" for number in range(MOST_FEEDS))


def test_what_another_feed_brought_sooner_gives_way_and_leaves_no_headline() -> None:
    memory = Memory().place_all([replace(member("dam-1", "From elsewhere", DAM, 0, revision=0), feeds=("f2",))])
    assert memory.place(DAM_1) is Placed.REVISED
    found = memory.member("dam-1")
    assert (found.title, found.titles, found.feeds) == (DAM_TITLE, (), ("f2",))
    assert memory.story("dam-1").articles == 1
    check(memory.view)


def test_a_story_counts_newsrooms() -> None:
    """Two feeds of one paper are one, a name in other letters is the same, and what nobody tells is none."""
    told = [
        ("a", "Post: World", "harbourpost.com"), ("b", "Post: Local", "harbourpost.com"), ("c", "Wire", ""),
        ("d", "WIRE", ""), ("e", "Some List", UNTOLD), ("f", "", ""),
    ]  # fmt: skip
    memory = Memory()
    for hour, (name, source, outlet) in enumerate(told):
        memory.place(replace(member(name, DAM_TITLE, DAM, 60.0 * hour, source=source), outlet=outlet))
    hashes = sorted(map(outlet_hash, ("harbourpost.com", "wire")))
    assert memory.story("a").outlets == b"".join(hashes)
    check(memory.view)
