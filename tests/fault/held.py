"""What must hold of a store after any fault: each article once, stories as the pure decision makes them, no part torn.

Invariant: looks at the store itself, key by key, and believes no counter.
"""

from collections import defaultdict
from collections.abc import Sequence

from msgspec.structs import replace

from tests.fault.newswire import link
from tests.invariants import check
from tests.memory import Memory
from worker.cluster import Need, View
from worker.fingerprint import fingerprints
from worker.model import Article, Member, Relation, Story
from worker.runtime import Runtime
from worker.store import keys
from worker.store.commits import Commits


def assert_held(runtime: Runtime, articles: Sequence[Article]) -> None:
    """Exactly these articles are in stories, whole; the commits replay to the same stories; every invariant holds."""
    members = {member.uid: (lang, member) for lang, _, member in runtime.stories.everything()}
    expected = {link(article): article for article in articles}
    placed = sorted(member.url for _, member in members.values())
    missing, extra = expected.keys() - set(placed), set(placed) - expected.keys()
    assert not missing, f"{len(missing)} articles are in no story: {sorted(missing)[:3]}"
    assert not extra, f"{len(extra)} articles that no feed showed: {sorted(extra)[:3]}"
    assert len(placed) == len(expected), "an article is in two stories"
    for lang, member in members.values():
        article = expected[member.url]
        assert member.prints == fingerprints(article.title, article.text, lang), f"{member.url} is not what was shown"
    _assert_replays(runtime, members)
    assert runtime.outbox.depth() == 0, "something still waits"
    assert runtime.stories.counts()["articles"] == len(expected), "the counter is wrong"


def _assert_replays(runtime: Runtime, members: dict[bytes, tuple[str, Member]]) -> None:
    order = [event for event in runtime.stories.events({}, 100_000) if event.kind in ("new", "grew")]
    assert sorted(event.uid for event in order) == sorted(members), "an article was placed by no commit, or by two"
    shards: dict[str, Memory] = defaultdict(Memory)
    for event in order:
        lang, member = members[event.uid]
        shards.setdefault(lang, Memory(lang)).place(_undecided(member))
    for lang, memory in shards.items():
        view = stored_view(runtime, lang)
        kept = {s.number: _comparable(s) for s in view.stories.values() if isinstance(s, Story) and s.articles}
        made = {story.number: _comparable(story) for story in memory.stories() if story.articles}
        assert made == kept, f"the commits of {lang} do not replay to its stories"
        assert view.terms == {term: packed for term, packed in memory.view.terms.items() if packed}, "other postings"
        check(view, memory.view.filled)
    alone = {article: story for memory in shards.values() for article, story in memory.assignments().items()}
    assert alone == dict(runtime.stories.assignments()), "the commits do not replay to the same assignments"


def _undecided(member: Member) -> Member:
    return Member(
        member.id, member.revision, member.title, member.url, member.source, member.published, member.time,
        member.received, member.backfill, member.prints,
    )  # fmt: skip


def _comparable(story: Story) -> Story:
    """A story without the wall clock of its last commit."""
    return replace(story, active=0.0)


def stored_view(runtime: Runtime, lang: str) -> View:
    """All of a language's shard as it is in the store."""
    view = View(lang)
    prefix = keys.story(lang, 0)[:-3]

    def names(kind: str) -> list[str]:
        return [key.decode().removeprefix(f"{prefix}{kind}:") for key in runtime.redis.scan_iter(f"{prefix}{kind}:*")]

    numbers = [int(name) for name in names("s")]
    bands = [(int(i), bytes.fromhex(value)) for i, value in (name.split(":") for name in names("b"))]
    uids = [bytes.fromhex(name) for name in names("a")]
    commits = Commits(runtime.redis)
    commits.load(view, Need(members=uids, terms=names("t"), bands=bands, stories=numbers))
    commits.load(view, Need(rolls=[n for n in numbers if isinstance(view.stories[n], Story)]))
    assert all(member.relation in Relation for member in view.members.values() if member)
    return view
