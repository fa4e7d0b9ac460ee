"""Who was first in a story and who repeats whom: a small indented tree.

Invariant: each member is shown once, under the member that it repeats, whatever the store says of whom.
"""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from worker.model import Relation
from worker.report.harmless import cut, harmless
from worker.report.views import MemberView, StoryView
from worker.report.words import fraction, local_time

SIGNS = {Relation.FIRST: "●", Relation.COPY: "=", Relation.REWRITE: "≈", Relation.REPORT: "+"}
STYLES = {Relation.FIRST: "bold", Relation.COPY: "cyan", Relation.REWRITE: "yellow", Relation.REPORT: "green"}

_DEEPEST = 3
"""Copies of copies of copies are drawn no further to the right."""

_LEAST_TITLE = 16
"""Narrower terminals show no titles under a story, only who and when."""

_TITLE_BEFORE_ID = 30
"""The ids are shown where they leave the titles so much."""


def tree(members: Sequence[MemberView]) -> list[tuple[int, MemberView]]:
    """(depth, member): the first, what repeats it, then each report with what repeats it, by time throughout."""
    ids = {member.id for member in members}
    below: dict[str | None, list[MemberView]] = {}
    for member in members:
        below.setdefault(member.of if member.of in ids and member.of != member.id else None, []).append(member)
    roots = sorted(below.get(None, ()), key=lambda member: member.relation is not Relation.FIRST)
    shown: list[tuple[int, MemberView]] = []
    placed: set[str] = set()
    for start in [*roots, *members]:  # members that repeat each other in a ring hang from no root
        waiting = [(0, start)]
        while waiting:
            depth, member = waiting.pop()
            if member.id not in placed:
                placed.add(member.id)
                shown.append((depth, member))
                waiting += [(depth + 1, child) for child in reversed(below.get(member.id, ()))]
    return shown


def guides(depths: Sequence[int]) -> list[str]:
    """The lines that lead to each entry of a tree in pre-order: `├ `, `└ `, `│ ` and blanks."""
    drawn: list[str] = []
    open_levels: set[int] = set()
    for depth in reversed([min(depth, _DEEPEST) for depth in depths]):
        open_levels = {level for level in open_levels if level <= depth}
        stem = "".join("│ " if level in open_levels else "  " for level in range(depth))
        drawn.append(stem + ("├ " if depth in open_levels else "└ "))
        open_levels.add(depth)
    return drawn[::-1]


def member_lines(view: StoryView, now: float, width: int | None) -> Iterator[list[str | tuple[str, str]]]:
    """One line a member, its parts styled; cut to `width` cells, or whole where that is None."""
    entries = tree(view.members or ())
    times = [local_time(member.time, now) for _, member in entries]
    stems = guides([depth for depth, _ in entries])
    sources = [cut(harmless(member.source, "-"), 18) for _, member in entries]
    stem_cells = 2 + 2 * max((min(depth, _DEEPEST) for depth, _ in entries), default=0)
    time_cells, source_cells = (max(map(len, times), default=0), max(map(cell_len, sources), default=0))
    ids = [harmless(member.id) for _, member in entries]
    id_cells = max(map(cell_len, ids), default=0)
    for (_, member), stem, time, source, name in zip(entries, stems, times, sources, ids, strict=True):
        score = "" if member.score is None else fraction(member.score)
        head = f"  {stem}{SIGNS[member.relation]} {member.relation}".ljust(stem_cells + 12)
        middle = f"{time:<{time_cells}}  {source}{' ' * (source_cells - cell_len(source))}  {score:>4}  "
        title, style = _title(view, member), STYLES[member.relation]
        if width is None:
            yield [f"{head}{middle}{title}  [{name}]"]
            continue
        room = width - cell_len(head) - cell_len(middle)
        if room < _LEAST_TITLE:
            yield [(head, style), cut(f"{time}  {source}", width - cell_len(head))]
        elif room - id_cells - 2 >= _TITLE_BEFORE_ID:
            title = cut(title, room - id_cells - 2)
            pad = " " * (room - id_cells - cell_len(title))
            yield [(head, style), middle, title, pad, (name, "dim")]
        else:
            yield [(head, style), middle, cut(title, room)]


def _title(view: StoryView, member: MemberView) -> str:
    if member.title == view.headline:
        return "" if member.relation is Relation.FIRST else "(same headline)"
    return harmless(member.title, "(no headline)")
