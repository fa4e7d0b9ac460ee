"""Which of an editor's corrections made two articles one story, or two.

Invariant: pure. A correction is named as a reason only where it says what happened: never a merge for two that are
apart, nor one in which neither article was what the editor spoke of.
"""

from collections.abc import Sequence

from msgspec import Struct

from worker.model import Correction
from worker.report.cases import described


class Said(Struct, frozen=True):
    """A correction in force, with its language."""

    lang: str
    correction: Correction

    def __str__(self) -> str:
        """As a person knows it: `en.3: storywire story pin bbc.1 en-7`."""
        return f"{self.lang}.{self.correction.number}: {described(self.lang, self.correction)}"

    def names(self, article: str) -> bool:
        """Whether it names an article, by its id."""
        return article in self.correction.one or article in self.correction.other


def agreeing(said: Sequence[Said], a: str, b: str, *, together: bool) -> tuple[Said, ...]:
    """Those of the corrections that put two articles (ids) where they are: those that name both, or where there are
    none those that name one of them; each once, the newest first."""
    found = {each.correction.number: each for each in said if _agrees(each.correction, a, b, together)}
    newest = [found[number] for number in sorted(found, reverse=True)]
    return tuple(each for each in newest if each.names(a) and each.names(b)) or tuple(newest)


def _agrees(correction: Correction, a: str, b: str, together: bool) -> bool:
    """By the sides of it: of a split and a pin `one` is what was spoken of, and `other` only stands for a story."""
    moved = [name in correction.one for name in (a, b)]
    stands = [name in correction.other for name in (a, b)]
    across = (moved[0] and stands[1]) or (moved[1] and stands[0])
    if correction.kind == "merge":
        several = len(correction.stories) > 2 and all(stands)  # both came along, perhaps each from a story of its own
        return together and (across or several or sum(moved + stands) == 1)
    if correction.kind == "split" and together:
        return all(moved)
    return any(moved) and not all(moved) and (together or correction.kind == "split" or not across)
