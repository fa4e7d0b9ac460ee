"""Files of articles, one JSON object a line, read in the order in which their articles were published.

Invariant: a file is read twice, first for the order, then for the articles, so that memory grows by some 100 bytes a
line and not with the texts. What cannot be read so, a stream or a gzipped one, is read where spool.py keeps it.
"""

import os
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from worker.errors import BadInput
from worker.feed.lines import BadLine, Line, parse_line, sample_of
from worker.spool import Kept, name_of
from worker.text import common_language

_MAX_LINE = 16 << 20
_TOO_LONG = "longer than 16 MB: an article's text is cut at 200,000 characters"
_CHUNK = 1 << 20

_SAMPLE_LINES = 200
_SAMPLE_CHARACTERS = 250
"""So much is kept of each of the first lines of a file that state no language, to tell the file's."""


Arrival = Callable[[float | None], float]
"""When an article counts as arrived whose file states this time, or none."""


@dataclass
class Index:
    """Where the good lines are, in order of time, then of the files; `bad`: (file, line number, reason).

    `samples`: for each file, what some of the lines say that state no language; `kept`: what is read in place of some.
    """

    paths: Sequence[Path]
    lines: list[tuple[float, int, int]] = field(default_factory=list)
    bad: list[tuple[Path, int, str]] = field(default_factory=list)
    samples: dict[int, list[str]] = field(default_factory=dict)
    kept: Mapping[Path, Kept] = field(default_factory=dict)

    def read(self) -> Iterator[Line]:
        """The lines, in order. Raises BadInput where a file has gone, or has changed since."""
        around = [common_language(self.samples.get(which, ())) for which in range(len(self.paths))]
        with ExitStack() as open_files:
            each = {path: open_files.enter_context(_open(path, self.kept)[0]) for path in dict.fromkeys(self.paths)}
            files = [each[path] for path in self.paths]
            for _, which, offset in self.lines:
                files[which].seek(offset)
                line = parse_line(files[which].readline(_MAX_LINE))
                if isinstance(line, BadLine):
                    raise BadInput(f"{name_of(self.paths[which])}: changed while it was read; run the command again")
                yield replace(line, around=around[which])


def index(paths: Sequence[Path], arrival: Arrival, kept: Mapping[Path, Kept] | None = None) -> Index:
    """Look through the files. kept: what is read in place of others (spool.py).

    Raises BadInput for a file that cannot be read. A line that is none, or repeats an id, is counted as bad; of an
    archive's lines of one article, which a crash may leave twice, the last one counts.
    """
    found, known = Index(paths, kept=kept or {}), dict[str, int]()
    for which in range(len(paths)):
        _look_through(found, known, which, arrival)
    found.lines.sort(key=lambda line: line[0])
    return found


def _look_through(found: Index, known: dict[str, int], which: int, arrival: Arrival) -> None:
    path = found.paths[which]
    with ExitStack() as closing:
        file, damage = _open(path, found.kept)
        closing.enter_context(file)
        number, offset = 0, _after_mark(file)
        while raw := file.readline(_MAX_LINE):
            number += 1
            if len(raw) == _MAX_LINE and not raw.endswith(b"\n"):
                found.bad.append((path, number, _TOO_LONG))
                offset += len(raw) + _rest_of_line(file)
                continue
            if raw.strip():
                _note(found, known, (which, number, offset), raw, arrival)
            offset += len(raw)
        if damage:
            found.bad.append((path, number + 1, damage))


def _rest_of_line(file: BinaryIO) -> int:
    """Skip what is left of a line, which is never taken for a line of its own; its length."""
    skipped = 0
    while raw := file.readline(_CHUNK):
        skipped += len(raw)
        if raw.endswith(b"\n"):
            break
    return skipped


def _after_mark(file: BinaryIO) -> int:
    """Where the first line begins: after the byte order mark that editors of some systems write."""
    return file.seek(len(BOM_UTF8) if file.read(len(BOM_UTF8)) == BOM_UTF8 else 0)


def _note(
    found: Index,
    known: dict[str, int],
    place: tuple[int, int, int],
    raw: bytes,
    arrival: Arrival,
) -> None:
    which, number, offset = place
    line = parse_line(raw)
    if isinstance(line, BadLine):
        found.bad.append((found.paths[which], number, line.reason))
        return
    noted = (line.archived.received if line.archived else arrival(line.published), which, offset)
    if line.id not in known:
        known[line.id] = len(found.lines)
        found.lines.append(noted)
        samples = found.samples.setdefault(which, [])
        if len(samples) < _SAMPLE_LINES and (sample := sample_of(line, _SAMPLE_CHARACTERS)):
            samples.append(sample)
    elif line.archived:
        found.lines[known[line.id]] = noted
    else:
        found.bad.append((found.paths[which], number, f"repeats the id {line.id!r}"))


def _open(path: Path, kept: Mapping[Path, Kept]) -> tuple[BinaryIO, str]:
    """The file, and what is wrong with its end, in words; "" where nothing is."""
    try:
        if path not in kept:
            return path.open("rb"), ""
        file = os.fdopen(os.dup(kept[path].file.fileno()), "rb")
        file.seek(0)
        return file, kept[path].damage
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}; name a readable file of one JSON object a line") from None
