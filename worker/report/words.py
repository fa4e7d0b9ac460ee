"""Numbers and spans of time as a person reads them.

Invariant: pure; nothing here depends on the terminal.
"""

from collections.abc import Sequence
from datetime import datetime

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII_BLOCKS = "_.-=+*#@"

_HALF_A_DAY_S = 43_200.0
_A_YEAR_S = 300 * 86_400.0
"""Near enough to a year that a day and a month could be taken for those of another one."""


def span(seconds: float) -> str:
    """`90 s`, `3 min`, `24 h`, `2 d`, `3 y`: the largest unit of which there are at least two."""
    for unit, unit_s in (("y", 365.25 * 86400), ("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * unit_s:
            return f"{int(seconds / unit_s)} {unit}"
    return f"{max(0, int(seconds))} s"


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 story`, `2 stories`, `1,234 articles`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def sparkline(counts: Sequence[int], blocks: str = BLOCKS) -> str:
    """One block for each count, as high as its share of the largest; a blank where there is nothing."""
    top = max(counts, default=0)
    return "".join(blocks[-(-n * len(blocks) // top) - 1] if n else " " for n in counts)


def fraction(number: float) -> str:
    """`.81`, `1.00`: two places, no leading zero."""
    text = f"{number:.2f}"
    return text.removeprefix("0") if number >= 0 else "-" + text[1:].removeprefix("0")


def local_time(time: float, now: float, near: str = "%H:%M", far: str = "%d %b %H:%M") -> str:
    """The local time of day; with the day where that is half a day or more away; of another year the date alone."""
    away_s = abs(now - time)
    return _local(time, near if away_s < _HALF_A_DAY_S else far if away_s < _A_YEAR_S else "%Y-%m-%d")


def full_time(time: float) -> str:
    """The local date and time."""
    return _local(time, "%Y-%m-%d %H:%M")


def _local(time: float, form: str) -> str:
    try:
        return datetime.fromtimestamp(time).astimezone().strftime(form)
    except (OverflowError, ValueError, OSError):
        return "no date"


def size(number: int) -> str:
    """`812 B`, `12 kB`, `3.4 MB`."""
    if number < 1_000:
        return f"{number} B"
    return f"{number / 1_000:.0f} kB" if number < 1_000_000 else f"{number / 1e6:.1f} MB"
