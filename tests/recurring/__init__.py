"""Recurring reports with their truth: series such as a market close, whose editions share all words but the news.

Invariant: what comes out is a pure function of the arguments, in order of time; every edition is told by two outlets or
more. `series.txt` has the series, in the language of worker/demo/stylebook.py: `times`, the hours of a day (or
`at_once`, how many at the same hour), `spacing_days`, `facts`, and the lines of up to three voices; the first one's are
the agency's, which others copy and rewrite, the others' are in words of their own.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from msgspec import Struct

from worker.demo.names import surname
from worker.demo.newsroom import DAY_S, START_S
from worker.demo.stylebook import Facts, Line, Source, fill, parse_kind, parse_line

HOUR_S = 3600.0
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PAPERS = (
    "Herald Courier Tribune Examiner Mercury Sentinel Chronicle Argus Bugle Observer Beacon Recorder Dispatch "
    "Standard Bulletin Monitor"
).split()
_COLOUR = (
    "More than {0} readers asked us about this in the past {1} hours.",
    "Our reporter {2} has followed the matter for {1} years.",
    "In a poll of {0} people, {1} percent said that they check these figures every day.",
    "{2} wrote this report with help from {3} colleagues.",
)
_BOILERPLATE = (
    "Sign up for the newsletter of the {0} and get the most important news in your inbox. You can leave at any time.",
    "The {0} has been independent since its first issue. Support our journalism with a subscription.",
    "Read more in the {0} app, where you can choose the topics that you want to be told about.",
)
_AGENCY_LINES = ("(Lantern Wire)", "Reporting by Lantern Wire", "Lantern - all rights reserved")


class Edition(Struct, frozen=True, kw_only=True):
    """One outlet's report of one edition; `story` is the truth: the series and the edition."""

    id: str
    series: str
    story: str
    outlet: str
    title: str
    text: str
    time: float


@dataclass(frozen=True)
class Voice:
    """How an outlet tells every edition of a series."""

    title: Line
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Series:
    """A recurring report: when it appears, what is drawn anew each time, and who tells it."""

    name: str
    hours: tuple[float, ...]
    at_once: int
    spacing_days: int
    facts: dict[str, Source]
    voices: tuple[Voice, ...]

    def times(self, editions: int) -> Iterator[tuple[float, int]]:
        """(when, the day's number) of so many editions."""
        slots = self.hours if self.at_once == 1 else [self.hours[0] + i / 7 for i in range(self.at_once)]
        for number in range(editions):
            day = number // len(slots) * self.spacing_days
            yield START_S + day * DAY_S + slots[number % len(slots)] * HOUR_S, day


@cache
def all_series(name: str = "series") -> tuple[Series, ...]:
    """Every series of a file, in its order."""
    text = Path(__file__).with_name(f"{name}.txt").read_text(encoding="utf-8")
    return tuple(_series(block) for block in re.split(r"^# ", text, flags=re.MULTILINE) if block.strip())


def _series(block: str) -> Series:
    name, *rows = (row.strip() for row in block.strip().splitlines())
    head, facts = {}, []
    lines: dict[str, list[Line]] = {}
    for row in rows:
        key, _, value = row.partition(":")
        if key.split()[0] in ("wire", "own", "third"):
            lines.setdefault(key, []).append(parse_line(value.strip()))
        elif key in ("times", "at_once", "spacing_days"):
            head[key] = value
        elif key != "facts":
            facts.append(row)
    return Series(
        name=name,
        hours=tuple(map(float, head["times"].split())),
        at_once=int(head.get("at_once", 1)),
        spacing_days=int(head.get("spacing_days", 1)),
        facts=dict(parse_kind("\n".join([name, *facts])).facts),
        voices=tuple(Voice(lines[f"{v} title"][0], tuple(lines[v])) for v in ("wire", "own", "third") if v in lines),
    )


def editions(seed: int, each: int = 14, series: Sequence[Series] | None = None) -> list[Edition]:
    """`each` editions of every series, by two to five outlets each, in order of time."""
    random = Random(seed)
    found = [edition for one in series or all_series() for edition in _told(one, each, random)]
    return sorted(found, key=lambda edition: (edition.time, edition.id))


def _told(series: Series, each: int, random: Random) -> Iterator[Edition]:
    papers = random.sample(_PAPERS, 5)
    manners = ["wire", "copy", "rewrite", *["own"] * (5 - 3)][: 3 + len(series.voices[1:])]
    for number, (time_s, day) in enumerate(series.times(each)):
        facts = _drawn(series, number, time_s, day, random)
        present = [place for place in range(len(manners)) if random.random() < (0.9, 0.5, 0.4, 0.9, 0.7)[place]]
        while len(present) < 2:
            present = sorted({*present, random.choice([0, 3]), random.randrange(len(manners))})
        wire = _written(series.voices[0], facts, random)
        for place in present:
            title, sentences = _manner(manners[place], place, series, wire, facts, random)
            boilerplate = [_BOILERPLATE[place % 3].format(papers[place])] if place % 2 else []
            yield Edition(
                id=f"{series.name}-{number}-{papers[place].lower()}",
                series=series.name,
                story=f"{series.name}-{number}",
                outlet=f"The {papers[place]}",
                title=title,
                text="\n\n".join([*sentences, *boilerplate]),
                time=round(time_s + _delay_s(manners[place], random), 3),
            )


def _drawn(series: Series, number: int, time_s: float, day: int, random: Random) -> Facts:
    facts: Facts = {name: source.draw(random) for name, source in series.facts.items()}
    weekday = int(time_s // DAY_S + 3) % 7
    facts |= {"weekday": _WEEKDAYS[weekday], "yesterday": _WEEKDAYS[weekday - 1], "number": str(number + 3)}
    return facts | {"date": f"{5 + day} January" if 5 + day <= 31 else f"{5 + day - 31} February"}


def _written(voice: Voice, facts: Facts, random: Random) -> tuple[str, list[str]]:
    known = {name: getattr(value, "full", value) for name, value in facts.items()}
    title, told = fill(voice.title, dict(known), random), dict(facts)
    return title, [fill(line, told, random) for line in voice.lines]


def _own(voice: Voice, facts: Facts, random: Random) -> tuple[str, list[str]]:
    """In words of its own: not all that there is to tell, and something that nobody else has."""
    title, (lead, *rest) = _written(voice, facts, random)
    rest = [sentence for sentence in rest if random.random() < 0.7]
    colour = random.choice(_COLOUR).format(
        random.randrange(60, 990), random.randrange(2, 40), surname(random), random.randrange(2, 9)
    )
    return title, [lead, *rest, *([colour] if random.random() < 0.5 else [])]


def _manner(
    manner: str, place: int, series: Series, wire: tuple[str, list[str]], facts: Facts, random: Random
) -> tuple[str, list[str]]:
    """The title and the sentences of an outlet: the agency's, copied, lightly rewritten, or its own."""
    title, sentences = wire
    if manner == "wire":
        return title, sentences
    if manner == "own":
        return _own(series.voices[min(place - 2, len(series.voices) - 1)], facts, random)
    if manner == "copy":
        return f"{series.name.replace('-', ' ').title()}: {facts['weekday']}", [
            *sentences,
            random.choice(_AGENCY_LINES),
        ]
    lead, *rest = sentences
    if len(rest) > 2:
        del rest[random.randrange(len(rest))]
    random.shuffle(rest)
    return f"{title} - {facts['weekday']}", [*(_reworded(s, random) for s in (lead, *rest)), "Agencies contributed."]


def _reworded(sentence: str, random: Random) -> str:
    """The sentence with one in eight of its longer common words replaced; names and figures stay."""
    words = sentence.split(" ")
    for place, word in enumerate(words):
        if word.isalpha() and word.islower() and len(word) > 4 and random.random() < 0.125:
            words[place] = random.choice(("reportedly", "mostly", "overall", "latest", "current", "expected"))
    return " ".join(words)


def _delay_s(manner: str, random: Random) -> float:
    """Seconds after the edition's hour: a copy within minutes, own words some time before or after, some next day."""
    if manner == "wire":
        return random.uniform(0, 900)
    if random.random() < 0.08:
        return random.uniform(10, 15) * HOUR_S
    return random.uniform(600, 5400) if manner in ("copy", "rewrite") else random.uniform(-1800, 3 * HOUR_S)
