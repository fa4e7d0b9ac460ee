"""Who repeats whom, as a picture: articles of a story -> lanes, marks, lines and ticks, in numbers for a template.

Invariant: pure; the picture has at most MOST_LANES lanes, and each article that it is given one mark. Places from left
to right are in thousandths of the picture's width, from top to bottom in pixels.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import ceil

from msgspec import Struct

from worker.model import Relation
from worker.report.harmless import cut, harmless
from worker.report.views import MemberView
from worker.web.timescale import TimeScale

MOST_MARKS = 600
"""Articles that are drawn, the earliest: the picture of so many has 110 KB."""
MOST_LANES = 16
"""Lanes that one takes in at a glance; outlets beyond them share the last."""
ROW_PX = 17
_NAME_CELLS = 40
_NAME_PX = 15
"""Above the rows of a lane: there stands its outlet's name where the picture is narrow."""
_BELOW_PX = 3
_AXIS_PX = 22
_EDGE = 20
"""Of the width, left free at either side: half a mark on a narrow screen."""
_APART = 22
"""Marks of one row keep this distance: a mark's width where the picture is 640 pixels wide."""
_MOST_ROWS = 3
_MOST_FOLDED_ROWS = 8
_BEND = 6
_ASIDE = 4
"""Lines of rewrites go down beside those of copies."""


class Mark(Struct, frozen=True):
    """An article: where it stands, and its number in the order of time, from 0."""

    number: int
    relation: Relation
    x: int
    y: int


class Lane(Struct, frozen=True):
    """An outlet's lane, or that of `folded` outlets that share one. `top` and `bottom`: its edges."""

    name: str
    articles: int
    folded: int
    top: int
    bottom: int


class Picture(Struct, frozen=True):
    """All that is drawn. `copies`, `rewrites`: the lines from what is repeated to what repeats it, as SVG path data;
    `ticks`: places on the axis of time and what stands there; `even`: False where busy times are drawn wider."""

    lanes: tuple[Lane, ...]
    marks: tuple[Mark, ...]
    copies: str
    rewrites: str
    ticks: tuple[tuple[int, str], ...]
    height: int
    even: bool


def newsroom(member: MemberView) -> str:
    """What tells a member's outlet from others: its domain, or else its name; "" where nothing does."""
    return member.outlet or member.source.casefold()


def outlet_name(member: MemberView) -> str:
    """What a member's outlet is called, harmless, of at most 40 cells."""
    return cut(harmless(member.source or member.outlet), _NAME_CELLS) or "outlet not stated"


def draw(members: Sequence[MemberView]) -> Picture:
    """The picture of a story's members, which are given in order of time."""
    scale = TimeScale([member.time for member in members])
    xs = [_EDGE + round(scale.place(member.time) * (1000 - 2 * _EDGE)) for member in members]
    numbers = {member.id: number for number, member in enumerate(members)}
    repeated = [numbers.get(member.of or "") for member in members]
    lanes, ys, top = list[Lane](), [0] * len(members), 0
    for name, inside, folded in _lanes(members, repeated):
        starts = [xs[n] if (of := repeated[n]) is None else min(xs[of], xs[n]) for n in inside]
        rows = _rows(starts, [xs[n] for n in inside], _MOST_FOLDED_ROWS if folded else _MOST_ROWS)
        for n, row in zip(inside, rows, strict=True):
            ys[n] = top + _NAME_PX + row * ROW_PX + ROW_PX // 2
        bottom = top + _NAME_PX + (max(rows) + 1) * ROW_PX + _BELOW_PX
        lanes.append(Lane(name, len(inside), folded, top, bottom))
        top = bottom
    marks = tuple(Mark(n, member.relation, xs[n], ys[n]) for n, member in enumerate(members))
    return Picture(
        lanes=tuple(lanes),
        marks=marks,
        copies="".join(_lines(marks, repeated, Relation.COPY)),
        rewrites="".join(_lines(marks, repeated, Relation.REWRITE)),
        ticks=tuple((_EDGE + round(x * (1000 - 2 * _EDGE)), label) for x, label in scale.ticks()),
        height=top + _AXIS_PX,
        even=scale.even,
    )


def _lanes(members: Sequence[MemberView], repeated: Sequence[int | None]) -> list[tuple[str, list[int], int]]:
    """(name, its members' numbers, outlets folded into it) of each lane, who was there first on top.

    Where there are more outlets than lanes, those have one of their own that were first, that others repeat, and that
    wrote most.
    """
    by_outlet: dict[str, list[int]] = {}
    for number, member in enumerate(members):
        by_outlet.setdefault(newsroom(member), []).append(number)
    named = list(by_outlet)
    if len(by_outlet) > MOST_LANES:
        weight = _weights(members, repeated, by_outlet)
        named = sorted(by_outlet, key=lambda outlet: (-weight[outlet], by_outlet[outlet][0]))[: MOST_LANES - 1]
    shown = sorted((outlet for outlet in named), key=lambda outlet: by_outlet[outlet][0])
    lanes = [(outlet_name(members[by_outlet[outlet][0]]), by_outlet[outlet], 0) for outlet in shown]
    rest = sorted(n for outlet, numbers in by_outlet.items() if outlet not in set(shown) for n in numbers)
    folded = len(by_outlet) - len(shown)
    return [*lanes, (f"{folded} more outlets", rest, folded)] if folded else lanes


def _weights(
    members: Sequence[MemberView], repeated: Sequence[int | None], by_outlet: Mapping[str, list[int]]
) -> Mapping[str, int]:
    """How much an outlet matters to the picture: being first, then being repeated by others, then writing."""
    weight = Counter({outlet: len(numbers) for outlet, numbers in by_outlet.items()})
    for number, of in enumerate(repeated):
        if of is not None and newsroom(members[of]) != newsroom(members[number]):
            weight[newsroom(members[of])] += 3
    weight[newsroom(members[0])] += 10 * len(members)
    return weight


def _rows(starts: Sequence[int], ends: Sequence[int], most: int) -> list[int]:
    """The row of each mark of a lane, so that neither marks nor the lines that lead to them (from `starts`) cover
    others; where that would take more than `most` rows, lines and then marks may."""
    taken: list[tuple[int, int]] = []  # of each row: where its last mark and where all of it ends
    rows: list[int] = []
    for start, end in sorted(zip(starts, ends, strict=True), key=lambda pair: pair[1]):
        free = [row for row, (_, until) in enumerate(taken) if start - _APART >= until]
        near = [row for row, (last, _) in enumerate(taken) if end - _APART >= last]
        if free:
            row = free[0]
        elif len(taken) < most:
            row = len(taken)
            taken.append((-1000, -1000))
        else:
            row = min(near, key=lambda r: taken[r][0], default=min(range(most), key=lambda r: taken[r][0]))
        taken[row] = (end, max(end, taken[row][1]))
        rows.append(row)
    return rows


def _lines(marks: Sequence[Mark], repeated: Sequence[int | None], relation: Relation) -> Iterator[str]:
    """A line for each mark of the relation: down, or up, from what it repeats, then along its own lane: as long as it
    came later."""
    for mark, of in zip(marks, repeated, strict=True):
        if of is None or mark.relation is not relation:
            continue
        start = marks[of]
        x = start.x + (_ASIDE if relation is Relation.REWRITE else 0)
        bend = min(_BEND, ceil((mark.x - x) / 2))
        side = (mark.y > start.y) - (mark.y < start.y)
        if not side or bend <= 0:
            yield f"M{x} {start.y}L{mark.x} {mark.y}"
        else:
            corner = mark.y - side * _BEND
            yield f"M{x} {start.y}V{corner}Q{x} {mark.y} {x + bend} {mark.y}H{mark.x}"
