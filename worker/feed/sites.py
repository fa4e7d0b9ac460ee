"""Whose a site is: what publishes for itself, what lends others a place, and what only leads to others.

Invariant: the one place that names sites; a function of the address and of these tables.
"""

from worker.feed.domain import hostname, registrable

_PLATFORMS = frozenset(
    "beehiiv.com buttondown.email canalblog.com ghost.io livejournal.com medium.com over-blog.com substack.com "
    "tumblr.com typepad.com wordpress.com".split()
)
"""Lend a subdomain to whoever writes there, and are not in the private part of the public suffix list, as
`blogspot.com` and `github.io` are."""

_BY_PATH = frozenset("facebook.com medium.com sites.google.com t.me".split())
"""Lend the first part of their paths: `medium.com/@ann`."""

_AGGREGATORS = frozenset(
    # search engines' and portals' news: Google News, Yahoo, MSN, Bing, Apple News, NAVER, Daum, AOL
    "news.google.com yahoo.com msn.com bing.com apple.news news.apple.com naver.com daum.net aol.com "
    # readers and lists of links
    "flipboard.com feedly.com inoreader.com newsblur.com smartnews.com newsbreak.com upday.com news360.com ground.news "
    "allsides.com memeorandum.com techmeme.com drudgereport.com newsnow.co.uk alltop.com pocket.co getpocket.com "
    "reddit.com redd.it news.ycombinator.com hnrss.org lobste.rs slashdot.org digg.com fark.com metafilter.com "
    # social networks: who writes there is no newsroom by the network's name
    "twitter.com x.com t.co linkedin.com youtube.com youtu.be instagram.com threads.net bsky.app pinterest.com "
    # archives of pages
    "web.archive.org archive.ph archive.is archive.today webcache.googleusercontent.com".split()
)
"""Show what others report: what they call themselves names no newsroom."""

_CARRIERS = frozenset(
    # feeds of others under an address of their own
    "feedburner.com feedproxy.google.com feedblitz.com rss.app fetchrss.com politepol.com feed43.com rsshub.app "
    "openrss.org morss.it feedx.net superfeedr.com "
    # short addresses, and redirections that do not say where they lead
    "bit.ly buff.ly dlvr.it goo.gl is.gd ift.tt lnkd.in ow.ly shorturl.at tinyurl.com trib.al".split()
)
"""Carry feeds and links of others, and say nothing of whose."""

_RESERVED = frozenset("example.com example.net example.org".split())
_RESERVED_ENDS = (".example", ".invalid", ".localhost", ".test", ".local", ".internal", ".arpa", ".onion")
"""Names that are nobody's (RFC 2606, RFC 6761), so that they tell nobody apart."""

_ALSO = {
    "bbc.com": "bbc.co.uk",
    "bbci.co.uk": "bbc.co.uk",
    "dw.de": "dw.com",
    "guardian.co.uk": "theguardian.com",
    "huffingtonpost.com": "huffpost.com",
    "nyti.ms": "nytimes.com",
    "reut.rs": "reuters.com",
    "skynews.com": "sky.com",
    "wapo.st": "washingtonpost.com",
}
"""Further domains of newsrooms: of the same articles, of their feeds, of short links to them."""


def site(url: str) -> str:
    """Who publishes at an address: its registrable domain, or what a platform lends (`ann.substack.com`); "" for an IP
    address, and for a name that is nobody's."""
    host = hostname(url)
    domain = registrable(url)
    if not domain or domain in _RESERVED or host.endswith(_RESERVED_ENDS):
        return ""
    if domain in _PLATFORMS and host.removeprefix("www.") != domain:
        return ".".join(host.split(".")[-3:])
    return domain


def newsroom(url: str) -> str:
    """Whose report a page at this address is: its site; "" where that is nobody's, an aggregator's or a carrier's."""
    host = hostname(url).removeprefix("www.")
    domain = site(url)
    if not domain or leads_elsewhere(url) or carries(url):
        return ""
    first = url.partition("//")[2].partition("/")[2].partition("/")[0].partition("?")[0]
    if first and (domain in _BY_PATH or host in _BY_PATH):
        return f"{host if host in _BY_PATH else domain}/{first.lower()}"
    return _ALSO.get(domain, domain)


def leads_elsewhere(url: str) -> bool:
    """Whether what is shown at this address are others' reports: an aggregator, a list of links."""
    return _among(url, _AGGREGATORS)


def carries(url: str) -> bool:
    """Whether the address is a carrier's, which says nothing of whose feed or article it is."""
    return _among(url, _CARRIERS)


def _among(url: str, hosts: frozenset[str]) -> bool:
    labels = hostname(url).split(".")
    return any(".".join(labels[start:]) in hosts for start in range(len(labels) - 1))
