"""What corrections say of an article that is being placed, and of two stories that are about to merge.

Invariant: reads a view and changes nothing; where no correction names the articles it asks for nothing.
"""

from collections import Counter
from collections.abc import Collection, Generator, Iterable, Mapping

from worker.cluster.ties import opposite
from worker.cluster.view import Need, View
from worker.model import Correction, Story, uid


def homes(view: View, articles: Collection[bytes]) -> Generator[Need, None, dict[bytes, int]]:
    """uid -> number of its story, of those of these articles that are in one; stories that are ending do not count."""
    yield from view.want(members=articles)
    members = view.present(articles)
    numbers = {member.story for member in members}
    yield from view.want(stories=numbers)
    yield from view.want(stories=view.aliased(numbers))
    roots = {member.uid: view.root(member.story) for member in members}
    return {article: story.number for article, story in roots.items() if story is not None and story.articles}


def destination(view: View, article: bytes) -> Generator[Need, None, Story | None]:
    """The story that an article has to go to: that of what it was split off with, or pinned to; None where no
    correction says so. The newest correction says it; of several stories, the one with most of its articles."""
    for correction in view.ties.of(article):
        found = yield from _most(view, [other for other in _leaders(correction, article) if other != article])
        if found is not None and found.number not in (yield from forbidden(view, article)):
            return found
    return None


def united(view: View, article: bytes) -> Generator[Need, None, Story | None]:
    """The story that one which the article begins would be merged with at once; None where there is none."""
    for correction in view.ties.of(article):
        if correction.kind == "merge":
            found = yield from _most(view, opposite(correction, article))
            if found is not None and found.number not in (yield from forbidden(view, article)):
                return found
    return None


def forbidden(view: View, article: bytes) -> Generator[Need, None, set[int]]:
    """The numbers of the stories that an article was split off from."""
    apart = [other for c in view.ties.of(article) if c.kind == "split" for other in opposite(c, article)]
    return set((yield from homes(view, apart)).values()) if apart else set()


def held_apart(view: View, a: Story, b: Story) -> Generator[Need, None, bool]:
    """Whether an article of one story was split off from an article of the other."""
    if not len(view.ties):
        return False
    yield from view.want(rolls=[a.number, b.number])
    others = view.rolls[b.number]
    return any(
        correction.kind == "split" and not others.keys().isdisjoint(opposite(correction, article))
        for article in view.ties.among(view.rolls[a.number].keys())
        for correction in view.ties.of(article)
    )


def violators(correction: Correction, places: Mapping[bytes, int], moved: Iterable[bytes]) -> set[bytes]:
    """Of the articles that were moved, those that no longer are where a correction wants them."""
    one = {uid(name) for name in correction.one}
    found = set()
    for article in moved:
        facing = {places[other] for other in opposite(correction, article) if other in places}
        own = {places[other] for other in one if other in places} if article in one else set()
        home = {places[article]} if article in places else set()
        apart = correction.kind == "split"
        if home and (home & facing or own - home if apart else facing - home):
            found.add(article)
    return found


def _leaders(correction: Correction, article: bytes) -> list[bytes]:
    """The articles that one follows without being asked: the others that were split off, or what it is pinned to."""
    one = [uid(name) for name in correction.one]
    if article not in one or correction.kind == "merge":
        return []
    return one if correction.kind == "split" else [uid(name) for name in correction.other]


def _most(view: View, articles: Collection[bytes]) -> Generator[Need, None, Story | None]:
    counts = Counter((yield from homes(view, articles)).values())
    if not counts:
        return None
    return view.root(min(counts, key=lambda number: (-counts[number], number)))
