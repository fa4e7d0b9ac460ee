"""Which feeds a store begins with: those of an OPML file, or the default ones where there never were any.

Invariant: adds what was never known; what a person removed stays removed.
"""

from importlib import resources
from pathlib import Path
from typing import BinaryIO

from worker.errors import BadInput
from worker.feed.opml import Outline, read_opml
from worker.store.feeds import Feeds

_MAX_OPML_BYTES = 20_000_000


def default_feeds() -> list[Outline]:
    """The feeds that come with the package."""
    body = resources.files("worker").joinpath("opml", "default.opml").read_bytes()
    return read_opml(body, "default.opml")[0]


def read_file(path: Path) -> tuple[list[Outline], list[str]]:
    """The feeds of an OPML file, and a line for each address in it that cannot be used. Raises BadInput."""
    try:
        with path.open("rb") as file:
            return read_stream(file, str(path))
    except OSError as error:
        raise BadInput(
            f"{path}: {(error.strerror or 'cannot be read').lower()}: give the path of an OPML file"
        ) from None


def read_stream(stream: BinaryIO, name: str) -> tuple[list[Outline], list[str]]:
    """The same of an open stream, which messages call `name`."""
    body = stream.read(_MAX_OPML_BYTES + 1)
    if len(body) > _MAX_OPML_BYTES:
        raise BadInput(f"{name} is larger than 20 MB: it is no list of feeds")
    return read_opml(body, name)


def subscribe(feeds: Feeds, opml: Path | None, now: float) -> list[str]:
    """Add the feeds of the file, or the default ones to a store that never knew any; what was done, line by line.

    Raises BadInput for a file that cannot be read.
    """
    if opml is not None:
        outlines, refused = read_file(opml)
        offered = feeds.offer(outlines, now)
        return [*refused, summary(str(opml), offered)]
    if feeds.empty():
        offered = feeds.offer(default_feeds(), now)
        return [f"{offered.added} feeds of the default list added: `storywire feeds list` shows them"]
    return []


def summary(name: str, offered: tuple[int, int, int], refused: int = 0) -> str:
    """What became of a list of feeds, in words; `refused`: addresses of it that cannot be used."""
    added, known, removed = offered
    left_out = f", {removed:,} left out that were removed before" if removed else ""
    bad = f", {refused:,} refused" if refused else ""
    return f"{name}: {added:,} added, {known:,} known already{left_out}{bad}"
