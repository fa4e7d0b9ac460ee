"""The part of a language's store that a batch works on, and what the batch changed in it.

Invariant: no I/O. Whoever places articles yields a Need for what is not here yet; the shell loads it, a model in memory
answers with nothing. All changes go through the methods here, so that a commit can write exactly what changed.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Literal

from msgspec.structs import replace

from worker.cluster.evidence import USUAL_STRICTNESS
from worker.cluster.ties import Ties
from worker.model import Alias, Correction, Event, Member, Story

Band = tuple[int, bytes]


@dataclass(frozen=True)
class Need:
    """What has to be loaded into a view before the placing can go on. `rolls`: stories whose members are wanted."""

    members: Collection[bytes] = ()
    terms: Collection[str] = ()
    bands: Collection[Band] = ()
    stories: Collection[int] = ()
    rolls: Collection[int] = ()

    def __bool__(self) -> bool:
        return any((self.members, self.terms, self.bands, self.stories, self.rolls))


@dataclass(frozen=True)
class Move:
    """One change of membership: an article joins or leaves a story, or all members of one go `into` another."""

    kind: Literal["join", "leave", "merge"]
    story: int
    uid: bytes = b""
    time: float = 0.0
    into: int = 0


@dataclass
class Changes:
    """What a commit has to write: the touched keys of the view, and the changes of membership, in order."""

    members: set[bytes] = field(default_factory=set)
    terms: set[str] = field(default_factory=set)
    bands: set[Band] = field(default_factory=set)
    stories: set[int] = field(default_factory=set)
    moves: list[Move] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    corrections: set[int] = field(default_factory=set)


class View:
    """A working set of one language. `seq` is the last commit, `made` the number of the last story, `hand` that of the
    last correction; `ties` are all corrections that are in force, `strictness` is what the user asks of a decision."""

    def __init__(self, lang: str, seq: int = 0, made: int = 0, hand: int = 0, ties: Ties | None = None) -> None:
        self.lang = lang
        self.seq = seq
        self.made = made
        self.hand = hand
        self.ties = ties or Ties()
        self.strictness = USUAL_STRICTNESS
        self.members: dict[bytes, Member | None] = {}
        self.terms: dict[str, bytes] = {}
        self.bands: dict[Band, bytes] = {}
        self.stories: dict[int, Story | Alias | None] = {}
        self.rolls: dict[int, dict[bytes, float]] = {}
        self.changes = Changes()
        self._parts: dict[int, int] = {}

    def want(
        self,
        *,
        members: Collection[bytes] = (),
        terms: Collection[str] = (),
        bands: Collection[Band] = (),
        stories: Collection[int] = (),
        rolls: Collection[int] = (),
    ) -> Iterator[Need]:
        """Yield one Need for what of these is not here; nothing where all is. Afterwards all of it is here."""
        need = Need(
            [uid for uid in members if uid not in self.members],
            [term for term in terms if term not in self.terms],
            [band for band in bands if band not in self.bands],
            [number for number in stories if number not in self.stories],
            [number for number in rolls if number not in self.rolls],
        )
        if need:
            yield need

    def fill(self, need: Need) -> None:
        """Answer a Need with "there is none": all a view in memory has to do."""
        for uid in need.members:
            self.members.setdefault(uid, None)
        for term in need.terms:
            self.terms.setdefault(term, b"")
        for band in need.bands:
            self.bands.setdefault(band, b"")
        for number in need.stories:
            self.stories.setdefault(number, None)
        for number in need.rolls:
            self.rolls.setdefault(number, {})

    def root(self, number: int) -> Story | None:
        """The story that a number stands for, through its alias; None where it has ended. Both must be here."""
        story = self.stories.get(number)
        if isinstance(story, Alias):
            story = self.stories.get(story.root)
        return story if isinstance(story, Story) else None

    def aliased(self, numbers: Collection[int]) -> list[int]:
        """The roots of those numbers that are aliases here."""
        return [story.root for n in numbers if isinstance(story := self.stories.get(n), Alias)]

    def present(self, uids: Collection[bytes]) -> list[Member]:
        """The members of these uids that exist."""
        return [member for uid in uids if (member := self.members.get(uid)) is not None]

    # --- changes --------------------------------------------------------------------------------------------------

    def set_roll(self, number: int, times: dict[bytes, float]) -> None:
        """Put a story's members in, as the store has them: what this view changed since is kept."""
        roll = dict(times)
        for move in self.changes.moves:
            if move.story == number and move.kind == "join":
                roll[move.uid] = move.time
            elif move.story == number:
                roll.pop(move.uid, None)
        self.rolls[number] = roll

    def put_story(self, story: Story) -> None:
        self.stories[story.number] = story
        self.changes.stories.add(story.number)

    def put_alias(self, number: int, root: int) -> None:
        self.stories[number] = Alias(root)
        self.changes.stories.add(number)

    def drop_story(self, number: int) -> None:
        self.stories[number] = None
        self.rolls[number] = {}
        self.changes.stories.add(number)

    def put_member(self, member: Member) -> None:
        self.members[member.uid] = member
        self.changes.members.add(member.uid)

    def end_alias(self, number: int) -> None:
        """The story that an alias leads to has ended: the alias outlives it by 90 days."""
        self.changes.ended.append(number)

    def put_correction(self, correction: Correction) -> None:
        self.put_corrections([correction])

    def put_corrections(self, corrections: Collection[Correction]) -> None:
        self.ties = self.ties.put_all(corrections)
        self.changes.corrections.update(correction.number for correction in corrections)

    def drop_correction(self, number: int) -> None:
        self.drop_corrections([number])

    def drop_corrections(self, numbers: Collection[int]) -> None:
        self.ties = self.ties.drop_all(numbers)
        self.changes.corrections.update(numbers)

    def drop_member(self, uid: bytes) -> None:
        self.members[uid] = None
        self.changes.members.add(uid)

    def put_term(self, term: str, posting: bytes) -> None:
        if self.terms.get(term) != posting:
            self.terms[term] = posting
            self.changes.terms.add(term)

    def put_band(self, band: Band, entries: bytes) -> None:
        if self.bands.get(band) != entries:
            self.bands[band] = entries
            self.changes.bands.add(band)

    def join(self, number: int, uid: bytes, time: float) -> None:
        """The article is a member of the story from now on."""
        self.changes.moves.append(Move("join", number, uid, time))
        if number in self.rolls:
            self.rolls[number][uid] = time

    def leave(self, number: int, uid: bytes) -> None:
        self.changes.moves.append(Move("leave", number, uid))
        if number in self.rolls:
            self.rolls[number].pop(uid, None)

    def unite(self, number: int, into: int) -> None:
        """The members of one story are the other's from now on; the rolls of both must be here."""
        self.changes.moves.append(Move("merge", number, into=into))
        self.rolls[into] |= self.rolls.pop(number)

    def emit(self, event: Event) -> None:
        """Append an event; those of one commit are numbered in order."""
        part = self._parts.get(event.seq, 0)
        self._parts[event.seq] = part + 1
        self.changes.events.append(replace(event, part=part))
