"""An editor's corrections as test cases: which pairs of articles belong together, and what a run says of them.

Invariant: pure. A case names its articles by id, so it can be run on any file that has them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice, product
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from worker.errors import BadInput
from worker.model import Correction, Member, parse_story_id, story_id
from worker.report.views import rfc3339

T = TypeVar("T")

MOST_PAIRS = 64
"""Cases that one correction makes: two large stories would make thousands of them, and outweigh all others."""


class Named(Struct, frozen=True):
    """An article of a case; title and address are empty where the store does not have it any more."""

    id: str
    title: str = ""
    url: str = ""


class Case(Struct, frozen=True):
    """Two articles, whether an editor put them in one story, when (RFC 3339), by which command, and its name."""

    a: Named
    b: Named
    together: bool
    when: str = ""
    command: str = ""
    correction: str = ""


@dataclass
class Verdict:
    """How a run decided: counts by what the editor said, the cases that it decided otherwise, and those that lack an
    article in it."""

    right: Counter[bool] = field(default_factory=Counter)
    asked: Counter[bool] = field(default_factory=Counter)
    wrong: list[Case] = field(default_factory=list)
    missing: int = 0


_case = msgspec.json.Decoder(Case).decode


def cases(lang: str, correction: Correction, members: Mapping[str, Member]) -> list[Case]:
    """The cases of a correction, at most MOST_PAIRS; members: article id -> member, of those that are still there."""
    said = {"when": rfc3339(correction.made), "correction": f"{lang}.{correction.number}"}
    command = described(lang, correction)
    pairs = islice(product(correction.one, correction.other), MOST_PAIRS)
    return [
        Case(_named(a, members), _named(b, members), correction.kind != "split", command=command, **said)
        for a, b in pairs
    ]


def described(lang: str, correction: Correction) -> str:
    """The correction as a command: `storywire story pin bbc.1 en-7`."""
    stories = [story_id(lang, number) for number in correction.stories]
    names = {
        "split": [*stories[:1], *correction.one],
        "merge": stories,
        "pin": [*correction.one, *stories],
    }
    return " ".join(["storywire story", correction.kind, *names[correction.kind]])


def correction_record(lang: str, correction: Correction) -> dict[str, Any]:
    """What `story corrections --json` prints of one."""
    return {
        "correction": f"{lang}.{correction.number}",
        "kind": correction.kind,
        "when": rfc3339(correction.made),
        "stories": [story_id(lang, number) for number in correction.stories],
        "articles": list(correction.one),
        "others": list(correction.other),
        "until": rfc3339(correction.until) if correction.until else None,
    }


class _Record(Struct):
    """What is read of a line of `story corrections --json`."""

    correction: str
    kind: Literal["split", "merge", "pin"]
    when: datetime
    stories: list[str]
    articles: Annotated[list[str], Meta(min_length=1, max_length=64)]
    others: Annotated[list[str], Meta(max_length=64)]


_record = msgspec.json.Decoder(_Record).decode


def parse_corrections(lines: Iterable[bytes], name: str) -> Iterator[tuple[str, Correction]]:
    """(language, correction without its number and commit) of lines of `story corrections --json`; raises BadInput at
    the first that is none."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            record = _read(_record, line, f"{name}:{number}: is no correction of `storywire story corrections --json`")
            lang = record.correction.rpartition(".")[0]
            stories = tuple(parsed[1] for story in record.stories if (parsed := parse_story_id(story)))
            if not lang.isalnum() or not (record.others or record.kind == "pin"):
                raise BadInput(f"{name}:{number}: names no language or no other article, so it says nothing")
            made = record.when.replace(tzinfo=record.when.tzinfo or UTC).timestamp()
            one, other = tuple(record.articles), tuple(record.others)
            yield lang, Correction(0, record.kind, made, 0, stories, one, other)


def parse_cases(lines: Iterable[bytes], name: str) -> Iterator[Case]:
    """The cases of a file's lines; `name` is what an error calls it. Raises BadInput at the first that is none."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _read(_case, line, f"{name}:{number}: is no case of `storywire story export`")


def judge(asked: Iterable[Case], assignments: Mapping[str, str]) -> Verdict:
    """How many cases a run decides as the editor did; assignments: article id -> story id."""
    verdict = Verdict()
    for case in asked:
        a, b = assignments.get(case.a.id), assignments.get(case.b.id)
        if a is None or b is None:
            verdict.missing += 1
            continue
        verdict.asked[case.together] += 1
        if (a == b) == case.together:
            verdict.right[case.together] += 1
        else:
            verdict.wrong.append(case)
    return verdict


def _read(decode: Callable[[bytes], T], line: bytes, otherwise: str) -> T:
    try:
        return decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"{otherwise} ({error})") from None


def _named(article_id: str, members: Mapping[str, Member]) -> Named:
    member = members.get(article_id)
    return Named(article_id, member.title, member.url) if member else Named(article_id)
