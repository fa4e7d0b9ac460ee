"""The stream of changes: a line or two for each story that formed, grew or was merged.

Invariant: backfill alone is quiet: dim, few at a time, and not before a second outlet tells the story; so is a new
version of a text.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.cells import cell_len

from worker.cli.screen.members import SIGNS, STYLES
from worker.cli.screen.terminal import Part, Screen, fit
from worker.model import Relation
from worker.report.following import Change
from worker.report.harmless import cut, harmless
from worker.report.views import MemberView
from worker.report.words import count, local_time

MARKS = {
    "new": ("●", "bold green"),
    "grew": ("▲", "bold blue"),
    "merged": ("⇐", "bold magenta"),
    "revised": ("~", "cyan"),
    "split": ("⇒", "bold magenta"),
    "moved": ("⇒", "bold magenta"),
    "pinned": ("◆", "magenta"),
    "shrank": ("▼", "magenta"),
}

MOST_SINGLES = 6
"""New stories of one outlet that are shown each when they come at once; of more, only how many."""

MOST_QUIET = 5
"""Stories of backfill that are shown when they come at once: the first minute is a look around, not a flood."""

_ONE_LINE_FROM = 110
_COUNTS_CELLS = 24


QUIET = "Stories of one outlet that a feed's first fetch brought are not shown here: `storywire report` lists them."
"""What is said the first time that `show_changes` leaves some out."""


def show_changes(screen: Screen, changes: Sequence[Change], now: float) -> bool:
    """Print what came at once; a flood of stories that one outlet tells is summed up. True where any was left out
    without a word."""
    loud = [change for change in changes if not (change.backfill and change.view.outlets < 2)]
    singles = [
        change for change in loud if not _only_revised(change) and change.kind == "new" and change.view.articles < 2
    ]
    left_out = singles if len(singles) > MOST_SINGLES else []
    history = _smaller(change for change in loud if change.backfill)
    for change in loud:
        if change not in left_out and change not in history:
            _show(screen, change, now)
    if history:
        told = f"{count(len(history), 'more story', 'more stories')} of the feeds' first fetch"
        screen.say((f"{_clock(history[-1], now)} · {told}", "dim"))
    if left_out:
        outlets = len({member.source for change in left_out for member in change.newcomers})
        mark, style = MARKS["new"]
        told = f"{count(len(left_out), 'more story', 'more stories')} of one article, from {count(outlets, 'outlet')}"
        screen.say((_clock(left_out[-1], now), "dim"), " ", (mark, style), " ", told)
    return len(loud) < len(changes)


def _smaller(changes: Iterable[Change]) -> list[Change]:
    """Of what came at once and breaks nothing, all but the MOST_QUIET stories that most outlets tell."""
    by_size = sorted(changes, key=lambda change: (-change.view.outlets, -change.view.articles))
    return by_size[MOST_QUIET:]


def _show(screen: Screen, change: Change, now: float) -> None:
    revised = _only_revised(change)
    kind = "revised" if revised else change.kind
    mark, style = MARKS[kind]
    view, dim = change.view, "dim" if change.backfill or revised else ""
    headline, told = harmless(view.headline, "(no headline)"), detail(change)
    outlets = [count(view.outlets, "outlet")] if view.outlets else []
    counts = ", ".join([*outlets, count(view.articles, "article")]) if view.articles > 1 else ""
    lead: list[Part] = [(_clock(change, now), "dim"), " ", (mark, dim or style), " "]
    if not screen.is_terminal:
        screen.say(*lead, "  ".join(filter(None, [f"{kind:<7}", view.story, headline, counts, _text(told)])))
        return
    room = screen.width - cell_len(_text(lead))
    name = (dim or "bold") if view.outlets > 1 else dim
    if screen.width >= _ONE_LINE_FROM:
        detail_cells = room * 3 // 8
        tail: list[Part] = [f"{counts:<{_COUNTS_CELLS}}", "  "] if counts else []
        left = room - detail_cells - cell_len(_text(tail)) - 2
        screen.say(*lead, *_column(headline, name, left), "  ", *tail, *fit(told, detail_cells))
        return
    right = fit([counts] if counts else told, room // 2)
    screen.say(*lead, *_column(headline, name, room - cell_len(_text(right)) - 2), "  ", *right)
    if counts:
        screen.say(" " * (screen.width - room), *fit(told, room))


def detail(change: Change) -> list[Part]:
    """What came: `BBC`, `The Sun: copy of Reuters`, of several `BBC, then 2 reports` or `+2 copies, +1 report`; and
    what was merged, taken out of another story, or done by hand."""
    merged = [f"took in {', '.join(change.former)}"] if change.former else []
    merged += [f"taken out of {', '.join(change.parts_of)}"] if change.parts_of else []
    merged += [_BY_HAND[change.kind]] if change.kind in _BY_HAND else []
    if len(change.newcomers) != 1:
        return ["; ".join([*filter(None, [_several(change.newcomers)]), *merged])]
    member = change.newcomers[0]
    source = _source(member)
    if member.revision > 1:
        return [f"{source}: a new version", *(f"; {text}" for text in merged)]
    parts: list[Part] = [source]
    if member.relation is not Relation.FIRST:
        of = _repeated(change, member)
        what = f"{SIGNS[member.relation]} {member.relation}"
        parts += [": ", (what, STYLES[member.relation]), f" of {of}" if of else ""]
    return parts + [f"; {text}" for text in merged]


_BY_HAND = {"pinned": "an article was pinned", "shrank": "an article was forgotten"}

_NOUNS = {Relation.COPY: ("copy", "copies"), Relation.REWRITE: ("rewrite",), Relation.REPORT: ("report",)}


def _several(newcomers: Sequence[MemberView]) -> str:
    kinds = Counter(member.relation for member in newcomers)
    told = [count(kinds[kind], *noun) for kind, noun in _NOUNS.items() if kinds[kind]]
    first = next((member for member in newcomers if member.relation is Relation.FIRST), None)
    if first is None:
        return ", ".join(f"+{kind}" for kind in told)
    return f"{_source(first)}, then {', '.join(told)}" if told else _source(first)


def _source(member: MemberView) -> str:
    return harmless(member.source) or harmless(member.url, "unknown outlet")


def _repeated(change: Change, member: MemberView) -> str:
    return harmless(change.repeated.get(member.id, ""))


def _only_revised(change: Change) -> bool:
    """Nobody came: the articles were there before, with another text."""
    return (
        not change.former
        and not change.parts_of
        and bool(change.newcomers)
        and all(m.revision > 1 for m in change.newcomers)
    )


def _clock(change: Change, now: float) -> str:
    """When it was received, in eight cells."""
    received = max((member.received if member.revision == 1 else now for member in change.newcomers), default=now)
    return f"{local_time(received, now, '%H:%M:%S', '%d %b'):<8}"


def _text(parts: Sequence[Part]) -> str:
    return "".join(part if isinstance(part, str) else part[0] for part in parts)


def _column(text: str, style: str, cells: int) -> list[Part]:
    text = cut(text, cells)
    return [(text, style), " " * (cells - cell_len(text))]
