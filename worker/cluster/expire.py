"""The end of a story: all that belongs to it goes, key by key.

Invariant: idempotent; a story leaves no posting, band, article or member list behind, and its record goes last.
"""

from collections.abc import Generator

from worker.cluster import posting
from worker.cluster.view import Need, View
from worker.model import Story

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
    bands = {(key, m.uid): None for m in members if not m.prints.empty for key in posting.bands(m.prints.copy)}
    terms = {term: None for m in members for term in m.prints.terms}
    yield from view.want(terms=terms, bands={key: None for key, _ in bands})
    for term in terms:
        left = view.terms[term]
        for old in (number, *story.aliases):
            left = posting.drop(left, old)
        view.put_term(term, left)
    for key, uid in bands:
        view.put_band(key, posting.unpost(view.bands[key], uid))
    for uid in uids:
        view.drop_member(uid)
        view.leave(number, uid)
    if not view.rolls[number]:
        view.drop_story(number)
        for alias in story.aliases:
            view.end_alias(alias)
    return len(uids)
