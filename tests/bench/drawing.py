"""What all pictures of the benchmarks share: how they look, and that the same figures draw the same bytes.

Invariant: text stays text, and nothing in the file tells when it was drawn.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

COLOURS = ("#1a6fb5", "#b8c4cf", "#e0a35c", "#8fb58a", "#a678b0", "#c4626a", "#5aa5a0")
_INK, _GRID = "#24292f", "#e3e7eb"


@contextmanager
def drawing(path: Path, columns: int, **layout: Any) -> Iterator[tuple[Any, Any]]:
    """A figure and its axes, side by side, that is written as SVG after the block."""
    mpl: Any = import_module("matplotlib")
    mpl.use("svg")
    plt: Any = import_module("matplotlib.pyplot")
    style = {
        "svg.fonttype": "none", "svg.hashsalt": "storywire", "font.family": "sans-serif", "font.size": 10,
        "font.sans-serif": ["Helvetica", "Arial", "DejaVu Sans"], "text.color": _INK, "axes.labelcolor": _INK,
        "xtick.color": _INK, "ytick.color": _INK,
    }  # fmt: skip
    with mpl.rc_context(style):
        figure, axes = plt.subplots(1, columns, layout="constrained", **layout)
        yield figure, axes
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="svg", facecolor="white", metadata={"Date": None})
        plt.close(figure)


def clean(axes: Any, grid: str) -> None:
    """No frame; a faint grid behind what is drawn."""
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, which="both")
    axes.grid(axis=grid, color=_GRID)
    axes.set_axisbelow(True)
