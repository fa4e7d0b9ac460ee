"""News in many languages, written for tests: invented events, each told by two or three outlets in words of its own.

A file a language. A block begins with `@ STORY.NUMBER DAYTHH:MM OUTLET`, then the headline, then the text. `=copy`
behind the number: the text of that report under another headline; `~rewrite`: that report with words replaced. Days
are of March 2026; all stories of a language fall into the same three days, so that time does not tell them apart.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

from worker.model import Relation

_HEAD = re.compile(
    r"@ (?P<story>[^.]+)\.(?P<number>\d)(?P<kind>=copy|~rewrite)? (?P<time>\d\dT\d\d:\d\d) (?P<outlet>.+)"
)
_KINDS = {"=copy": Relation.COPY, "~rewrite": Relation.REWRITE, None: Relation.REPORT}

LANGUAGES = tuple(sorted(path.stem for path in Path(__file__).parent.glob("*.txt")))


class Report(NamedTuple):
    """An article with its truth: the story it tells, and what it is to the report `of` (an id; empty for its own)."""

    id: str
    story: str
    title: str
    text: str
    time: float
    outlet: str
    relation: Relation
    of: str

    @property
    def published(self) -> str:
        """The time as RFC 3339 has it."""
        return datetime.fromtimestamp(self.time, UTC).isoformat()


@cache
def reports(lang: str) -> tuple[Report, ...]:
    """All reports of a language, in order of time. Raises ValueError for a block that is none."""
    return tuple(sorted(_reports(lang), key=lambda report: report.time))


def _reports(lang: str) -> Iterator[Report]:
    texts: dict[str, str] = {}
    for block in re.split(r"(?m)^(?=@ )", Path(__file__).with_name(f"{lang}.txt").read_text(encoding="utf-8")):
        if not block.strip():
            continue
        head, title, *lines = block.strip().split("\n")
        match = _HEAD.fullmatch(head)
        if not match:
            raise ValueError(f"{lang}.txt: no head of a report: {head!r}")
        original = f"{match['story']}.{match['number']}"
        ident = original + (match["kind"] or "")
        text = texts[original] if match["kind"] == "=copy" else "\n".join(lines)
        texts.setdefault(original, text)
        time = datetime.fromisoformat(f"2026-03-{match['time']}:00").replace(tzinfo=UTC).timestamp()
        of = original if match["kind"] else ""
        yield Report(ident, match["story"], title, text, time, match["outlet"], _KINDS[match["kind"]], of)
