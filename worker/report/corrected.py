"""What an editor's correction came to, in words: the same on the command line and on the page.

Invariant: pure; of names that feeds gave, every word passes through `shown` first.
"""

from collections.abc import Callable, Collection, Sequence

from worker.model import Correction, story_id
from worker.report.cases import described
from worker.report.words import count


def told(lang: str, made: Correction, asked: int, shown: Callable[[str], str] = str) -> str:
    """What it did: `en-9 is the story of 2 articles taken out of en-3`. asked: how many articles the editor named."""
    stories = [story_id(lang, number) for number in made.stories]
    match made.kind:
        case "split":
            rest, new = stories
            copies = len(made.one) - asked
            along = f", {copies} of them as copies of those named" if copies > 0 else ""
            return f"{new} is the story of {count(len(made.one), 'article')} taken out of {rest}{along}"
        case "merge":
            return f"{stories[0]} took in {', '.join(stories[1:])}"
    return f"{shown(made.one[0])} is in {stories[0]} for good"


def overridden(
    lang: str, lifted: Sequence[Correction], partly: Collection[int], shown: Callable[[str], str] = str
) -> list[str]:
    """A line for each earlier correction that it lifted, `partly`: by number, those of which only a part."""
    return [
        f"overrides {'a part of ' if each.number in partly else ''}{lang}.{each.number} ({shown(said(lang, each))})"
        for each in lifted
    ]


def undone(lang: str, lifted: Correction, stories: Sequence[str], later: Sequence[str]) -> str:
    """What undoing a correction came to: the stories that its articles went back to, or why none moved."""
    name = f"{lang}.{lifted.number}"
    if stories:
        again = "one story again" if lifted.kind == "split" else "a story of its own again"
        return f"lifted {name}; {', '.join(stories)} is {again}"
    why = f": {', '.join(later)}, made later, speaks of them too" if later else ""
    return f"lifted {name}; no article moved{why}"


def said(lang: str, correction: Correction) -> str:
    """What an editor said: `pin bbc.1 en-7`."""
    return described(lang, correction).removeprefix("storywire story ")
