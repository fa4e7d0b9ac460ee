"""The table of stories: as many columns as the terminal has room for, the headline in what they leave.

Invariant: every line fits the terminal's width; off a terminal nothing is cut and nothing is coloured.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.cells import cell_len

from worker.cli.screen.members import member_lines
from worker.cli.screen.terminal import Screen
from worker.report.harmless import cut, harmless
from worker.report.listing import Listing, Query
from worker.report.views import StoryView
from worker.report.words import count, span, sparkline

Part = tuple[str, str]
"""A text and its style."""

BREAKING_S = 600.0
"""A story that got an article within ten minutes is still moving."""

_GAP = "  "
_LEAST_HEADLINE = 24


class Column(NamedTuple):
    """A column: from which width on, until which, and what it shows of a story."""

    title: str
    least_width: int
    cell: Callable[[StoryView, str], Part]
    most_width: int = 10_000
    right: bool = True


def _outlets(view: StoryView, _: str) -> Part:
    return f"{view.outlets:,}" if view.outlets else "-", "bold" if view.outlets > 1 else "dim"


def _articles(view: StoryView, _: str) -> Part:
    return f"{view.articles:,}", "" if view.articles > 1 else "dim"


def _repeats(view: StoryView, _: str) -> Part:
    repeats = view.copies or view.rewrites
    return f"{view.copies:,}/{view.rewrites:,}" if repeats else "-", "cyan" if repeats else "dim"


def _copies(view: StoryView, _: str) -> Part:
    return (f"{view.copies:,}", "cyan") if view.copies else ("-", "dim")


def _rewrites(view: StoryView, _: str) -> Part:
    return (f"{view.rewrites:,}", "yellow") if view.rewrites else ("-", "dim")


def _reports(view: StoryView, _: str) -> Part:
    return (f"{view.reports:,}", "green") if view.reports else ("-", "dim")


def _age(view: StoryView, _: str) -> Part:
    return span(view.age_s), ""


def _latest(view: StoryView, _: str) -> Part:
    return span(view.quiet_s), "green" if view.quiet_s < BREAKING_S else "dim"


def _growth(view: StoryView, blocks: str) -> Part:
    return sparkline(view.growth, blocks), "green" if view.quiet_s < BREAKING_S else "blue"


def _heat(view: StoryView, _: str) -> Part:
    return f"{view.heat:.1f}", ""


def _story(view: StoryView, _: str) -> Part:
    return harmless(view.story), "dim"


COLUMNS = (
    Column("Outlets", 0, _outlets),
    Column("Articles", 50, _articles),
    Column("Cop/rew", 72, _repeats, most_width=109),
    Column("Copies", 110, _copies),
    Column("Rewrites", 110, _rewrites),
    Column("Reports", 130, _reports),
    Column("Age", 60, _age),
    Column("Latest", 100, _latest),
    Column("Heat", 150, _heat),
    Column("Growth", 80, _growth, right=False),
    Column("Story", 120, _story, right=False),
)


def show_listing(screen: Screen, found: Listing, query: Query) -> None:
    """The line on top, then the table, or one line that says why there is none and what to do."""
    if not found.views:
        screen.say(*empty_line(found, query))
        return
    screen.say(*summary_line(found, query))
    if screen.is_terminal:
        screen.say()
        _show_table(screen, found)
    else:
        _show_lines(screen, found)
    if found.hidden:
        screen.say((f"and {count(found.hidden, 'more story', 'more stories')}: --limit {found.stories}", "dim"))


def summary_line(found: Listing, query: Query) -> list[str | Part]:
    """Stories, articles and outlets in the span shown."""
    when = f"in the last {span(query.since_s)}" if query.since_s is not None else "in all"
    what = f" with {query.min_outlets} outlets or more" if query.min_outlets > 1 else ""
    outlets = f", {count(found.outlets, 'outlet')}" if found.outlets else ""
    return [
        (count(found.stories, "story", "stories"), "bold"),
        f"{what}, {count(found.articles, 'article')}{outlets} {when}, hottest first",
    ]


def empty_line(found: Listing, query: Query) -> list[str | Part]:
    """Why nothing is shown, and what to do about it."""
    if not found.stored or found.newest is None:
        return ["No stories yet. `storywire up` watches feeds; `storywire demo` shows how it looks without internet."]
    asked = [f"in the last {span(query.since_s)}"] if query.since_s is not None else []
    asked += [f"with {query.min_outlets} outlets or more"] if query.min_outlets > 1 else []
    asked += [f"in {harmless(query.lang)!r}"] if query.lang else []
    return [
        f"No story {' '.join(asked)}; {count(found.stored, 'story is', 'stories are')} stored, the newest article "
        f"{span(found.now - found.newest)} old. Widen it with --since, --min-outlets or --lang."
    ]


def _show_table(screen: Screen, found: Listing) -> None:
    columns = [c for c in COLUMNS if c.least_width <= screen.width <= c.most_width]
    rows = [[column.cell(view, screen.blocks) for column in columns] for view in found.views]
    widths = [max(cell_len(c.title), *(cell_len(r[i][0]) for r in rows)) for i, c in enumerate(columns)]
    room = max(_LEAST_HEADLINE, screen.width - sum(widths) - len(_GAP) * len(widths))
    headlines = [cut(harmless(view.headline, "(no headline)"), room) for view in found.views]
    room = max(cell_len(headline) for headline in [*headlines, "Headline"])
    titles: list[Part] = [(column.title, "bold") for column in columns]
    screen.say(*_row(("Headline", "bold"), room, titles, columns, widths))
    for view, headline, row in zip(found.views, headlines, rows, strict=True):
        style = "" if view.outlets > 1 else "dim"
        screen.say(*_row((headline, style), room, row, columns, widths))
        if view.members is not None:
            for parts in member_lines(view, found.now, screen.width):
                screen.say(*parts)


def _row(
    headline: Part, room: int, cells: Sequence[Part], columns: Sequence[Column], widths: Sequence[int]
) -> list[str | Part]:
    parts: list[str | Part] = [headline, " " * (room - cell_len(headline[0]))]
    for (text, style), column, width in zip(cells, columns, widths, strict=True):
        blank = " " * (width - cell_len(text))
        parts += [_GAP, blank, (text, style)] if column.right else [_GAP, (text, style), blank]
    return parts


def _show_lines(screen: Screen, found: Listing) -> None:
    """One line a story, the headline last and whole: for pipes and files."""
    for view in found.views:
        screen.say(
            f"{view.story:<10} {count(view.outlets, 'outlet'):>10} {count(view.articles, 'article'):>12} "
            f"{count(view.copies, 'copy', 'copies'):>10} {count(view.rewrites, 'rewrite'):>11} {span(view.age_s):>7}  "
            f"{sparkline(view.growth, screen.blocks):<8}  {harmless(view.headline, '(no headline)')}"
        )
        if view.members is not None:
            for parts in member_lines(view, found.now, None):
                screen.say(*parts)
