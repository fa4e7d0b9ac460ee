"""The picture of the side by side: BCubed F1 by set, and articles a second.

Invariant: the same results draw the same bytes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from tests.bench.drawing import COLOURS, clean, drawing


class Bar(Struct, frozen=True):
    """A method's F1 for each set, and its articles a second over all of them."""

    name: str
    f1: dict[str, float]
    rate: float


def draw(bars: Sequence[Bar], path: Path) -> None:
    """Write the picture as SVG, text as text."""
    with drawing(path, 2, figsize=(10, 3.9), width_ratios=(2.6, 1)) as (figure, (left, right)):
        _scores(left, bars)
        _rates(right, bars)
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=len(bars), frameon=False)


def _scores(axes: Any, bars: Sequence[Bar]) -> None:
    sets = list(bars[0].f1)
    width = 0.8 / len(bars)
    for place, bar in enumerate(bars):
        at = [number + (place - (len(bars) - 1) / 2) * width for number in range(len(sets))]
        axes.bar(at, [bar.f1[name] for name in sets], width * 0.92, color=COLOURS[place], label=bar.name)
    axes.set_xticks(range(len(sets)), sets)
    axes.set_ylim(0, 1)
    axes.set_title("BCubed F1", loc="left", fontsize=11)
    clean(axes, "y")


def _rates(axes: Any, bars: Sequence[Bar]) -> None:
    for place, bar in enumerate(bars):
        axes.barh(place, bar.rate, 0.7, color=COLOURS[place])
        axes.annotate(f"{bar.rate:,.0f}", (bar.rate, place), (4, 0), textcoords="offset points", va="center")
    axes.set_xscale("log")
    axes.set_xlim(1, max(bar.rate for bar in bars) * 5)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_yticks([])
    axes.invert_yaxis()
    axes.set_title("articles a second", loc="left", fontsize=11)
    clean(axes, "x")
