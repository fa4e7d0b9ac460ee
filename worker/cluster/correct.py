"""An editor's corrections: split a story, merge stories, pin an article, adopt those of another store.

Invariant: after a correction the articles are where it wants them, and whatever earlier ones said against it is lifted:
so the corrections in force never contradict each other where all their articles are there.
"""

from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from worker.cluster.constraints import homes, violators
from worker.cluster.divide import take_apart, with_copies
from worker.cluster.enforce import move, standing_at
from worker.cluster.merge import merge
from worker.cluster.ties import Ties, uids, without
from worker.cluster.view import Need, View
from worker.errors import BadInput, NotThere
from worker.model import Correction, Event, Story, story_id

MOST_NAMED = 64
"""Articles that one split takes out, copies included: 64 of a story of 5,000 keep the lease for about 2 s."""
STANDING = 16
"""Articles that stand for a story in a correction: its first, then its oldest and newest texts."""
MOST_CORRECTIONS = 5_000
"""Of a language: every worker holds them, 1 KB each."""
GRACE_S = 90 * 86_400.0
"""How long a correction outlives articles of it, so that they find it when they come again."""


@dataclass
class Corrected:
    """What a correction did: the correction, and the earlier ones that it lifted, or of which it lifted a part; the
    numbers of the latter, which stay in force, are `partly`."""

    correction: Correction
    lifted: list[Correction] = field(default_factory=list)
    partly: set[int] = field(default_factory=set)


def split(view: View, number: int, named: Collection[bytes], now: float) -> Generator[Need, None, Corrected]:
    """Take articles (uids) out of a story into one of their own; their copies go with them.

    Raises BadInput where one is not in the story, or nothing would be left of it.
    """
    make_room(view.lang, view.ties)
    story = yield from _standing(view, number)
    yield from view.want(rolls=[story.number])
    roll = list(view.rolls[story.number])
    yield from view.want(members=roll)
    members = view.present(roll)
    taken = with_copies(members, [member for member in members if member.uid in named])
    shown = story_id(view.lang, story.number)
    if not set(named) <= {member.uid for member in taken}:
        raise NotThere(f"not all of these articles are in {shown} now", "article")
    if len(taken) == len(roll):
        raise BadInput(f"nothing would be left of {shown}: these are all of its articles and their copies")
    if len(taken) > MOST_NAMED:
        raise BadInput(f"{len(taken)} articles with their copies, and one split takes {MOST_NAMED}: name fewer")
    view.seq += 1
    yield from take_apart(view, story, [replace(member, score=None) for member in taken], now)
    rest = _names(view, _stand(standing_at(view, story.number)))
    said = _correction(view, "split", now, (story.number, view.made), [m.id for m in taken], rest)
    return (yield from _enact(view, said, {member.uid for member in taken}))


def unite(view: View, numbers: Sequence[int], now: float) -> Generator[Need, None, Corrected]:
    """Make one story of several; the oldest number stays. Raises BadInput where they are one already."""
    make_room(view.lang, view.ties)
    stories: dict[int, Story] = {}
    for number in numbers:
        story = yield from _standing(view, number)
        stories[story.number] = story
    keep, *others = sorted(stories)
    if not others:
        raise BadInput(f"these are one story already, {story_id(view.lang, keep)}: name two")
    yield from view.want(rolls=stories, members={u: None for story in stories.values() for u in _stand(story)})
    view.seq += 1
    brought = [sorted(view.rolls[number]) for number in others]
    moved = {article for group in brought for article in group}
    one = _names(view, _stand(stories[keep]))
    other = [name for number in others for name in _names(view, _stand(stories[number]))]
    for number in others:
        lead = view.present([stories[number].lead, *view.rolls[number]])[0]
        yield from merge(view, standing_at(view, keep), standing_at(view, number), replace(lead, backfill=False), now)
    said = _correction(view, "merge", now, (keep, *others), one, other)
    if len(moved) <= MOST_NAMED:
        said = replace(said, moved=tuple(map(b"".join, brought)))
    return (yield from _enact(view, said, moved))


def pin(view: View, article: bytes, number: int | None, now: float) -> Generator[Need, None, Corrected]:
    """Keep an article in its story, or put it into another one, for good. Raises BadInput where it is in none."""
    make_room(view.lang, view.ties)
    yield from view.want(members=[article])
    member = view.members[article]
    if member is None:
        raise BadInput("the article has left the store meanwhile")
    home = yield from _standing(view, member.story)
    story = home if number is None else (yield from _standing(view, number))
    yield from view.want(members=_stand(story))
    view.seq += 1
    others = [name for name in _names(view, _stand(story)) if name != member.id]
    if story.number == home.number:
        view.emit(Event("pinned", view.seq, view.lang, story.number, article))
    else:
        yield from move(view, article, story.number, now)
    said = _correction(view, "pin", now, (story.number,), [member.id], others)
    return (yield from _enact(view, said, {article}))


def adopt(view: View, corrections: Sequence[Correction]) -> Generator[Need, None, int]:
    """Put corrections that were made in another store in force, those that are not there yet; how many. None of the
    articles that are there moves; those that come from now on follow them.

    Raises BadInput where there are too many.
    """
    yield from ()
    new = missing(view.ties, corrections)
    make_room(view.lang, view.ties, len(new))
    if new:
        view.seq += 1
        view.put_corrections([replace(said, number=view.hand + n, seq=view.seq) for n, said in enumerate(new, 1)])
        view.hand += len(new)
    return len(new)


def missing(ties: Ties, corrections: Sequence[Correction]) -> list[Correction]:
    """Those of the corrections that say what none in force says, each once."""
    known = {(said.kind, said.one, said.other) for said in ties.all()}
    new = {(said.kind, said.one, said.other): said for said in corrections}
    return [said for content, said in new.items() if content not in known]


def _enact(view: View, correction: Correction, moved: set[bytes]) -> Generator[Need, None, Corrected]:
    """Put a correction in force, and lift what earlier ones say against it of the articles that were moved."""
    done = Corrected(correction)
    for earlier in view.ties.named(view.ties.among(moved)):
        places = yield from homes(view, uids(earlier))
        against = violators(earlier, places, moved.intersection(uids(earlier)))
        again = correction.kind == earlier.kind == "pin" and correction.one == earlier.one
        kept = None if again else without(earlier, against)
        if kept == earlier:
            continue
        done.lifted.append(earlier)
        if kept is None:
            view.drop_correction(earlier.number)
        else:
            done.partly.add(earlier.number)
            view.put_correction(kept)
    view.put_correction(correction)
    return done


def _correction(
    view: View, kind: str, now: float, stories: tuple[int, ...], one: Sequence[str], other: Sequence[str]
) -> Correction:
    """The language's next one."""
    view.hand += 1
    return Correction(view.hand, kind, now, view.seq, stories, tuple(one), tuple(other[:MOST_NAMED]))


def make_room(lang: str, ties: Ties, new: int = 1) -> None:
    """Raises BadInput where there are too many corrections for so many more."""
    if new and len(ties) + new > MOST_CORRECTIONS:
        more = f", and these are {new} more" if new > 1 else ""
        raise BadInput(
            f"{len(ties)} corrections of {lang} are in force{more}, of {MOST_CORRECTIONS} at most: "
            "lift one, `storywire story undo`"
        )


def _stand(story: Story) -> list[bytes]:
    """The articles that stand for a story: uids, its first one first."""
    return list(dict.fromkeys([story.lead, *story.texts]))[:STANDING]


def _names(view: View, articles: Sequence[bytes]) -> list[str]:
    return [member.id for member in view.present(articles)]


def _standing(view: View, number: int) -> Generator[Need, None, Story]:
    """The story of a number, through its alias. Raises BadInput where it has ended."""
    yield from view.want(stories=[number])
    yield from view.want(stories=view.aliased([number]))
    story = view.root(number)
    if story is None or not story.articles:
        raise NotThere(f"{story_id(view.lang, number)} has ended", "story")
    return story
