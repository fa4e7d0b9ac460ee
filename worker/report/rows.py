"""A story as a line of a list, and the folding of its words, so that they are found however they are written.

Invariant: pure; what is looked for and what is looked in are folded alike.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from msgspec import Struct

from worker.cluster.timing import heat_at
from worker.feed.canonical import canonical, is_page
from worker.joiners import unjoined
from worker.model import Member, Story, story_id
from worker.report.views import growth, outlets, rank, rfc3339
from worker.scripts import is_unspaced

BINS = 16
MOST_WORDS = 10_000
"""Characters of a story's words that are searched: some 1,500 words, the first and the latest of its headlines."""

LINK_BYTES, MOST_LINKS = 8, 1_000
"""Of a link's digest, and digests of a story's latest articles: 8 KB a story at most, and 8 bytes an article in all."""

_ASCII = {code: " " for code in range(128) if not chr(code).isalnum()}


class Row(Struct, frozen=True, kw_only=True, gc=False):
    """A story in a list. `outlets`: how many newsrooms; `named`: what they are called, folded; `words`: those of its
    headlines, folded, a space around each; `rank`: its place by heat; `growth`: arrivals in equal parts of its life;
    `aliases`: numbers of the stories that were merged into it; `links`: digests of its articles' addresses, one after
    the other.

    `came`: when the first of its articles that are there reached us, `fed`: the last; by the wall clock. It refers to
    nothing that could refer to it: the collector of cycles need not look at 30,000 of them.
    """

    story: str
    lang: str
    number: int
    headline: str
    articles: int
    outlets: int
    copies: int
    rewrites: int
    first: float
    last: float
    heat: float
    rank: tuple[float, float]
    growth: tuple[int, ...] = ()
    named: tuple[str, ...] = ()
    words: str = ""
    sources: tuple[str, ...] = ()
    came: float = 0.0
    fed: float = 0.0
    aliases: tuple[int, ...] = ()
    links: bytes = b""

    @property
    def texts(self) -> int:
        """Distinct texts: all but the copies."""
        return self.articles - self.copies

    @property
    def reports(self) -> int:
        """Articles of their own, the first not counted."""
        return max(0, self.articles - 1 - self.copies - self.rewrites)

    def heat_now(self, now: float) -> float:
        """Arrivals, halved every two hours until now."""
        return heat_at(self.heat, self.last, now)


def row_of(lang: str, story: Story, members: Sequence[Member]) -> Row:
    """The row of a story with these members, by event time."""
    named = dict.fromkeys(name for m in members for name in (m.source, m.newsroom) if name)
    return Row(
        story=story_id(lang, story.number),
        lang=lang,
        number=story.number,
        headline=story.headline,
        articles=story.articles,
        outlets=max(1, len(outlets(story))),
        copies=story.copies,
        rewrites=story.rewrites,
        first=story.first,
        last=story.last,
        heat=story.heat,
        rank=rank(story),
        growth=growth([member.time for member in members], BINS),
        named=tuple(dict.fromkeys(outlet_name(name) for name in named)),
        words=_words(dict.fromkeys(member.title for member in members)),
        sources=tuple(dict.fromkeys(_same(member.source) for member in members if member.source)),
        came=min((member.received for member in members), default=story.first),
        fed=max((member.received for member in members), default=story.last),
        aliases=story.aliases,
        links=b"".join(dict.fromkeys(link_digest(member.url) for member in members[-MOST_LINKS:])),
    )


@lru_cache(maxsize=20_000)
def link_digest(url: str) -> bytes:
    """What all links to one article have in common, in LINK_BYTES; b"" for what leads to no page of its own."""
    link = canonical(url)
    return blake2b(link.encode(errors="surrogatepass"), digest_size=LINK_BYTES).digest() if is_page(link) else b""


def folded(text: str) -> str:
    """A text as it is searched: without case, accents and punctuation, words apart by one space."""
    if text.isascii():
        return " ".join(text.lower().translate(_ASCII).split())
    plain = unicodedata.normalize("NFKD", unjoined(text).casefold())
    return " ".join("".join(_kept(c) for c in plain).split())


def needles(words: str) -> tuple[str, ...]:
    """What all have to be in the `words` of a row that is asked for: each begins a word there, or stands anywhere
    where its script puts no spaces between words."""
    return tuple(word if is_unspaced(word) else f" {word}" for word in dict.fromkeys(folded(words).split()))


@lru_cache(maxsize=10_000)
def outlet_name(name: str) -> str:
    """A domain or the name of an outlet as it is compared: the same object for the same name."""
    return folded(name) or name.casefold()


@lru_cache(maxsize=10_000)
def _same(name: str) -> str:
    """The same object for the same name: thousands of rows name one outlet."""
    return name


@lru_cache(maxsize=10_000)
def _moment(time: float) -> str:
    """As rfc3339, which takes a microsecond: a list says the same of the same stories again and again."""
    return rfc3339(time)


def _kept(c: str) -> str:
    if c.isalnum():
        return c
    if unicodedata.combining(c):  # an accent
        return ""
    return c if unicodedata.category(c)[0] == "M" else " "  # a vowel of Thai or Hindi belongs to its word


def _words(titles: Iterable[str]) -> str:
    """The words of headlines, each once, in order of time; the middle is left out where there are too many."""
    words = f" {' '.join(dict.fromkeys(folded(' '.join(titles)).split()))} "
    if len(words) <= MOST_WORDS:
        return words
    return f"{words[: MOST_WORDS // 2]} {words[-MOST_WORDS // 2 :]}"


def row_record(row: Row, now: float) -> dict[str, Any]:
    """The same keys as `views.story_record` has, of a row at `now`."""
    return {
        "story": row.story,
        "headline": row.headline,
        "lang": row.lang,
        "articles": row.articles,
        "outlets": row.outlets,
        "copies": row.copies,
        "rewrites": row.rewrites,
        "reports": row.reports,
        "first": _moment(row.first),
        "last": _moment(row.last),
        "heat": round(row.heat_now(now), 4),
    }
