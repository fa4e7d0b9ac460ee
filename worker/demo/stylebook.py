"""The newsroom's stylebooks (`lines/*.txt`): kinds of event, the facts of each, and many wordings of every aspect.

    # storm                            a kind of event; `# common` holds what every kind of the language may use
    name: Agatha | Bruno               a fact, drawn from a list
    homes: 1200..48000/100             a number, in steps
    place: $town                       an invented name
    @lead                              an aspect; each line below it is one wording of it
    Storm {name} [hit|struck] {place}  facts in braces, alternatives in brackets

Invariant: a book is read once and never changes; every fact that a line names exists in its kind or in `common`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from random import Random
from typing import NamedTuple

from worker.demo import names
from worker.demo.names import Person


class Fact(NamedTuple):
    """A place in a line that a fact of the event fills."""

    name: str


class Choice(NamedTuple):
    """A place in a line where one of several wordings stands."""

    options: tuple["Line", ...]


Line = tuple[str | Fact | Choice, ...]


@dataclass(frozen=True)
class Source:
    """What a fact is drawn from: an invented name, a range of numbers, or a list of phrases."""

    name: str = ""
    numbers: range = range(0)
    phrases: tuple[str, ...] = ()

    def draw(self, random: Random) -> str | Person:
        """One value; numbers from 1,000 have their thousands set off."""
        if self.phrases:
            return self.phrases[int(random.random() * len(self.phrases))]
        if self.numbers:
            return f"{self.numbers[int(random.random() * len(self.numbers))]:,}"
        return names.KINDS[self.name](random)


@dataclass(frozen=True)
class Kind:
    """A kind of event: what its facts are drawn from, and the wordings of its aspects in the order of telling."""

    name: str
    facts: Mapping[str, Source]
    aspects: Mapping[str, tuple[Line, ...]]

    @property
    def numbers(self) -> tuple[str, ...]:
        """The facts that are numbers: what a correction corrects."""
        return tuple(name for name, source in self.facts.items() if source.numbers)


@dataclass(frozen=True)
class Stylebook:
    """All kinds of one language, and what they share."""

    lang: str
    kinds: tuple[Kind, ...]
    common: Kind
    recurring: tuple[Kind, ...]
    synonyms: Mapping[str, tuple[str, ...]]
    own: tuple[tuple[str, Source], ...]
    """The facts of `common` that every report finds for itself."""


Facts = dict[str, str | Person]


def fill(line: Line, facts: Facts, random: Random) -> str:
    """The line with facts and alternatives put in; a person is named in full once: `facts` is changed to say so."""
    out: list[str] = []
    _fill(line, facts, random, out)
    text = "".join(out)
    return text[:1].upper() + text[1:]


def _fill(line: Line, facts: Facts, random: Random, out: list[str]) -> None:
    for part in line:
        if isinstance(part, str):
            out.append(part)
        elif isinstance(part, Fact):
            value = facts[part.name]
            if isinstance(value, Person):
                facts[part.name] = value.last
                value = value.full
            out.append(value)
        else:
            options = part.options
            _fill(options[int(random.random() * len(options))], facts, random, out)


_PART = re.compile(r"\{(\w+)\}|\[([^\[\]]*)\]")


def parse_line(text: str) -> Line:
    """A line of a stylebook as its parts; alternatives may hold facts, not further alternatives."""
    parts: list[str | Fact | Choice] = []
    end = 0
    for match in _PART.finditer(text):
        parts.append(text[end : match.start()])
        end = match.end()
        if match[1]:
            parts.append(Fact(match[1]))
        else:
            parts.append(Choice(tuple(parse_line(option) for option in match[2].split("|"))))
    return tuple(part for part in (*parts, text[end:]) if part != "")


def _parse_source(text: str) -> Source:
    if text.startswith("$"):
        return Source(name=text[1:])
    numbers = re.fullmatch(r"(\d+)\.\.(\d+)(?:/(\d+))?", text)
    if numbers:
        return Source(numbers=range(int(numbers[1]), int(numbers[2]) + 1, int(numbers[3] or 1)))
    return Source(phrases=tuple(phrase.strip() for phrase in text.split("|")))


def parse_kind(block: str) -> Kind:
    """A kind from its block of lines, the first of which is its name."""
    name, *rows = (row.strip() for row in block.strip().splitlines())
    facts: dict[str, Source] = {}
    aspects: dict[str, list[Line]] = {}
    lines: list[Line] | None = None
    for row in filter(None, rows):
        if row.startswith("@"):
            lines = aspects.setdefault(row[1:], [])
        elif lines is None:
            fact, _, source = row.partition(":")
            facts[fact] = _parse_source(source.strip())
        else:
            lines.append(parse_line(row))
    return Kind(name, facts, {aspect: tuple(lines) for aspect, lines in aspects.items()})


@cache
def load(lang: str) -> Stylebook:
    """The stylebook of a language: its files are `lines/LANG*.txt`."""
    folder = resources.files(__package__) / "lines"
    files = sorted((f for f in folder.iterdir() if f.name.startswith(lang)), key=lambda f: f.name)
    text = "\n".join(f.read_text(encoding="utf-8") for f in files)
    kinds = [parse_kind(block) for block in re.split(r"^# ", text, flags=re.MULTILINE) if block.strip()]
    named = {kind.name: kind for kind in kinds}
    synonyms = {word: source.phrases for word, source in named["synonyms"].facts.items()}
    recurring = tuple(kind for kind in kinds if "recurring" in kind.facts)
    other = {"common", "synonyms", *(kind.name for kind in recurring)}
    events = tuple(kind for kind in kinds if kind.name not in other)
    own = tuple(item for item in named["common"].facts.items() if item[0].startswith("own_"))
    return Stylebook(lang, events, named["common"], recurring, synonyms, own)
