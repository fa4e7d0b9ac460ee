"""How a story's texts are found: posting their key terms and bands, and taking them back.

Invariant: of each distinct copy fingerprint in a story at least one member stands in its bands; a posting names a story
only for terms that one of its voting texts has.
"""

from collections.abc import Collection, Generator, Mapping

from msgspec.structs import replace

from worker.cluster import posting, vote
from worker.cluster.view import Need, View
from worker.model import Member, Story

OLDEST_TEXTS = 8
TEXTS = 32
"""Of a story's distinct texts, the 8 oldest and the 24 newest are compared with new articles."""


def compared(texts: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Of a story's texts, oldest first, those that are kept for comparison."""
    return texts if len(texts) <= TEXTS else texts[:OLDEST_TEXTS] + texts[OLDEST_TEXTS - TEXTS :]


def post_text(view: View, story: Story, article: Member) -> Generator[Need, None, Story]:
    """Give a distinct text its vote, its key terms and its bands; returns the story with the vote."""
    prints = article.prints
    yield from view.want(terms=prints.terms)
    for term, weight in zip(prints.terms, prints.weights, strict=True):
        view.put_term(term, posting.put(view.terms[term], story.number, weight))
    yield from _post_bands(view, article)
    return replace(
        story,
        planes=vote.add(story.planes, (prints.story,)),
        voters=story.voters + 1,
        texts=compared((*story.texts, article.uid)),
    )


def post_copy(view: View, story: Story, article: Member) -> Generator[Need, None, None]:
    """Let a copy be found by its bands too, unless a member of its story with the very fingerprint stands there: what
    is within 3 bits of a copy need not be so of the original."""
    key, *_ = posting.bands(article.prints.copy)
    yield from view.want(bands=[key])
    same = [uid for known, uid in posting.posted(view.bands[key]) if known == article.prints.copy]
    yield from view.want(members=same)
    numbers = (story.number, *story.aliases)
    if not any(member.story in numbers for member in view.present(same)):
        yield from _post_bands(view, article)


def take_bands(view: View, member: Member) -> Generator[Need, None, None]:
    """Take what a member posted to its bands back."""
    keys = posting.bands(member.prints.copy)
    yield from view.want(bands=keys)
    for key in keys:
        view.put_band(key, posting.unpost(view.bands[key], member.uid))


def take_terms(
    view: View, story: Story, terms: Collection[str], left: Mapping[str, int]
) -> Generator[Need, None, None]:
    """Take key terms of a story back, under its number and those merged into it; those in `left` keep that weight."""
    yield from view.want(terms=terms)
    for term in terms:
        known = view.terms[term]
        for number in (story.number, *story.aliases):
            known = posting.reweigh(known, number, left[term]) if term in left else posting.drop(known, number)
        view.put_term(term, known)


def _post_bands(view: View, article: Member) -> Generator[Need, None, None]:
    keys = posting.bands(article.prints.copy)
    yield from view.want(bands=keys)
    for key in keys:
        view.put_band(key, posting.post(view.bands[key], article.prints.copy, article.uid))
