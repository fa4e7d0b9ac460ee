"""The picture of what more workers bring, and of what keeps them waiting.

Invariant: the same results draw the same bytes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.bench.drawing import COLOURS, clean, drawing
from tests.bench.workers import Scale, law
from tests.bench.workers_alone import Alone

_LAW = "one language, as an article's cost says: a processor for each worker"


def draw(found: Sequence[Scale], alone: Sequence[Alone], path: Path) -> None:
    """Write the picture as SVG, text as text."""
    with drawing(path, 2, figsize=(10, 3.9)) as (figure, (left, right)):
        _rates(left, found, alone)
        _waiting(right, found, alone)
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)


def _rates(axes: Any, found: Sequence[Scale], alone: Sequence[Alone]) -> None:
    for place, each in enumerate(alone):
        runs = _of(found, each)
        numbers = [run.workers for run in runs]
        axes.plot(numbers, [run.rate for run in runs], "o-", color=COLOURS[2 * place], label=f"{_said(each)}, measured")
        if each.languages == 1:
            rates = [one.rate for one in law(found, each, numbers)]
            axes.plot(numbers, rates, "--", color=COLOURS[2 * place], label=_LAW)
    axes.set_ylim(0)
    _workers(axes, found, "articles a second")


def _waiting(axes: Any, found: Sequence[Scale], alone: Sequence[Alone]) -> None:
    for place, each in enumerate(alone):
        runs = _of(found, each)
        numbers = [run.workers for run in runs]
        axes.plot(numbers, [100 * run.waiting for run in runs], "o-", color=COLOURS[2 * place])
        if each.languages == 1:
            shares = [100 * one.waiting for one in law(found, each, numbers)]
            axes.plot(numbers, shares, "--", color=COLOURS[2 * place])
    axes.set_ylim(0, 100)
    _workers(axes, found, "% of the workers' time spent waiting for a lease")


def _workers(axes: Any, found: Sequence[Scale], title: str) -> None:
    axes.set_xscale("log", base=2)
    axes.set_xticks(sorted({run.workers for run in found}))
    axes.xaxis.set_major_formatter("{x:.0f}")
    axes.set_xlabel("workers")
    axes.set_title(title, loc="left", fontsize=11)
    clean(axes, "y")


def _of(found: Sequence[Scale], alone: Alone) -> list[Scale]:
    return [run for run in found if run.languages == alone.languages]


def _said(alone: Alone) -> str:
    return "one language" if alone.languages == 1 else f"{alone.languages} languages by turns"
