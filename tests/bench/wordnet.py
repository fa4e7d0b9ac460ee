"""Synonyms of WordNet 3.0 (Fellbaum 1998), where its files are installed: a system's package has them, not we.

Invariant: the same files and seed give the same synonym; a word that WordNet does not know has none.
"""

from collections import defaultdict
from pathlib import Path
from random import Random

from tests.rewriting import Synonym

USUAL_FOLDER = Path("/usr/share/wordnet")
_PARTS = ("noun", "verb", "adj", "adv")
_ENDINGS = (
    ("ies", "y"),
    ("ied", "y"),
    ("es", "e"),
    ("ed", "e"),
    ("ing", "e"),
    ("es", ""),
    ("ed", ""),
    ("ing", ""),
    ("s", ""),
)


def wordnet(folder: Path = USUAL_FOLDER) -> Synonym | None:
    """The synonyms of the files `data.noun` and so on in a folder; None where they are not there."""
    if not all((folder / f"data.{part}").is_file() for part in _PARTS):
        return None
    known: dict[str, list[str]] = defaultdict(list)
    for part in _PARTS:
        with (folder / f"data.{part}").open(encoding="latin-1") as file:
            for line in file:
                if not line.startswith(" "):
                    _learn(line, known)
    return lambda word, rng: _choose(word, known, rng)


def _learn(line: str, known: dict[str, list[str]]) -> None:
    """One set of synonyms: `offset file type count word id word id ...`, the count in hexadecimal (wndb(5WN))."""
    fields = line.split(" ")
    words = [word.partition("(")[0].lower() for word in fields[4 : 4 + 2 * int(fields[3], 16) : 2]]
    for word in words:
        known[word] += [other.replace("_", " ") for other in words if other != word]


def _choose(word: str, known: dict[str, list[str]], rng: Random) -> str | None:
    """A synonym of the word, or of what it is a form of."""
    forms = [word, *(word.removesuffix(end) + put for end, put in _ENDINGS if word.endswith(end))]
    options = next((known[form] for form in forms if known.get(form)), None)
    return rng.choice(options) if options else None
