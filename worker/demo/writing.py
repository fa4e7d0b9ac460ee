"""How a story becomes articles: reports in words of their own, copies, light rewrites, follow-ups, corrections.

Invariant: the n-th report of a story uses other lines than the ones before it, as long as the stylebook has any left.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from worker.demo.names import Person
from worker.demo.outlets import Outlet
from worker.demo.stylebook import Facts, Kind, Line, Stylebook, fill

_WEEKDAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
    "de": ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
}
_TOLD_APART = {"headline", "lead", "quote", "follow", "followhead"}
_COMMON = ("scene", "reaction", "quoteline", "context", "next")
"""Aspects that every report may tell, of facts that all reports of the event share."""
_OWN = ("voices", "expert", "trade", "calls", "memory")
"""Aspects of facts that a report found for itself: those named `own_...`."""


@dataclass(frozen=True)
class Draft:
    """A headline and the sentences under it; `aspects` (one a sentence) and `facts` are what it was written from."""

    title: str
    sentences: tuple[str, ...]
    aspects: tuple[str, ...] = ()
    facts: Facts = field(default_factory=dict)


@dataclass
class Happening:
    """Something that happened: its kind, its facts, and which wordings were used up."""

    kind: Kind
    book: Stylebook
    facts: Facts
    seed: int
    reports: int = 0
    follow_ups: int = 0
    offsets: dict[str, int] = field(default_factory=dict)

    def line(self, aspect: str, nth: int) -> Line:
        """The n-th wording of an aspect, counted from one that is this happening's own."""
        lines = self.kind.aspects.get(aspect) or self.book.common.aspects[aspect]
        return lines[(self.offsets[aspect] + nth) % len(lines)]


def happen(kind: Kind, book: Stylebook, weekday: int, random: Random) -> Happening:
    """Draw the facts of an event. `weekday`: 0 is Monday."""
    facts: Facts = {name: source.draw(random) for name, source in book.common.facts.items()}
    facts.update({name: source.draw(random) for name, source in kind.facts.items()})
    facts["day"] = _WEEKDAYS[book.lang][weekday]
    offsets = {aspect: int(random.random() * 997) for aspect in (*book.common.aspects, *kind.aspects)}
    happening = Happening(kind, book, facts, int(random.random() * 2**40), offsets=offsets)
    if "quote" in kind.aspects:
        facts["quote"] = fill(happening.line("quote", 0), facts, random)
    return happening


def report(happening: Happening, outlet: Outlet, nth: int, *, facts: Facts | None = None) -> Draft:
    """The n-th independent report; the same arguments give the same words, with `facts` other figures."""
    random = Random(happening.seed + nth)
    known = _with_own(happening, facts or happening.facts, random)
    body = [aspect for aspect in happening.kind.aspects if aspect not in _TOLD_APART]
    if nth % 2 and len(body) > 1:
        body[-1], body[-2] = body[-2], body[-1]
    extra = [*_COMMON, *(aspect for aspect in _OWN if aspect in happening.book.common.aspects)]
    random.shuffle(extra)
    body += extra[: max(1, outlet.length + int(random.random() * 3) - 1 - len(body))]
    title = headline(happening, outlet, happening.line("headline", nth), random, facts=facts)
    return _told(happening, title, [("lead", nth), *((aspect, nth) for aspect in body)], known, random)


def _told(happening: Happening, title: str, plan: Sequence[tuple[str, int]], facts: Facts, random: Random) -> Draft:
    known = dict(facts)
    sentences = tuple(fill(happening.line(aspect, nth), known, random) for aspect, nth in plan)
    return Draft(title, sentences, tuple(aspect for aspect, _ in plan), facts)


def _with_own(happening: Happening, facts: Facts, random: Random) -> Facts:
    """A copy of the facts, with those that every report finds for itself drawn anew."""
    known = dict(facts)
    for name, source in happening.book.own:
        known[name] = source.draw(random)
    return known


def follow_up(happening: Happening, outlet: Outlet, nth: int, recap: int) -> Draft:
    """What became known later, with the `recap`-th wording of what had happened."""
    random = Random(happening.seed - 1 - nth)
    known = _with_own(happening, happening.facts, random)
    aspects = [aspect for aspect in happening.kind.aspects if aspect not in _TOLD_APART]
    random.shuffle(aspects)
    title = headline(happening, outlet, happening.line("followhead", nth), random)
    more = ("lead", *aspects[:2], "next", "voices", "expert", "context", "calls")
    plan = [("follow", nth), ("update", nth), *((aspect, recap) for aspect in more)]
    return _told(happening, title, plan, known, random)


def headline(happening: Happening, outlet: Outlet, line: Line, random: Random, *, facts: Facts | None = None) -> str:
    """A headline of this wording, in the outlet's style; people by their surnames."""
    known: Facts = {k: v.last if isinstance(v, Person) else v for k, v in (facts or happening.facts).items()}
    text = fill(line, known, random)
    if outlet.headline == "capitals":
        return " ".join(word[:1].upper() + word[1:] if len(word) > 3 else word for word in text.split())
    if outlet.headline == "shout":
        first, _, rest = text.partition(" ")
        second, _, rest = rest.partition(" ")
        return f"{first.upper()} {second.upper()} {rest}".rstrip() + "!"
    if outlet.headline == "place" and "place" in happening.facts and str(known["place"]) not in text:
        return f"{known['place']}: {text}"
    return text


def copy(original: Draft, happening: Happening, outlet: Outlet, random: Random) -> Draft:
    """The same text: under another headline, perhaps with an agency line, perhaps cut at the end."""
    sentences = list(original.sentences)
    if random.random() < 0.35 and len(sentences) > 6:
        del sentences[-max(1, int(len(sentences) * 0.3 * random.random())) :]
    mark = _any(happening, "agency", random)
    if random.random() < 0.4:
        sentences[0] = f"{mark} - {sentences[0]}" if mark.startswith("(") else f"{sentences[0]} {mark}"
    elif random.random() < 0.6:
        sentences.append(mark)
    title = original.title
    if random.random() < 0.6:
        title = headline(happening, outlet, happening.line("headline", int(random.random() * 997)), random)
    return Draft(title, tuple(sentences))


def rewrite(original: Draft, happening: Happening, outlet: Outlet, random: Random) -> Draft:
    """Lightly reworded: one sentence in four put otherwise, words replaced, sentences moved, the source named."""
    lead, *rest = (
        _reworded(sentence, aspect, original.facts, happening, random)
        for sentence, aspect in zip(original.sentences, original.aspects, strict=True)
    )
    if len(rest) > 5:
        del rest[int(random.random() * len(rest))]
    for place in range(len(rest) - 1):
        if random.random() < 0.35:
            rest[place], rest[place + 1] = rest[place + 1], rest[place]
    rest.append(_any(happening, "attribution", random))
    title = headline(happening, outlet, happening.line("headline", int(random.random() * 997)), random)
    return Draft(title, (lead, *rest))


def _reworded(sentence: str, aspect: str, facts: Facts, happening: Happening, random: Random) -> str:
    draw = random.random()
    if draw < 0.27:
        return fill(happening.line(aspect, int(random.random() * 997)), dict(facts), random)
    sentence = _with_synonyms(sentence, happening.book, random)
    if draw < 0.42 and sentence[-2:-1].isalpha() and sentence.endswith("."):
        return f"{sentence[:-1]}{_any(happening, 'hedge', random)}."
    return sentence


def _any(happening: Happening, aspect: str, random: Random) -> str:
    return fill(happening.line(aspect, int(random.random() * 997)), dict(happening.facts), random)


def _with_synonyms(sentence: str, book: Stylebook, random: Random) -> str:
    words = sentence.split(" ")
    for place, word in enumerate(words):
        bare = word.rstrip(",.;:")
        options = book.synonyms.get(bare.lower())
        if options and random.random() < 0.75:
            other = options[int(random.random() * len(options))]
            words[place] = (other[:1].upper() + other[1:] if bare[:1].isupper() else other) + word[len(bare) :]
    return " ".join(words)


def misreport(happening: Happening, random: Random) -> tuple[str, Facts] | None:
    """Facts with one figure wrong, and the name of it; None where the kind has no figures."""
    numbers = happening.kind.numbers
    if not numbers:
        return None
    name = numbers[int(random.random() * len(numbers))]
    wrong = happening.kind.facts[name].draw(random)
    return (name, {**happening.facts, name: wrong}) if wrong != happening.facts[name] else None
