"""Who tells the edits of an article that several feeds carry: one feed at a time, and another once that does not.

Invariant: pure; a headline that any of them has told is not told again by another, so that feeds that show different
versions never set each other back. What is decided here and lost is decided again, under the same revision.
"""

from collections.abc import Mapping
from math import ceil

from msgspec.structs import replace

from worker.feed.carried import VOID, Claim
from worker.feed.decide import Decision, Edit
from worker.feed.seen import Seen, pack

_MOST_HEADS = 16
"""Headlines that are remembered of an article."""


def asked(decision: Decision) -> dict[str, None]:
    """The pages whose claims say what was told of the articles that were edited: for Claims.stake."""
    return {edit.page: None for edit in decision.edits.values() if edit.page}


def tellers(decision: Decision, said: Mapping[str, Claim]) -> set[str]:
    """The other feeds that told those articles last."""
    return {_teller(claim) for edit in decision.edits.values() if (claim := _claim(edit, said)) and edit.before.same_as}


def tell(
    decision: Decision, feed: str, said: Mapping[str, Claim], living: Mapping[str, float], now: float
) -> dict[str, Claim]:
    """Add the edits that this feed is to tell, and take out those that were told: page -> what is to be noted of it
    once they are published.

    said: page -> its claim; living: feed -> when it was last read, of those that are polled without an error.
    """
    noted = dict[str, Claim]()
    for key, edit in decision.edits.items():
        claim = _claim(edit, said)
        if claim is None or claim.article in decision.entries:
            continue
        if edit.before.same_as:
            told = not decision.lists and _carried(decision, key, edit, claim, feed, living, now)
        else:
            told = _own(decision, key, edit, claim, feed)
        if told:
            heads = (*(claim.heads or (edit.before.names.title,)), edit.head)[-_MOST_HEADS:]
            noted[edit.page] = replace(claim, revision=_revision(edit, claim), teller=feed, heads=heads)
    return noted


def _claim(edit: Edit, said: Mapping[str, Claim]) -> Claim | None:
    """What the claim of its page says of the article itself."""
    claim = said.get(edit.page, VOID)
    return claim if edit.page and claim.article == edit.article.id else None


def _teller(claim: Claim) -> str:
    return claim.teller or claim.article.partition(".")[0]


def _revision(edit: Edit, claim: Claim) -> int:
    return max(claim.revision + 1, edit.article.revision, 2)


def _own(decision: Decision, key: str, edit: Edit, claim: Claim, feed: str) -> bool:
    """An edit by the feed whose name the article has: it is in the decision, under the revision that the feed knows."""
    position = decision.articles.index(edit.article)
    told = _teller(claim) == feed or edit.head not in claim.heads
    revision = _revision(edit, claim) if told else claim.revision
    _mark(decision, key, replace(edit.told, revision=max(revision, edit.before.revision)))
    if told:
        decision.articles[position] = replace(edit.article, revision=revision)
    else:
        del decision.articles[position]
        decision.revised, decision.unchanged = decision.revised - 1, decision.unchanged + 1
    return told


def _carried(
    decision: Decision, key: str, edit: Edit, claim: Claim, feed: str, living: Mapping[str, float], now: float
) -> bool:
    """An edit by a feed that carries the article: told if it told the last one, or else once the feed that did so has
    not told it when it was read since, or is read no more. Another text under the same headline is told by that feed
    alone as long as it lives: two feeds have two summaries."""
    if (teller := _teller(claim)) != feed:
        same_head, read = edit.head == edit.before.names.title, living.get(teller)
        if edit.head in claim.heads and not (same_head and edit.head == claim.heads[-1]):
            return False
        if read is not None and same_head:
            return False
        if read is not None and not 0 < edit.before.untold < read:
            _wait(decision, key, edit, now)
            return False
    if edit.told.revision == edit.before.revision:  # it has had too many of late
        _wait(decision, key, edit, now)
        return False
    revision = _revision(edit, claim)
    _mark(decision, key, replace(edit.told, revision=revision))
    decision.articles.append(replace(edit.article, revision=revision))
    decision.entries[claim.article] = key
    decision.revised, decision.unchanged = decision.revised + 1, decision.unchanged - 1
    return True


def _wait(decision: Decision, key: str, edit: Edit, now: float) -> None:
    """Look at it again: the mark stays that of what was told."""
    expected, _ = decision.marks[key]
    waiting = replace(edit.before, untold=edit.before.untold or ceil(now))
    decision.marks[key] = (expected, pack(waiting))
    if waiting == edit.before:
        del decision.marks[key]
    decision.held, decision.unchanged = decision.held + 1, decision.unchanged - 1


def _mark(decision: Decision, key: str, seen: Seen) -> None:
    expected, _ = decision.marks[key]
    decision.marks[key] = (expected, pack(seen))
