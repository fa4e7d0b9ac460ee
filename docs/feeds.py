"""Writes docs/feeds.md: what servers and feeds do wrong, what comes of it, what a person is told.

Invariant: says what the table of tests/misbehaving says, which a test holds to real servers.
"""

from tests.misbehaving import DOCUMENTED, Case, groups

_PAGE = """\
# Feeds that misbehave

Feeds are written by others, and served by whatever they have. This is what Storywire makes of them: {count} cases, to
which `tests/e2e/test_misbehaving.py` holds it by real servers, to the letter. What a feed does wrong costs that feed
alone; the others are polled on time. What is said of it is kept with the feed: `storywire feeds list` shows it, and so
does each poll's line in the log.

"Nothing" is what this poll brought: what came before stays, and the feed is polled again, later after each error in a
row, unless it is gone for good.

"""

_COMES_OF = {
    "failed": "nothing",
    "unreachable": "nothing",
    "refused": "nothing",
    "gone": "nothing, and no more polls",
    "empty": "nothing",
}


def feeds_page() -> str:
    """docs/feeds.md."""
    found = groups(DOCUMENTED)
    page = _PAGE.format(count=sum(map(len, found.values())))
    return page + "\n".join(_table(title, cases) for title, cases in found.items())


def _table(title: str, cases: list[Case]) -> str:
    rows = (f"| {_cell(case.does)} | {_comes_of(case)} | {_cell(case.told) or '-'} |" for case in cases)
    return "\n".join(
        (f"## {title}\n", "| a feed that ... | brings | and is told of with |", "|---|---|---|", *rows, "")
    )


def _comes_of(case: Case) -> str:
    """How many articles and further revisions, or nothing; and what is owed."""
    number, edits = len(case.titles), case.revisions - len(case.titles)
    brought = f"{number:,} article{'s' * (number != 1)}" + (f", {edits} of them revised" if edits else "")
    comes = _COMES_OF.get(case.outcome, brought)
    if case.waits_h and 1 <= case.waits_h[0] < case.waits_h[1] < 100:
        comes += f"; again after {case.waits_h[0]:.0f} h at the earliest"
    return f"{comes} (not yet: {case.owed})" if case.owed else comes


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
