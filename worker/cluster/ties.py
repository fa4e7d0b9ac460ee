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
        self._all = {correction.number: correction for correction in corrections}
        self._of: dict[bytes, tuple[int, ...]] = {}
        for correction in self._all.values():
            self._enter(correction)

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

    def both(self, a: Iterable[bytes]) -> set[bytes]:
        """Which of these articles are named at all; a dict's keys, or a set, make it fast."""
        return self._of.keys() & a

    def put(self, correction: Correction) -> "Ties":
        """These with one more, or with another version of one."""
        changed = self.drop(correction.number)
        changed._all[correction.number] = correction
        changed._enter(correction)
        return changed

    def drop(self, number: int) -> "Ties":
        """These without one."""
        changed = Ties()
        changed._all, changed._of = dict(self._all), dict(self._of)
        gone = changed._all.pop(number, None)
        for article in uids(gone) if gone else ():
            left = tuple(n for n in changed._of[article] if n != number)
            if left:
                changed._of[article] = left
            else:
                del changed._of[article]
        return changed

    def _enter(self, correction: Correction) -> None:
        for article in uids(correction):
            self._of[article] = (*self._of.get(article, ()), correction.number)


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
