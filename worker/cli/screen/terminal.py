"""Standard output as it is: a terminal of some width, or a pipe or a file.

Invariant: colour and cut lines only on a terminal; a closed pipe or Ctrl-C ends a command quietly, with status 0.
"""

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from worker.report.harmless import cut
from worker.report.words import ASCII_BLOCKS, BLOCKS

_TERMINAL_CONTROL = re.compile(
    r"[\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


Part = str | tuple[str, str]
"""A piece of a line: a text, or a text with its style."""


def fit(parts: Iterable[Part], cells: int) -> list[Part]:
    """The parts in at most so many cells, the last of them cut."""
    fitted: list[Part] = []
    for part in parts:
        text, style = (part, "") if isinstance(part, str) else part
        text = cut(text, cells)
        cells -= cell_len(text)
        fitted.append((text, style))
    return fitted


def wrapped(text: str, cells: int) -> list[str]:
    """The text in lines of at most so many cells, parted between words; a longer word has a line of its own."""
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and cell_len(lines[-1]) + 1 + cell_len(word) > cells:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return lines


class Screen(Console):
    """A rich console that never interprets what it is given, and lets a closed pipe be."""

    def __init__(self, **options: Any) -> None:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="replace")
        super().__init__(markup=False, emoji=False, highlight=False, soft_wrap=True, **options)

    @property
    def blocks(self) -> str:
        """The eight heights of a sparkline, in characters that the output's encoding has."""
        try:
            BLOCKS.encode(self.encoding)
        except (UnicodeEncodeError, LookupError):
            return ASCII_BLOCKS
        return BLOCKS

    def say(self, *parts: Part) -> None:
        """Print one line of parts, each a text or a text with its style."""
        self.print(Text.assemble(*parts))

    def on_broken_pipe(self) -> NoReturn:
        """Let `ended_quietly` see it."""
        raise BrokenPipeError


@contextmanager
def ended_quietly() -> Iterator[None]:
    """Ctrl-C, and a reader that has gone away (`| head`), are ordinary ends of a command that prints."""
    try:
        yield
        sys.stdout.flush()
    except KeyboardInterrupt:
        pass
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_json(record: dict[str, Any]) -> None:
    """One object on one line, at once; what a terminal might act on is escaped, and so is what it cannot encode."""
    text = json.dumps(record, ensure_ascii=not _is_unicode(sys.stdout.encoding))
    sys.stdout.write(_TERMINAL_CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text) + "\n")
    sys.stdout.flush()


def _is_unicode(encoding: str | None) -> bool:
    return (encoding or "").lower().replace("-", "").startswith("utf")
