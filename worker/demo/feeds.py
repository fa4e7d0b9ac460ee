"""Feeds, article pages and the OPML of the newsroom, as text: RSS 2.0, Atom, RSS 1.0.

Invariant: pure; whatever stands in a title or a text is escaped. `when` turns simulated time into the time shown.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape

from worker.demo.newsroom import Published
from worker.demo.outlets import Outlet

When = Callable[[float], float]

CONTENT_TYPES = {"rss": "application/rss+xml", "atom": "application/atom+xml", "rdf": "application/rdf+xml"}


def feed(outlet: Outlet, site: str, articles: Sequence[Published], when: When) -> bytes:
    """The outlet's feed with these articles, in its format. `site`: scheme, host and port."""
    render = {"rss": _rss, "atom": _atom, "rdf": _rdf}[outlet.feed]
    return render(outlet, f"{site}/{outlet.id}", articles, when).encode()


def page(outlet: Outlet, article: Published) -> str:
    """An article as a web page."""
    return (
        f'<!doctype html>\n<html lang="{outlet.lang}"><meta charset="utf-8"><title>{escape(article.title)}</title>\n'
        f'<p><a href="/">{escape(outlet.name)}</a></p>\n<article><h1>{escape(article.title)}</h1>\n{article.html}'
        "</article></html>\n"
    )


def front_page(outlets: Sequence[Outlet]) -> str:
    """All outlets, with their feeds."""
    items = "".join(f'<li><a href="/{o.id}/feed.xml">{escape(o.name)}</a> ({o.lang})</li>\n' for o in outlets)
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>The local newsroom</title>\n'
        f'<h1>The local newsroom</h1>\n<ul>\n{items}</ul><p><a href="/feeds.opml">OPML</a></p></html>\n'
    )


def opml(outlets: Sequence[Outlet], site: str) -> str:
    """A list of all feeds that any reader imports."""
    outlines = "".join(
        f'    <outline type="rss" text="{escape(o.name)}" title="{escape(o.name)}" '
        f'xmlUrl="{site}/{o.id}/feed.xml" htmlUrl="{site}/" language="{o.lang}"/>\n'
        for o in outlets
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<opml version="2.0">\n'
        "  <head><title>The local newsroom</title></head>\n"
        f"  <body>\n{outlines}  </body>\n</opml>\n"
    )


def _stamp(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _rss(outlet: Outlet, home: str, articles: Sequence[Published], when: When) -> str:
    items = "".join(
        f"<item><title>{escape(a.title)}</title><link>{escape(a.url)}</link>"
        f'<guid isPermaLink="{str(a.guid == a.url).lower()}">{escape(a.guid)}</guid>'
        f"<pubDate>{format_datetime(datetime.fromtimestamp(when(a.published), UTC))}</pubDate>"
        f"{_rss_text(outlet, a)}</item>\n"
        for a in articles
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>\n'
        f"<title>{escape(outlet.name)}</title><link>{home}</link><description>{escape(outlet.name)}</description>"
        f"<language>{outlet.lang}</language>\n{items}</channel></rss>\n"
    )


def _rss_text(outlet: Outlet, article: Published) -> str:
    """Papers give a summary and the whole text; tabloids put all into the description, as CDATA."""
    if outlet.headline == "shout":
        return f"<description><![CDATA[{article.html.replace(']]>', ']]&gt;')}]]></description>"
    summary = escape(article.paragraphs[0])
    return f"<description>{summary}</description><content:encoded>{escape(article.html)}</content:encoded>"


def _atom(outlet: Outlet, home: str, articles: Sequence[Published], when: When) -> str:
    entries = "".join(
        f'<entry><title>{escape(a.title)}</title><id>{escape(a.guid)}</id><link href="{escape(a.url)}"/>'
        f"<published>{_stamp(when(a.published))}</published><updated>{_stamp(when(a.updated))}</updated>"
        f'<content type="html">{escape(a.html)}</content></entry>\n'
        for a in articles
    )
    latest = max((when(a.updated) for a in articles), default=0.0)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{outlet.lang}">\n'
        f'<title>{escape(outlet.name)}</title><id>{home}</id><link href="{home}/feed.xml" rel="self"/>'
        f"<updated>{_stamp(latest)}</updated>\n{entries}</feed>\n"
    )


def _rdf(outlet: Outlet, home: str, articles: Sequence[Published], when: When) -> str:
    listed = "".join(f'<rdf:li rdf:resource="{escape(a.url)}"/>' for a in articles)
    items = "".join(
        f'<item rdf:about="{escape(a.url)}"><title>{escape(a.title)}</title><link>{escape(a.url)}</link>'
        f"<description>{escape(a.html)}</description><dc:date>{_stamp(when(a.published))}</dc:date></item>\n"
        for a in articles
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rdf:RDF xmlns="http://purl.org/rss/1.0/" '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/">\n'
        f'<channel rdf:about="{home}"><title>{escape(outlet.name)}</title><link>{home}</link>'
        f"<description>{escape(outlet.name)}</description><dc:language>{outlet.lang}</dc:language>"
        f"<items><rdf:Seq>{listed}</rdf:Seq></items></channel>\n{items}</rdf:RDF>\n"
    )
