"""The corrections of a language, found by the articles that they name.

Invariant: a value: changing it makes another one, so that a worker's copy can be shared by all its views.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from worker.model import Correction, uid

KINDS = ("split", "merge", "pin")


class Ties:
    """All corrections of one language, by number and by article."""

    def __init__(self, corrections: Iterable[Correction] = ()) -> None:
        self._all: dict[int, Correction] = {}
        self._of: dict[bytes, tuple[int, ...]] = {}
        self._enter({correction.number: correction for correction in corrections})

    def __len__(self) -> int:
        return len(self._all)

    def get(self, number: int) -> Correction | None:
        """The correction of a number, or None."""
        return self._all.get(number)

    def all(self) -> list[Correction]:
        """All of them, the oldest first."""
        return [self._all[number] for number in sorted(self._all)]

    def of(self, article: bytes) -> list[Correction]:
        """Those that name an article, by its uid; the newest first."""
        return [self._all[number] for number in sorted(self._of[article], reverse=True)] if article in self._of else []

    def named(self, articles: Iterable[bytes]) -> list[Correction]:
        """Those that name any of these articles, the oldest first."""
        return [self._all[n] for n in sorted({n for article in articles for n in self._of.get(article, ())})]

    def among(self, articles: Iterable[bytes]) -> set[bytes]:
        """Which of these articles are named at all; a dict's keys, or a set, make it fast."""
        return self._of.keys() & articles

    def put_all(self, corrections: Iterable[Correction]) -> "Ties":
        """These with some more, or with other versions of some; copied once, however many they are."""
        changed, new = self._copy(), {correction.number: correction for correction in corrections}
        for number in new.keys() & self._all.keys():
            changed._leave(number)
        changed._enter(new)
        return changed

    def drop_all(self, numbers: Iterable[int]) -> "Ties":
        """These without some; copied once."""
        changed = self._copy()
        for number in numbers:
            changed._leave(number)
        return changed

    def _copy(self) -> "Ties":
        copy = Ties()
        copy._all, copy._of = dict(self._all), dict(self._of)
        return copy

    def _leave(self, number: int) -> None:
        gone = self._all.pop(number, None)
        for article in uids(gone) if gone else ():
            left = tuple(n for n in self._of[article] if n != number)
            if left:
                self._of[article] = left
            else:
                del self._of[article]

    def _enter(self, new: dict[int, Correction]) -> None:
        named: dict[bytes, list[int]] = {}
        for number, correction in new.items():
            for article in uids(correction):
                named.setdefault(article, []).append(number)
        for article, numbers in named.items():
            self._of[article] = (*self._of.get(article, ()), *numbers)
        self._all |= new


def uids(correction: Correction) -> list[bytes]:
    """All articles that a correction names, each once."""
    return list(dict.fromkeys(uid(name) for name in (*correction.one, *correction.other)))


def opposite(correction: Correction, article: bytes) -> list[bytes]:
    """The articles on the other side of a correction from one that it names."""
    side = correction.other if article in map(uid, correction.one) else correction.one
    return [uid(name) for name in side]


def without(correction: Correction, articles: Iterable[bytes]) -> Correction | None:
    """The correction without these articles; None where nothing is left of a side of it."""
    gone = set(articles)
    one = tuple(name for name in correction.one if uid(name) not in gone)
    other = tuple(name for name in correction.other if uid(name) not in gone)
    return replace(correction, one=one, other=other) if one and bool(other) == bool(correction.other) else None
