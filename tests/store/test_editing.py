"""Corrections against real servers: named as a report names things, kept with the stories, read by every worker."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.store.test_ingest import DAY, NOW, Bench, article
from tests.unit.articles import CUP, CUP_TITLE, DAM_REPORT, DAM_REPORT_TITLE, DAM_REWRITE, DAM_REWRITE_TITLE
from tests.unit.test_correct import version
from worker.cluster.correct import GRACE_S, MOST_CORRECTIONS
from worker.connect import Redis, connect
from worker.editing import AT_ONCE, Editing
from worker.errors import BadInput
from worker.model import Article, Correction, parse_story_id
from worker.report.cases import cases, correction_record, judge, parse_cases, parse_corrections
from worker.report.following import Follower, change_record
from worker.report.listing import Query
from worker.store import keys
from worker.store.commits import Commits

ARTICLES = [
    article("dam-1", url="https://wire.example/dam"),
    article("dam-2", DAM_REWRITE_TITLE, DAM_REWRITE),
    article("dam-3", DAM_REPORT_TITLE, DAM_REPORT, url="https://courier.example/boats"),
    article("cup-1", CUP_TITLE, CUP, url="https://wire.example/cup"),
]


class Desk(Bench):
    """A bench with an editor, who comes to the server by a connection of his own."""

    def __init__(self, redis: Redis, own: Redis) -> None:
        super().__init__(redis)
        self.editing = Editing(self.stories, Commits(own), self.clock)

    def send(self, *articles: Article) -> None:
        self.ingest.run(self.publish(*articles))

    def groups(self) -> list[list[str]]:
        stories: dict[tuple[str, int], list[str]] = {}
        for lang, number, member in self.stories.everything():
            stories.setdefault((lang, number), []).append(member.id)
        return sorted(map(sorted, stories.values()))


@pytest.fixture
def desk(redis_url: str) -> Iterator[Desk]:
    client, own = connect(redis_url), connect(redis_url)
    it = Desk(client, own)
    it.send(*ARTICLES)
    yield it
    own.close()
    client.close()


def test_a_correction_is_named_as_the_report_names_things(desk: Desk) -> None:
    """Stories by their ids, articles by id or by address."""
    done = desk.editing.split("en-1", ["https://courier.example/boats", "dam-2"])
    assert (done.made.id, done.made.stories) == ("en.1", ["en-1", "en-3"])
    assert desk.groups() == [["cup-1"], ["dam-1"], ["dam-2", "dam-3"]]
    assert desk.editing.pin("https://wire.example/cup", "en-3").made.stories == ["en-3"]
    assert desk.groups() == [["cup-1", "dam-2", "dam-3"], ["dam-1"]]
    assert desk.editing.merge(["en-2", "en-1"]).made.stories == ["en-1", "en-3"], "en-2 leads to en-3 by now"
    assert desk.groups() == [["cup-1", "dam-1", "dam-2", "dam-3"]]
    assert desk.stories.counts() == {"articles": 4, "stories": 1}


def test_a_worker_that_is_running_obeys_a_correction_at_once(desk: Desk) -> None:
    """Its copy of the corrections is read anew when somebody changed them."""
    desk.editing.pin("dam-3")
    desk.send(article("dam-3", CUP_TITLE, CUP, revision=2))
    assert desk.groups() == [["cup-1"], ["dam-1", "dam-2", "dam-3"]]
    desk.editing.undo("en.1")
    desk.send(article("dam-3", CUP_TITLE, CUP + " More to follow.", revision=3))
    assert desk.groups() == [["cup-1"], ["dam-1", "dam-2", "dam-3"]], "like its own text, it stays"
    desk.send(article("dam-3", DAM_REPORT_TITLE, DAM_REPORT, revision=4))
    desk.send(article("dam-3", CUP_TITLE, CUP, revision=5))
    assert desk.groups() == [["cup-1", "dam-3"], ["dam-1", "dam-2"]]


def test_a_worker_s_copy_of_the_corrections_does_not_outlive_the_server_s(desk: Desk) -> None:
    """The server comes back without its last second, and another correction takes the place of the lost one."""
    shard = [keys.fence("en"), keys.counters("en"), keys.corrections("en")]
    kept = {key: desk.redis.dump(key) for key in shard}
    worker = Commits(desk.redis)
    desk.editing.adopt([("en", Correction(1, "pin", 0.0, 0, (1,), ("dam-3",), ("dam-1",)))])
    assert [said.one for said in worker.ties("en").all()] == [("dam-3",)]
    for key, value in kept.items():
        desk.redis.delete(key)
        if value:
            desk.redis.restore(key, 0, value)
    desk.editing.adopt([("en", Correction(1, "pin", 0.0, 0, (1,), ("cup-1",), ("dam-1",)))])
    assert [said.one for said in worker.ties("en").all()] == [("cup-1",)]
    with worker.lease("en") as lease:
        assert [said.one for said in lease.ties.all()] == [("cup-1",)]


def test_corrections_are_listed_over_all_languages_and_survive_the_process(desk: Desk) -> None:
    desk.send(article("de-1", lang="de"), article("de-2", DAM_REWRITE_TITLE, DAM_REWRITE, lang="de"))
    desk.editing.split("de-1", ["de-2"])
    desk.editing.merge(["en-1", "en-2"])
    other = Desk(desk.redis, desk.redis)
    assert [named.id for named in other.editing.corrections()] == ["de.1", "en.1"]
    assert [correction_record(n.lang, n.correction)["kind"] for n in other.editing.corrections()] == ["split", "merge"]


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda e: e.split("en-9", ["dam-1"]), "'en-9' is no story of the store, or has ended"),
        (lambda e: e.split("nonsense", ["dam-1"]), "'nonsense' is no story of the store"),
        (lambda e: e.split("en-1", ["cup-1"]), "'cup-1' is no article of en-1"),
        (lambda e: e.split("en-2", ["cup-1"]), "nothing would be left of en-2"),
        (lambda e: e.merge(["en-1"]), "one story already"),
        (lambda e: e.merge(["en-1", "de-1"]), "different languages"),
        (lambda e: e.pin("nobody"), "'nobody' is no article of the store"),
        (lambda e: e.pin("https://nowhere.example/"), "is no article of the store"),
        (lambda e: e.pin("https://same.example/"), "is the address of 2 articles: name one by its id (two-1, two-2)"),
        (lambda e: e.pin("dam-1", "de-1"), "dam-1 is en, de-1 is de"),
        (lambda e: e.undo("en.7"), "en.7 is no correction that is in force"),
        (lambda e: e.undo("7"), "7 is no correction"),
        (lambda e: e.undo("xx.1"), "xx.1 is no correction"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_and_changes_nothing(desk: Desk, ask: Any, said: str) -> None:
    two = [article(f"two-{n}", f"{CUP_TITLE} {n}", CUP, url="https://same.example/", lang="fr") for n in (1, 2)]
    desk.send(article("de-1", lang="de"), *two)
    before = desk.groups(), desk.stories.end()
    with pytest.raises(BadInput) as refused:
        ask(desk.editing)
    assert said in str(refused.value)
    assert (desk.groups(), desk.stories.end()) == before


def test_a_story_has_the_corrections_that_were_about_it_or_name_its_articles(desk: Desk) -> None:
    """On either side of a split, also by the article that stands for the rest; of other stories' none."""
    said = {
        "en.1": desk.editing.split("en-1", ["dam-3"]).made,
        "en.2": desk.editing.pin("cup-1").made,
        "en.3": desk.editing.pin("dam-3", "en-1").made,
    }
    assert list(said) == [each.id for each in said.values()]

    def of(name: str) -> list[str]:
        lang, number = parse_story_id(name) or ("", 0)
        story = desk.stories.find(lang, number)
        assert story is not None
        return [each.id for each in desk.editing.of_story(lang, story, desk.stories.members(lang, story.number))]

    assert of("en-2") == ["en.2"]
    inforce = [each.id for each in desk.editing.corrections() if each.id != "en.2"]
    assert of("en-1") == inforce != []


def test_followers_are_told_of_each_correction_once(desk: Desk) -> None:
    follower = Follower(desk.stories)
    desk.editing.split("en-1", ["dam-3"])
    desk.editing.pin("dam-2", "en-3")
    desk.editing.pin("cup-1")
    desk.editing.merge(["en-1", "en-3"])
    told = [change_record(change) for change in follower.each(follower.read(), Query(), NOW)]
    assert [(record["event"], record["story"]) for record in told] == [
        ("split", "en-1"),  # as it is now: en-3 has been merged meanwhile
        ("moved", "en-1"),
        ("pinned", "en-2"),
        ("merged", "en-1"),
    ]
    assert [record.get("from") for record in told] == [["en-1"], ["en-1"], None, None]
    assert told[3]["former"] == ["en-3"]


def test_the_cases_of_a_correction_tell_what_another_run_decides_otherwise(desk: Desk) -> None:
    desk.editing.split("en-1", ["dam-3"])
    desk.editing.merge(["en-2", "en-3"])
    found = [case for n in desk.editing.corrections() for case in cases(n.lang, n.correction, desk.editing.members(n))]
    assert [(case.a.id, case.b.id, case.together) for case in found] == [
        ("dam-3", "dam-1", False),
        ("dam-3", "dam-2", False),
        ("cup-1", "dam-3", True),
    ]
    assert found[0].a.url == "https://courier.example/boats"
    assert found[0].command == "storywire story split en-1 dam-3"
    verdict = judge(found, {"dam-1": "en-1", "dam-2": "en-1", "dam-3": "en-1"})
    assert (verdict.right.total(), len(verdict.wrong), verdict.missing) == (0, 2, 1)
    verdict = judge(found, dict(desk.stories.assignments()))
    assert (verdict.right, verdict.wrong) == ({True: 1, False: 2}, [])


def test_a_correction_ends_ninety_days_after_its_articles(desk: Desk) -> None:
    desk.editing.split("en-1", ["dam-3"])
    desk.clock.advance(8 * DAY)
    assert desk.ingest.expire() == 4
    assert [named.correction.until for named in desk.editing.corrections()] == [desk.clock.now() + GRACE_S]
    desk.clock.advance(GRACE_S - DAY)
    desk.ingest.expire()
    assert len(desk.editing.corrections()) == 1
    desk.clock.advance(2 * DAY)
    desk.ingest.expire()
    assert desk.editing.corrections() == []
    assert not desk.redis.exists(keys.corrections("en"))


def test_an_article_that_comes_again_within_that_time_finds_its_correction(desk: Desk) -> None:
    desk.editing.split("en-1", ["dam-3"])
    desk.clock.advance(8 * DAY)
    desk.ingest.expire()
    desk.clock.advance(30 * DAY)
    now = desk.clock.now()
    desk.send(*(article(a.id, a.title, a.text, received=now) for a in ARTICLES))
    assert desk.groups() == [["cup-1"], ["dam-1", "dam-2"], ["dam-3"]]
    desk.clock.advance(GRACE_S)
    desk.send(article("later", received=desk.clock.now()))
    assert len(desk.editing.corrections()) == 1, "as long as one of its articles is there, it is in force"


def test_many_corrections_of_another_store_are_adopted_in_several_commits_or_not_at_all(desk: Desk) -> None:
    said = [("en", Correction(1, "pin", 0.0, 0, (1,), (f"x{n}",), ("y",))) for n in range(MOST_CORRECTIONS + 1)]
    before = desk.stories.end()
    with pytest.raises(BadInput, match="0 corrections of en are in force, and these are 5001 more, of 5000 at most"):
        desk.editing.adopt(said)
    assert (desk.editing.corrections(), desk.stories.end()) == ([], before)
    some = said[: AT_ONCE + 10]
    assert desk.editing.adopt(some) == len(some)
    assert desk.editing.adopt(some) == 0
    found = [named.correction for named in desk.editing.corrections()]
    assert [correction.one for correction in found] == [correction.one for _, correction in some]
    assert [correction.number for correction in found] == list(range(1, len(some) + 1))
    assert len({correction.seq for correction in found}) == 2


def test_hostile_lines_are_no_cases_and_no_corrections() -> None:
    for line in (b"{", b"[]", b"{}", b'{"a": 1}', b"\xff\xfe", b"null", b"[" * 3000):
        with pytest.raises(BadInput, match=r"x\.jsonl:1: is no case"):
            list(parse_cases([line], "x.jsonl"))
        with pytest.raises(BadInput, match=r"x\.jsonl:1: is no correction"):
            list(parse_corrections([line], "x.jsonl"))
    for record in (
        b'{"correction": "en.1", "kind": "split", "when": "2026-01-01T00:00:00Z", "stories": [], "articles": ["a"], '
        b'"others": []}',
        b'{"correction": "..1", "kind": "pin", "when": "2026-01-01T00:00:00Z", "stories": [], "articles": ["a"], '
        b'"others": ["b"]}',
    ):
        with pytest.raises(BadInput, match="says nothing"):
            list(parse_corrections([record], "x.jsonl"))


def test_a_split_holds_against_the_merge_of_stories_that_grow_alike(desk: Desk) -> None:
    """The store reads the lists of members only then, and finds the two in them."""
    desk.editing.split("en-1", ["dam-2", "dam-3"])
    grown = [version(f"v{n}", ARTICLES[0].text, 0, n) for n in range(1, 5)]
    desk.send(*(article(v.id, v.title, " ".join(ARTICLES[0].text.split()[n:])) for n, v in enumerate(grown)))
    where = {member.id: number for _, number, member in desk.stories.everything()}
    assert where["dam-1"] != where["dam-2"] == where["dam-3"]
