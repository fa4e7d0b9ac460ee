"""The use case of an editor: a correction by the names that a report shows, in one commit, and the list of them.

Invariant: what is refused changed nothing; each refusal names the thing and where its right name is found.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from worker.clock import Clock
from worker.cluster import Need, View, pin, split, undo, unite
from worker.cluster.correct import Corrected, adopt, make_room, missing
from worker.errors import BadInput, NotThere
from worker.model import Correction, Member, Story, parse_story_id, story_id, uid
from worker.store.commits import Commits
from worker.store.stories import Stories

AT_ONCE = 1_000
"""Corrections that one commit adopts: some 0.1 s of the lease, which is not renewed meanwhile."""


class Named(NamedTuple):
    """A correction with its language: its public name is `en.3`."""

    lang: str
    correction: Correction

    @property
    def id(self) -> str:
        """What a person calls it."""
        return f"{self.lang}.{self.correction.number}"

    @property
    def stories(self) -> list[str]:
        """The stories that it was about."""
        return [story_id(self.lang, number) for number in self.correction.stories]


class Edited(NamedTuple):
    """A correction that was made, and the earlier ones that it lifted; `partly`: the numbers of those of which it
    lifted only a part."""

    made: Named
    lifted: list[Named]
    partly: set[int]


class Undone(NamedTuple):
    """A correction that is no longer in force, since the commit `seq`; `stories`: where its articles went back to, none
    where they stay; `later`: the names of the corrections that kept them."""

    lifted: Named
    seq: int
    stories: list[str]
    later: list[str]


class Editing:
    """Corrects stories. Every method raises BadInput for what cannot be, and what the server's client raises."""

    def __init__(self, stories: Stories, commits: Commits, clock: Clock) -> None:
        self._stories = stories
        self._commits = commits
        self._clock = clock

    def split(self, story: str, articles: Sequence[str]) -> Edited:
        """Take articles, by id or address, out of a story into one of their own; their copies go with them."""
        lang, found = self._story(story)
        members = self._stories.members(lang, found.number)
        named = {member.uid for name in articles for member in _among(members, name, story)}
        return self._correct(lang, lambda view: split(view, found.number, named, self._clock.now()))

    def merge(self, stories: Sequence[str]) -> Edited:
        """Make one story of several; the oldest number stays, the others lead there."""
        found = [self._story(story) for story in stories]
        languages = {lang for lang, _ in found}
        if len(languages) > 1:
            raise BadInput(f"{' and '.join(stories)} are in different languages: a story is in one language")
        numbers = [story.number for _, story in found]
        return self._correct(found[0][0], lambda view: unite(view, numbers, self._clock.now()))

    def pin(self, article: str, story: str | None = None) -> Edited:
        """Keep an article, by id or address, in its story, or put it into another one, for good."""
        lang, member = self._article(article)
        number = None
        if story is not None:
            of, found = self._story(story)
            if of != lang:
                raise BadInput(f"{article} is {lang}, {story} is {of}: a story is in one language")
            number = found.number
        return self._correct(lang, lambda view: pin(view, member.uid, number, self._clock.now()))

    def undo(self, name: str) -> Undone:
        """Lift a correction, by the name that the list shows, and put back what it merged or split, unless a later one
        speaks of the same articles."""
        lang, _, number = name.rpartition(".")
        known = number.isdecimal() and lang in self._stories.languages()
        done = self._commits.decide(lang, lambda view: undo(view, int(number), self._clock.now())) if known else None
        if done is None:
            raise NotThere(f"{name} is no correction that is in force", "correction")
        stories = [story_id(lang, number) for number in done.stories]
        return Undone(Named(lang, done.correction), done.seq, stories, [Named(lang, said).id for said in done.later])

    def corrections(self) -> list[Named]:
        """All that are in force: language by language, the oldest first."""
        languages = self._stories.languages()
        return [Named(lang, said) for lang in languages for said in self._commits.ties(lang).all()]

    def of_story(self, lang: str, story: Story, members: Sequence[Member]) -> list[Named]:
        """Those in force that were about a story, or one that it took in, or that name one of its members; the oldest
        first."""
        numbers, names = {story.number, *story.aliases}, {member.id for member in members}
        return [
            Named(lang, said)
            for said in self._commits.ties(lang).all()
            if not (numbers.isdisjoint(said.stories) and names.isdisjoint((*said.one, *said.other)))
        ]

    def adopt(self, corrections: Sequence[tuple[str, Correction]]) -> int:
        """Put corrections of another store in force; how many were not there yet. No article moves."""
        wanted: dict[str, list[Correction]] = {}
        for lang, said in corrections:
            wanted.setdefault(lang, []).append(said)
        for lang, all_said in wanted.items():
            ties = self._commits.ties(lang)
            make_room(lang, ties, len(missing(ties, all_said)))
        chunks = [(lang, said[n : n + AT_ONCE]) for lang, said in wanted.items() for n in range(0, len(said), AT_ONCE)]
        return sum(self._commits.decide(lang, partial(adopt, corrections=chunk)) for lang, chunk in chunks)

    def members(self, named: Named) -> dict[str, Member]:
        """Article id -> member, of those that a correction names and the store still has."""
        names = (*named.correction.one, *named.correction.other)
        return {member.id: member for member in self._stories.present(named.lang, [uid(name) for name in names])}

    def _correct(self, lang: str, steps: Callable[[View], Generator[Need, None, Corrected]]) -> Edited:
        done = self._commits.decide(lang, steps)
        return Edited(Named(lang, done.correction), [Named(lang, each) for each in done.lifted], done.partly)

    def _story(self, name: str) -> tuple[str, Story]:
        parsed = parse_story_id(name)
        found = self._stories.find(*parsed) if parsed else None
        if parsed is None or found is None:
            raise NotThere(f"{name!r} is no story of the store, or has ended", "story")
        return parsed[0], found

    def _article(self, name: str) -> tuple[str, Member]:
        """An article by its id, or by an address that only one has."""
        found = self._stories.article(name)
        if found is not None:
            return found
        bearers = list(_bearing(self._stories, name)) if "://" in name else []
        if len(bearers) == 1:
            return bearers[0]
        if bearers:
            ids = ", ".join(sorted(member.id for _, member in bearers)[:5])
            raise BadInput(f"{name} is the address of {len(bearers)} articles: name one by its id ({ids})")
        raise NotThere(f"{name!r} is no article of the store", "article")


def _bearing(stories: Stories, url: str) -> Iterator[tuple[str, Member]]:
    return ((lang, member) for lang, _, member in stories.everything() if member.url == url)


def _among(members: Sequence[Member], name: str, story: str) -> list[Member]:
    """The members of this id, or of this address."""
    found = [m for m in members if m.id == name] or [m for m in members if m.url == name != ""]
    if not found:
        raise NotThere(f"{name!r} is no article of {story}", "article")
    return found
