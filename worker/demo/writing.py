"""How a story becomes articles: reports in words of their own, copies, light rewrites, follow-ups, corrections.

Invariant: the n-th report of a story uses other lines than the ones before it, as long as the stylebook has any left.
"""

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
_FOLLOWS_MOST = 2
"""Follow-ups of one story: the shortest stylebooks have two wordings."""


@dataclass(frozen=True)
class Draft:
    """A headline and the sentences under it; `facts` and `seed` are what it was written from, to write it again."""

    title: str
    sentences: tuple[str, ...]


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
    known = dict(facts or happening.facts)
    sentences = [fill(happening.line("lead", nth), known, random)]
    body = [aspect for aspect in happening.kind.aspects if aspect not in _TOLD_APART]
    if nth % 2 and len(body) > 1:
        body[-1], body[-2] = body[-2], body[-1]
    extra = list(_COMMON)
    random.shuffle(extra)
    body += extra[: max(1, outlet.length + int(random.random() * 3) - 1 - len(body))]
    sentences += [fill(happening.line(aspect, nth), known, random) for aspect in body]
    return Draft(headline(happening, outlet, "headline", nth, random, facts), tuple(sentences))


def follow_up(happening: Happening, outlet: Outlet, nth: int, recap: int) -> Draft:
    """What became known later, with the `recap`-th wording of what had happened."""
    random = Random(happening.seed - 1 - nth)
    known = dict(happening.facts)
    aspects = [aspect for aspect in happening.kind.aspects if aspect not in _TOLD_APART]
    random.shuffle(aspects)
    told = [fill(happening.line("follow", nth), known, random), fill(happening.line("update", nth), known, random)]
    told.append(fill(happening.line("lead", recap), known, random))
    told += [fill(happening.line(aspect, recap), known, random) for aspect in aspects[:2]]
    told += [fill(happening.line(aspect, recap), known, random) for aspect in ("next", "quoteline", "context")]
    return Draft(headline(happening, outlet, "followhead", nth, random), tuple(told))


def headline(
    happening: Happening, outlet: Outlet, aspect: str, nth: int, random: Random, facts: Facts | None = None
) -> str:
    """The n-th headline, in the outlet's style; people by their surnames."""
    known: Facts = {k: v.last if isinstance(v, Person) else v for k, v in (facts or happening.facts).items()}
    text = fill(happening.line(aspect, nth), known, random)
    if outlet.headline == "capitals":
        return " ".join(word[:1].upper() + word[1:] if len(word) > 3 else word for word in text.split())
    if outlet.headline == "shout":
        return text.upper() + "!"
    if outlet.headline == "place" and "place" in happening.facts and str(known["place"]) not in text:
        return f"{known['place']}: {text}"
    return text


def copy(original: Draft, happening: Happening, outlet: Outlet, random: Random) -> Draft:
    """The same text: under another headline, perhaps with an agency line, perhaps cut at the end."""
    sentences = list(original.sentences)
    if random.random() < 0.35 and len(sentences) > 6:
        del sentences[-max(1, int(len(sentences) * 0.3 * random.random())) :]
    agency = happening.book.common.aspects["agency"]
    mark = fill(agency[int(random.random() * len(agency))], dict(happening.facts), random)
    if random.random() < 0.4:
        sentences[0] = f"{mark} - {sentences[0]}" if mark.startswith("(") else f"{sentences[0]} {mark}"
    elif random.random() < 0.6:
        sentences.append(mark)
    title = original.title
    if random.random() < 0.6:
        title = headline(happening, outlet, "headline", int(random.random() * 997), random)
    return Draft(title, tuple(sentences))


def rewrite(original: Draft, happening: Happening, outlet: Outlet, random: Random) -> Draft:
    """Lightly reworded: about every seventh word replaced, sentences moved, one dropped, the source named."""
    sentences = [_reword(sentence, happening.book, random) for sentence in original.sentences]
    lead, rest = sentences[0], sentences[1:]
    if len(rest) > 5:
        del rest[int(random.random() * len(rest))]
    for place in range(len(rest) - 1):
        if random.random() < 0.35:
            rest[place], rest[place + 1] = rest[place + 1], rest[place]
    attribution = happening.book.common.aspects["attribution"]
    rest.append(fill(attribution[int(random.random() * len(attribution))], dict(happening.facts), random))
    title = headline(happening, outlet, "headline", int(random.random() * 997), random)
    return Draft(title, (lead, *rest))


def _reword(sentence: str, book: Stylebook, random: Random) -> str:
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
