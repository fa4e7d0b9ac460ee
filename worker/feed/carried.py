"""One article in several feeds of its outlet: who saw it first names it, and the others carry it under that name.

Invariant: pure. A claim gives a name and nothing else: whoever carries the article publishes it whole under that name,
as revision 0, so it is there whichever of them died, and once, as a revision of a name is placed once.
"""

from collections.abc import Mapping
from dataclasses import replace as changed

from msgspec import Struct, msgpack
from msgspec.structs import replace

from worker.feed.decide import Decision
from worker.feed.seen import Seen
from worker.model import Article

APART_S = 43_200.0
"""A page that has another article after half a day is a place, not an article: the same time that keeps editions of
a report apart (cluster/edition.py)."""


class Claim(Struct, frozen=True, array_like=True):
    """Which article a page is: its id, its language, and when it was published, or else seen. Without an id, it is of a
    page that several articles of one feed lead to: it tells nothing.

    `revision`, `teller`, `heads`: its last edit, which feed told that ("": the one whose name it has), and 8 bytes each
    of the headlines that it has had (telling.py).
    """

    article: str
    lang: str = ""
    time: float = 0.0
    revision: int = 0
    teller: str = ""
    heads: tuple[bytes, ...] = ()


VOID = Claim("")


def claims(decision: Decision) -> dict[str, Claim | None]:
    """Page -> what a feed says of it, for its new articles; None for a list of links, which may only ask, as it has a
    headline and no text."""
    asked = [(link, article) for article in decision.articles if (link := decision.links.get(article.id))]
    return {link: None if decision.lists else _claim(article) for link, article in asked}


def settle(decision: Decision, feed: str, said: Mapping[str, Claim]) -> tuple[Decision, list[str]]:
    """The decision with the articles that another feed claimed before under that one's name and language; and the pages
    that this feed leads to from several articles.

    said: page -> the claim that holds.
    """
    void, settled = list[str](), changed(decision, articles=[], marks=dict(decision.marks), entries={})
    for article in decision.articles:
        link = decision.links.get(article.id, "")
        claim = said.get(link, VOID)
        if claim == VOID or claim.article == article.id:
            settled.articles.append(article)
        elif claim.article.startswith(f"{feed}."):
            void.append(link)
            settled.articles.append(article)
        elif abs(claim.time - _claim(article).time) >= APART_S or claim.article in settled.entries:
            settled.articles.append(article)
        else:
            _carry(settled, article, article.id.removeprefix(f"{feed}."), claim)
    return settled, void


def _claim(article: Article) -> Claim:
    return Claim(article.id, article.lang, article.received if article.published is None else article.published)


def _carry(decision: Decision, article: Article, entry: str, claim: Claim) -> None:
    """Add a new article as what it is of another feed: its page is that one's to read, and whatever that one says,
    from its first revision on, takes its place."""
    decision.articles.append(replace(article, id=claim.article, revision=0, lang=claim.lang, page=""))
    expected, mark = decision.marks[entry]
    seen = replace(msgpack.decode(mark, type=Seen), lang=claim.lang, same_as=claim.article)
    decision.marks[entry] = (expected, msgpack.encode(seen))
    decision.entries[claim.article] = entry
    decision.new -= 1
    decision.carried += 1
