"""An article that comes back from an archive: into the story that it was in.

Invariant: as in place.py; a story that stands under the number but is another one is never joined for its number.
"""

from collections.abc import Generator

from msgspec.structs import replace

from worker.cluster.join import begin, join
from worker.cluster.place import Placed, place
from worker.cluster.relation import Kinship
from worker.cluster.view import Need, View
from worker.model import Event, Kept, Member, Story

HIGHEST = 2**31
"""No line's number raises those that are given out next above this: they have 32 bits, and a file may say anything.
Half of them is left, enough for a century of 50,000 stories a day."""


def restore(view: View, article: Member, kept: Kept, now: float) -> Generator[Need, None, Placed]:
    """Put an archived article (its event time and fingerprints set) into its story, which has its old number again.

    One that is here already is left as it is, whatever its revision. Where the number is another story's, or an editor
    spoke of the article, it is placed as if it were new. Relations are found anew; nothing is merged or divided for it.
    """
    yield from view.want(members=[article.uid], stories=[kept.story])
    if view.members[article.uid] is not None:
        return Placed.REPEATED
    story = view.stories[kept.story]
    free = story is None and 0 < kept.story <= max(view.made, HIGHEST)
    ours = story if isinstance(story, Story) and story.articles and story.origin == kept.origin else None
    if view.ties.of(article.uid) or not (free or ours):
        placed = yield from place(view, article, now)
        return placed
    view.seq += 1
    kin = Kinship(replace(article, seq=view.seq))
    if ours:
        yield from join(view, kin, ours, kept.score, now)
        return Placed.JOINED
    yield from _begin(view, kin, kept, now)
    return Placed.NEW


def _begin(view: View, kin: Kinship, kept: Kept, now: float) -> Generator[Need, None, None]:
    article, number = kin.article, kept.story
    view.made = max(view.made, number)
    view.rolls[number] = {}
    series = Story(number, "", article.time, article.time, now, article.uid, edition=kept.edition, every=kept.every)
    yield from begin(view, kin, now, series, told=False)
    story = view.root(number)
    assert story is not None
    view.put_story(replace(story, origin=kept.origin))
    view.emit(Event("new", view.seq, view.lang, number, article.uid, article.backfill))
