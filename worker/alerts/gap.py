"""Events that are gone before anybody looked through them: the stories of their languages are looked at instead.

Invariant: pure but for the numbers that it asks for; the position passes the gap with the last of the stories, and goes
to where the events ended before the first was looked at: what happens meanwhile is told by its event.
"""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from worker.report.following import format_cursor
from worker.store.stories import Extent, Position

_AT_ONCE = 200
"""Stories that are looked at in a turn: a fraction of a second, and the process that looks has to say so every few."""


class Gap(Struct, frozen=True):
    """What is left to be looked at, from the position `before`, of the languages `langs`; `rest`: stories by language
    and number; `after`: where to go on then."""

    before: str
    after: str
    langs: tuple[str, ...]
    rest: tuple[tuple[str, int], ...]

    def turn(self) -> tuple[str, tuple[tuple[str, int], ...]]:
        """The position to go on to, and the stories to be looked at on the way."""
        return self.before if len(self.rest) > _AT_ONCE else self.after, self.rest[:_AT_ONCE]

    def left(self) -> "Gap":
        """What is left after that turn."""
        return replace(self, rest=self.rest[_AT_ONCE:])


def gap(
    before: str, position: Position, extents: Mapping[str, Extent], numbers: Callable[[str], Sequence[int]]
) -> Gap | None:
    """What is missing after a position (`before`, as text), None where nothing is. A position that lies ahead of all
    events is that of a store that lost its latest."""
    gone = {lang: extent.last for lang, extent in extents.items() if not extent.follows(position.get(lang, (0, 0)))}
    if not gone:
        return None
    rest = tuple((lang, number) for lang in gone for number in numbers(lang))
    return Gap(before, format_cursor({**position, **gone}), tuple(gone), rest)
