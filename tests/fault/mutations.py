"""Hostile feeds and articles: real-looking ones, mutated by a seed.

Invariant: case N of a seed is always the same bytes, so that whatever fails can be made again.
"""

import json
import random
import re
from collections.abc import Callable
from functools import cache
from html import escape
from typing import NamedTuple

from tests.languages import LANGUAGES, reports
from worker.demo.__main__ import articles


class Case(NamedTuple):
    """An input: `kind` is feed or lines, `made` says how it came about."""

    kind: str
    body: bytes
    content_type: str
    made: str


class Told(NamedTuple):
    """An article before it is mutated."""

    title: str
    text: str
    lang: str
    guid: str


Payload = Callable[[random.Random], str]
Mutation = Callable[[random.Random, bytes], bytes]

CONTROLS = "\x1b[31m\x1b]0;pwned\x07 \x1b[2J\x9b31m\x00\x08\r\x0b\x0c\x7f\x85\u2028\u2029\ufffe\uffff"
INVISIBLE = "\u202e\u202a\u2066\u2069\u200b\u200d\u200f\u00ad\u061c\u180e\u2060\ufeff\ufe0f\U000e0041\U000e0100\ue000"
SCRIPTS = "火災が発生ไฟไหม้โรงงานالحريقשרפהदिल्लीㅎㅏㄴﷺ𝕳𝖊𝖑𝖑𝖔👨‍👩‍👧‍👦Z̡̖̜͖̰̣͉̜ͅA̝"

TEXTS: tuple[Payload, ...] = (
    lambda rng: CONTROLS,
    lambda rng: INVISIBLE * rng.randint(1, 50),
    lambda rng: "".join(rng.choices(CONTROLS + INVISIBLE + SCRIPTS, k=rng.randint(1, 300))),
    lambda rng: "".join(chr(rng.randrange(0x110000)) for _ in range(rng.randint(1, 300))),
    lambda rng: rng.choice("Aa0.'-_火กเ") * rng.choice((31, 1_000, 50_000)),
    lambda rng: "e" + "".join(rng.choices("\u0301\u0323\u0489\u0e31\u05b0", k=rng.choice((40, 3_000, 60_000)))),
    lambda rng: "".join(rng.choices(SCRIPTS, k=rng.randint(1, 5_000))),
    lambda rng: "\ufdfa" * rng.choice((9, 5_000)),  # becomes 18 characters each
    lambda rng: " ".join(f"{rng.random():.{rng.randint(1, 40)}f}e{rng.randint(-400, 400)}" for _ in range(200)),
    lambda rng: "9" * rng.choice((20, 400, 5_000)) + "," * rng.randint(0, 3) + ".5",
    lambda rng: "\ud800\udfff\udc00",
)
MARKUP: tuple[Payload, ...] = (
    lambda rng: "<script>alert(1)</script><img src=x onerror=alert(1)><svg/onload=alert(1)>",
    lambda rng: (
        rng.choice(("<div>", "<b><p>", "<table><tr>", "<a ", "<!--", "</", "<![CDATA[", "<svg>", "&", "&#", "<p"))
        * rng.choice((5, 500, 8_000))
    ),
    lambda rng: "<p " + "".join(f"a{n}='{n}' " for n in range(rng.choice((9, 3_000, 40_000)))) + ">",
    lambda rng: f"<p title='{'x' * rng.choice((99, 100_000))}'",
    lambda rng: (
        rng.choice(("&#0;", "&#x1b;[31m", "&#xd800;", "&#1114112;", "&#99999999999;", "&nbsp;", "&lt;b&gt;", "&xx;"))
        * 9
    ),
)
_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
DOCTYPES = (
    f'<!DOCTYPE a [<!ENTITY l0 "lol">{_LAUGHS}]>',
    '<!DOCTYPE a [<!ENTITY l9 SYSTEM "file:///etc/passwd">]>',
    '<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd">',
)
ENCODINGS = "latin-1 utf-16 utf-16-be utf-32 utf-7 cp037 gbk shift_jis koi8-r idna klingon".split()
DATES = ("Thu, 01 Jan 2099 00:00:00 GMT", "0000-00-00", "-1", "9999-12-31T23:59:60Z", "soon", "1e309", "١٢/٣/٢٠٢٥")
LINKS = (
    "javascript:alert(1)",
    "http://[::1",
    "//x\x1b[31m",
    "http://a:99999/",
    "data:text/html,<b>",
    "http://" + "a" * 9_000,
)


def case(seed: int, number: int) -> Case:
    """The input of this number."""
    rng = random.Random(f"{seed}.{number}")
    kind = rng.choice(("rss", "rss", "rss", "atom", "atom", "rdf", "json", "sitemap", "lines", "lines"))
    told = [_told(rng) for _ in range(rng.choice((1, 2, 3, 8)))]
    done = []
    if kind == "lines":
        body = b"\n".join(_line(rng, each) for each in told)
        mutations: tuple[Mutation, ...] = (flip, cut, splice)
        times = rng.choice((0, 0, 1))
    else:
        body = _FEEDS[kind](told).encode("utf-8", "surrogatepass")
        mutations, times = MUTATIONS, rng.choice((0, 1, 1, 2, 4))
    for _ in range(times):
        mutation = rng.choice(mutations)
        body = mutation(rng, body)[:2_000_000]
        done.append(mutation.__name__)
    content_type = rng.choice(("", "text/xml", "application/rss+xml; charset=utf-8", "text/html; charset=gbk"))
    return Case("lines" if kind == "lines" else "feed", body, content_type, "+".join([kind, *done]))


def marks(count: int) -> Case:
    """One entry with so many combining marks on a letter."""
    told = Told("A calm title", "e" + "\u0301\u0323" * (count // 2), "en", "marks")
    return Case("feed", _rss([told]).encode(), "text/xml", f"{count} marks")


def _told(rng: random.Random) -> Told:
    """A report of the demo's newsroom or of the languages' files; a part of them, or all of it, hostile."""
    told = rng.choice(_stock())
    title, text, lang = told.title, told.text, told.lang
    for _ in range(rng.choice((0, 0, 1, 2))):
        payload = rng.choice(TEXTS + MARKUP)(rng)
        if rng.random() < 0.3:
            title = _insert(rng, title, payload)
        elif rng.random() < 0.1:
            text = payload
        else:
            text = _insert(rng, text, payload)
    if rng.random() < 0.1:
        lang = rng.choice(("", "xx", "<b>", "\x1b", "zh", "ja", "th", "tr", "a" * 9_999, *LANGUAGES))
    return Told(title, text, lang, rng.choice((told.guid, "", "same", CONTROLS, "g" * 5_000, str(rng.random()))))


@cache
def _stock() -> tuple[Told, ...]:
    made = [Told(a.title, a.text, a.lang, a.id) for a in articles(7, 150)]
    return tuple(made + [Told(r.title, r.text, lang, r.id) for lang in LANGUAGES for r in reports(lang)])


def _insert(rng: random.Random, text: str, payload: str) -> str:
    at = rng.randint(0, len(text))
    return text[:at] + payload + text[at:]


def _xml(text: str) -> str:
    """Escaped, or in a CDATA section, or as it stands: as careless servers do."""
    return (escape(text), f"<![CDATA[{text}]]>", text)[len(text) % 3]


def _rss(told: list[Told]) -> str:
    items = "".join(
        f"<item><guid>{_xml(t.guid)}</guid><title>{_xml(t.title)}</title><link>https://example.org/{n}</link>"
        f"<dc:language>{escape(t.lang)}</dc:language><pubDate>Mon, 16 Mar 2026 1{n % 10}:00:00 GMT</pubDate>"
        f"<description>{_xml(t.text)}</description></item>"
        for n, t in enumerate(told)
    )
    space = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
    return (
        f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0" {space}><channel>'
        f"<title>{_xml(told[0].title)}</title>"
        f"<link>https://example.org/</link><ttl>30</ttl>{items}</channel></rss>"
    )


def _atom(told: list[Told]) -> str:
    entries = "".join(
        f'<entry xml:lang="{escape(t.lang)}"><id>{_xml(t.guid)}</id><title type="html">{_xml(t.title)}</title>'
        f'<link href="/{n}"/><updated>2026-03-16T1{n % 10}:00:00Z</updated>'
        f'<content type="html">{_xml(t.text)}</content></entry>'
        for n, t in enumerate(told)
    )
    return (
        '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://example.org/">'
        f"<title>{_xml(told[0].title)}</title>{entries}</feed>"
    )


def _rdf(told: list[Told]) -> str:
    items = "".join(
        f'<item rdf:about="https://example.org/{n}"><title>{_xml(t.title)}</title><link>https://example.org/{n}</link>'
        f"<description>{_xml(t.text)}</description></item>"
        for n, t in enumerate(told)
    )
    return (
        '<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        f'xmlns="http://purl.org/rss/1.0/"><channel><title>{_xml(told[0].title)}</title></channel>{items}</rdf:RDF>'
    )


def _sitemap(told: list[Told]) -> str:
    urls = "".join(
        f"<url><loc>https://example.org/{n}</loc><news:news><news:publication><news:name>N</news:name>"
        f"<news:language>{escape(t.lang)}</news:language></news:publication>"
        f"<news:publication_date>2026-03-16T1{n % 10}:00:00Z</news:publication_date>"
        f"<news:title>{_xml(t.title)} {_xml(t.text)}</news:title></news:news></url>"
        for n, t in enumerate(told)
    )
    return (
        '<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
        f'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">{urls}</urlset>'
    )


def _json(told: list[Told]) -> str:
    items = [
        {"id": t.guid, "title": t.title, "url": f"https://example.org/{n}", "language": t.lang}
        | {
            ("content_html", "content_text", "summary")[len(t.text) % 3]: t.text,
            "date_published": DATES[n % len(DATES)],
        }
        for n, t in enumerate(told)
    ]
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": told[0].title, "items": items}
    return json.dumps(feed, ensure_ascii=len(told) % 2 == 0)


_FEEDS = {"rss": _rss, "atom": _atom, "rdf": _rdf, "json": _json, "sitemap": _sitemap}


def _line(rng: random.Random, told: Told) -> bytes:
    """A line of a file of articles; now and then a field is of another type, or its text escaped half a pair."""
    fields: dict[str, object] = {
        "id": told.guid, "title": told.title, "text": told.text, "lang": told.lang,
        "published": rng.choice((*DATES, "2026-03-16T12:00:00Z")), "url": rng.choice(LINKS), "source": told.title,
    }  # fmt: skip
    if rng.random() < 0.2:
        fields[rng.choice(list(fields))] = rng.choice((None, 1, 1e308, [], {"a": [[]]}, True, -(10**400), ""))
    return json.dumps(fields, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")


def flip(rng: random.Random, body: bytes) -> bytes:
    """Bytes changed."""
    changed = bytearray(body)
    for _ in range(rng.choice((1, 5, 100))):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def cut(rng: random.Random, body: bytes) -> bytes:
    """The end missing."""
    return body[: rng.randint(1, len(body))]


def splice(rng: random.Random, body: bytes) -> bytes:
    """A piece taken out, doubled, or moved."""
    start, end = sorted((rng.randint(0, len(body)), rng.randint(0, len(body))))
    return body[:start] + body[start:end] * rng.choice((0, 2, 3)) + body[end:] or b"x"


def double(rng: random.Random, body: bytes) -> bytes:
    """An entry many times."""
    found = re.search(rb"<(item|entry)\b.*?</\1>", body, re.DOTALL)
    return body.replace(found[0], found[0] * rng.choice((2, 20, 100)), 1)[:2_000_000] if found else body


def deepen(rng: random.Random, body: bytes) -> bytes:
    """Elements within each other, closed or not."""
    name = rng.choice((b"item", b"div", b"title", b"content"))
    depth = rng.choice((5, 300, 3_000))
    return _between(rng, body, b"<%b>" % name * depth + b"x" + b"</%b>" % name * rng.choice((0, depth)))


def adorn(rng: random.Random, body: bytes) -> bytes:
    """An element with many attributes, one name many times, or one that is huge."""
    many = b"".join(b' a%d="%d"' % (n, n) for n in range(rng.choice((50, 5_000))))
    extra = rng.choice((many, b' a="1"' * 300, b' a="' + b"x" * rng.choice((999, 300_000)) + b'"', b" xmlns:a='b'" * 2))
    tags = [found.end() for found in re.finditer(rb"<[a-z:]+", body)]
    at = rng.choice(tags) if tags else 0
    return body[:at] + extra + body[at:]


def recode(rng: random.Random, body: bytes) -> bytes:
    """In another encoding than it says, or saying another than it is in."""
    encoding = rng.choice(ENCODINGS)
    if rng.random() < 0.5:
        return re.sub(rb'<\?xml version="1.0"[^>]*>', b'<?xml version="1.0" encoding="%b"?>' % encoding.encode(), body)
    try:
        return body.decode("utf-8", "replace").encode(encoding, "replace")
    except (LookupError, UnicodeError):
        return body


def define(rng: random.Random, body: bytes) -> bytes:
    """Entities that grow, or that name a file."""
    declared = re.sub(rb"\?>", lambda found: found[0] + rng.choice(DOCTYPES).encode(), body, count=1)
    return _between(rng, declared, b"&l9;" * rng.choice((1, 50)))


def insert(rng: random.Random, body: bytes) -> bytes:
    """Something hostile anywhere."""
    return _between(rng, body, rng.choice(TEXTS + MARKUP)(rng).encode("utf-8", "surrogatepass"))


def date(rng: random.Random, body: bytes) -> bytes:
    """Another date, or another link."""
    body = re.sub(rb"(Mon, 16 Mar|2026-03-16)[^<]*", lambda _: rng.choice(DATES).encode(), body)
    return re.sub(rb"https://example.org/\d", lambda _: escape(rng.choice(LINKS)).encode(), body)


def _between(rng: random.Random, body: bytes, piece: bytes) -> bytes:
    at = rng.choice([found.end() for found in re.finditer(b">", body)] or [0])
    return body[:at] + piece + body[at:]


MUTATIONS: tuple[Mutation, ...] = (flip, cut, splice, double, deepen, adorn, recode, define, insert, date)
