"""The end of a story: all that belongs to it goes, key by key.

Invariant: idempotent; a story leaves no posting, band, article or member list behind, and its record goes last.
"""

from collections.abc import Generator

from msgspec.structs import replace

from worker.cluster.index import take_bands, take_terms
from worker.cluster.posting import bands
from worker.cluster.view import Need, View
from worker.model import Event, Story

AT_ONCE = 500
"""Members that one commit removes, so that the end of the largest story blocks nobody for long."""


def expire(view: View, number: int, at_once: int = AT_ONCE) -> Generator[Need, None, int]:
    """Remove a story that has been quiet for longer than the retention; returns how many articles went.

    Of a story of more than `at_once` articles a part goes at a time: call again while it is there.
    """
    yield from view.want(stories=[number], rolls=[number])
    story = view.stories[number]
    if not isinstance(story, Story):
        return 0
    uids = sorted(view.rolls[number])[:at_once]
    yield from view.want(members=uids)
    members = view.present(uids)
    yield from view.want(bands={key: None for m in members if not m.prints.empty for key in bands(m.prints.copy)})
    yield from take_terms(view, story, {term: None for m in members for term in m.prints.terms}, {})
    for member in members:
        if not member.prints.empty:
            yield from take_bands(view, member)
    for uid in uids:
        view.drop_member(uid)
        view.leave(number, uid)
    if not view.rolls[number]:
        view.drop_story(number)
        for alias in story.aliases:
            view.end_alias(alias)
        view.seq += 1
        view.emit(Event("ended", view.seq, view.lang, number))
    else:  # nothing joins a story that is ending
        view.put_story(replace(story, articles=0, voters=0, planes=(), texts=()))
    return len(uids)
