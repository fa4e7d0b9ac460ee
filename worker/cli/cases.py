"""The test cases that `replay --cases` runs: read from a file, and what came of them said in a few lines."""

from pathlib import Path

import click

from worker.errors import BadSetting
from worker.report.cases import Case, Verdict, parse_cases
from worker.report.harmless import harmless

_SHOWN = 10
"""Cases decided otherwise that are told one by one."""


def read_cases(path: Path) -> list[Case]:
    """The cases of a file. Raises BadInput or BadSetting where it holds something else, or cannot be read."""
    try:
        return list(parse_cases(path.read_bytes().splitlines(), str(path)))
    except OSError as error:
        raise BadSetting(f"--cases {path}: {(error.strerror or 'cannot be read').lower()}: name another file") from None


def tell_verdict(verdict: Verdict) -> None:
    """How many cases were decided as the editor did, and some of the others, on standard error."""
    for case in verdict.wrong[:_SHOWN]:
        titles = " | ".join(harmless(each.title, each.id) for each in (case.a, case.b))
        where = "one story" if case.together else "two stories"
        click.echo(f"{harmless(case.a.id)} and {harmless(case.b.id)} are {where} to the editor: {titles}", err=True)
    told = [
        f"{verdict.right[together]} of {verdict.asked[together]} {name}"
        for together, name in ((True, "together"), (False, "apart"))
        if verdict.asked[together]
    ]
    missing = f"; {verdict.missing} name articles that are not there" if verdict.missing else ""
    kinds = f" ({', '.join(told)})" if told else ""
    total = sum(verdict.asked.values())
    click.echo(f"cases: {total - len(verdict.wrong)} of {total} as the editor decided{kinds}{missing}", err=True)
