"""From the changes of a view to the keys and arguments of `commit_batch.lua`: pure bookkeeping.

Invariant: the order of keys here is the order that the script reads them in.
"""

from typing import Any

from msgspec import msgpack

from worker.cluster import View
from worker.model import Story
from worker.store import keys

ALIAS_TTL_S = 90 * 86_400
EVENTS_KEPT = 100_000
"""Events of a language that are kept however old they are; of more, those of the last 24 hours."""
EVENTS_MOST = 1_000_000
"""And never more than these."""


def plan(view: View) -> tuple[list[str], list[Any]]:
    """(keys after the shard's six, arguments after the fence and the commit) for what the view changed."""
    sets, deletes = _records(view)
    lists: dict[int, int] = {}
    blobs: list[bytes] = []
    steps = _steps(view, lists, blobs)
    gone = [number for number in sorted(view.changes.stories) if not isinstance(view.stories[number], Story)]
    ends = [keys.story(view.lang, number) for number in view.changes.ended]
    header = {
        "sets": len(sets),
        "deletes": len(deletes),
        "lists": len(lists),
        "ends": len(ends),
        "alias_ttl_s": ALIAS_TTL_S,
        "members": steps,
        "indexed": [
            (number, repr(story.active), repr(story.last))
            for number in sorted(view.changes.stories)
            if isinstance(story := view.stories[number], Story)
        ],
        "unindexed": gone,
        "seq": view.seq,
        "made": view.made,
        "articles": sum({"join": 1, "leave": -1, "merge": 0}[move.kind] for move in view.changes.moves),
        "events": [(f"{e.seq}-{e.part}", _place(blobs, msgpack.encode(e))) for e in view.changes.events],
        "events_kept": EVENTS_KEPT,
        "events_most": EVENTS_MOST,
        "hand": view.hand,
        "corrections": [
            (number, _place(blobs, msgpack.encode(said))) if (said := view.ties.get(number)) else (number,)
            for number in sorted(view.changes.corrections)
        ],
    }
    names = [*sets, *deletes, *(keys.members(view.lang, number) for number in lists), *ends]
    return names, [msgpack.encode(header), *sets.values(), *blobs]


def _records(view: View) -> tuple[dict[str, bytes], list[str]]:
    """Every touched key with its packed value, and the keys whose value is gone."""
    lang, changes = view.lang, view.changes
    values: dict[str, bytes] = {}
    for uid in sorted(changes.members):
        values[keys.article(lang, uid)] = msgpack.encode(member) if (member := view.members[uid]) else b""
    for number in sorted(changes.stories):
        values[keys.story(lang, number)] = msgpack.encode(story) if (story := view.stories[number]) else b""
    for term in sorted(changes.terms):
        values[keys.term(lang, term)] = view.terms[term]
    for band in sorted(changes.bands):
        values[keys.band(lang, *band)] = view.bands[band]
    sets = {name: value for name, value in values.items() if value}
    deletes = [name for name, value in values.items() if not value]
    deletes += [keys.members(lang, number) for number in sorted(changes.stories) if view.stories[number] is None]
    return sets, deletes


def _place(blobs: list[bytes], blob: bytes) -> int:
    """Keep bytes for the end of the arguments (the server's msgpack knows no binary type); their place, from 1."""
    blobs.append(blob)
    return len(blobs)


def _steps(view: View, lists: dict[int, int], blobs: list[bytes]) -> list[tuple[Any, ...]]:
    """The changes of membership; `lists` collects the stories they touch, each with its place, from 1."""

    def place(number: int) -> int:
        return lists.setdefault(number, len(lists) + 1)

    steps: list[tuple[Any, ...]] = []
    for move in view.changes.moves:
        if move.kind == "join":
            steps.append(("join", place(move.story), _place(blobs, move.uid), repr(move.time)))
        elif move.kind == "leave":
            steps.append(("leave", place(move.story), _place(blobs, move.uid)))
        else:
            steps.append(("merge", place(move.story), place(move.into)))
    return steps
