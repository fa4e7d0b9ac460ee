"""Undoing an editor's correction: it is lifted, and articles that it moved go back where they were.

Invariant: nothing moves against a later correction: where one speaks of the same articles, the earlier is only lifted.
What was undone leaves no constraint, so what comes from now on is placed as if nobody had said anything.
"""

from collections.abc import Generator
from dataclasses import dataclass

from msgspec.structs import replace

from worker.cluster.constraints import held_apart, homes
from worker.cluster.divide import take_apart, with_copies
from worker.cluster.enforce import standing_at
from worker.cluster.merge import merge
from worker.cluster.ties import uids
from worker.cluster.view import Need, View
from worker.model import Correction, uid

_UID_BYTES = 8


@dataclass(frozen=True)
class Undone:
    """A correction that is no longer in force, by the commit `seq`. `stories`: the numbers that its articles went back
    to, none where they stay; `later`: the corrections that kept them there."""

    correction: Correction
    seq: int
    stories: tuple[int, ...] = ()
    later: tuple[Correction, ...] = ()


def undo(view: View, number: int, now: float) -> Generator[Need, None, Undone | None]:
    """Lift a correction; stories that it merged are taken apart again, and what it split off comes back. A pinned
    article stays, as do more than 64 that were merged. None where there is no correction of that number."""
    correction = view.ties.get(number)
    if correction is None:
        return None
    view.seq += 1
    view.drop_correction(number)
    groups = [_uids(group) for group in correction.moved]
    about = {article for group in groups for article in group}.union(uids(correction))
    later = tuple(said for said in view.ties.named(about) if said.number > number)
    stories: tuple[int, ...] = ()
    if not later and correction.kind == "merge":
        for group in groups:
            stories += yield from _apart(view, correction.stories[0], group, now)
    elif not later and correction.kind == "split":
        stories = yield from _together(view, correction, now)
    return Undone(correction, view.seq, stories, later)


def _apart(view: View, number: int, group: list[bytes], now: float) -> Generator[Need, None, tuple[int, ...]]:
    """What a story had brought into a merged one as a story again: its number; none where nothing is left of either."""
    yield from view.want(stories=[number])
    yield from view.want(stories=view.aliased([number]))
    story = view.root(number)
    if story is None:
        return ()
    yield from view.want(rolls=[story.number])
    roll = list(view.rolls[story.number])
    yield from view.want(members=roll)
    members, brought = view.present(roll), set(group)
    taken = with_copies(members, [member for member in members if member.uid in brought])
    if not taken or len(taken) == len(roll):
        return ()
    yield from take_apart(view, story, [replace(member, score=None) for member in taken], now)
    return (view.made,)


def _together(view: View, correction: Correction, now: float) -> Generator[Need, None, tuple[int, ...]]:
    """What was split off, and what stands for the rest, as one story again: its number; none where either side is in
    several stories by now, or another correction keeps the two apart."""
    places = yield from homes(view, uids(correction))
    one, other = ({places[u] for u in map(uid, names) if u in places} for names in (correction.one, correction.other))
    if len(one) != 1 or len(other) != 1 or one == other:
        return ()
    keep, lose = sorted(one | other)
    if (yield from held_apart(view, standing_at(view, keep), standing_at(view, lose))):
        return ()
    yield from view.want(members=[standing_at(view, lose).lead])
    lead = view.present([standing_at(view, lose).lead, *map(uid, correction.one)])[0]
    yield from merge(view, standing_at(view, keep), standing_at(view, lose), replace(lead, backfill=False), now)
    return (keep,)


def _uids(packed: bytes) -> list[bytes]:
    return [packed[at : at + _UID_BYTES] for at in range(0, len(packed), _UID_BYTES)]
