"""The canonical form of an article's address: what all the links to one article have in common. For comparing, not for
opening: what is shown is the address as it came.

Invariant: pure, never raises, and canonical(canonical(x)) == canonical(x). A rule that could make one of two different
articles is not taken: what is not known to mean nothing is kept.
"""

import re
from functools import lru_cache
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit, urlunsplit

from worker.feed.domain import hostname, is_host, registrable
from worker.feed.sites import site

_PREFIXES = (
    "utm_",  # Google Analytics: support.google.com/analytics/answer/10917952
    "mtm_", "piwik_", "matomo_",  # Matomo: matomo.org/faq/tracking-campaigns
    "hsa_", "_hs",  # HubSpot: knowledge.hubspot.com/ads
    "at_",  # AT Internet, Piano: at_medium, at_campaign, at_link_type
    "ns_",  # Comscore: ns_mchannel, ns_source, ns_campaign
    "guce_",  # Yahoo's consent page: guce_referrer, guce_referrer_sig
    "soc_",  # Yahoo: soc_src, soc_trk
    "vero_",  # Vero: vero_id, vero_conv
    "oly_",  # Omeda: oly_enc_id, oly_anon_id
    "amp_js_", "amp_gsa", "amp_lite",  # the AMP viewer: amp.dev/documentation
)  # fmt: skip

_NAMES = frozenset(
    # click ids: Facebook, Google Ads (support.google.com/google-ads/answer/9744275), Microsoft, X, TikTok, LinkedIn,
    # Instagram, Yandex
    "fbclid gclid gclsrc dclid gbraid wbraid msclkid twclid ttclid li_fat_id igshid igsh yclid ysclid _openstat "
    # mail: Mailchimp, Marketo, HubSpot, Drip, Klaviyo
    "mc_cid mc_eid mkt_tok hsctatracking __s _ke _kx "
    # measuring: Google's linker, Webtrekk, AT Internet, Adobe, Matomo, Alibaba
    "_ga _gl pk_campaign pk_kwd wt_mc wt.mc_id xtor s_cid cmpid spm "
    # sharing: X's embeds, Guardian, Forbes, New York Times, Reuters, CBS, Al Jazeera, MSN, Yahoo
    "__twitter_impression cmp sh smid smtyp emc taid ftag traffic_source ocid cvid guccounter sr_share "
    "feedtype feedname "
    # sessions: PHP, Java; AMP's cache: usqp
    "phpsessid jsessionid usqp".split()
)
"""What says where a reader came from, in lower case: the vendors' own documentation, and the addresses in outlets'
feeds. A name that may say which article is not here: id, p, page, article, sid, s, t, m, date."""

_WHENCE = frozenset("ref source src rss partner from via share outputtype output amp _amp".split())
_WHENCE_VALUES = frozenset(
    "rss feed rssfeed rss_feed rss2 atom twitter tw facebook fb email mail newsletter share social linkedin whatsapp "
    "telegram home homepage amp 1 true".split()
)
"""Names that mean nothing with these values alone; anything else may be an article's number."""

_LABELS = ("www", "m", "mobile", "amp", "touch")
_INDEX = re.compile(r"/index\.(?:html?|shtml|php|aspx?|jsp)$", re.IGNORECASE)
_SESSION = re.compile(r";jsessionid=[^/;]*", re.IGNORECASE)
_WRAPPING = re.compile(r"google\.|\.ampproject\.org$|bing-amp\.com$|^bing\.com$|facebook\.com$")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PORTS = (None, 80, 443)


@lru_cache(maxsize=4_096)
def canonical(url: str) -> str:
    """The canonical form of a web address; of anything else the text itself.

    `https`, the host without `www.`, `m.` and the like, no default port, no tracking, no fragment but one that says
    which page (`#!`, `#/`), no AMP, no `/` and no `index.html` at the end; what is left of the query sorted by name.
    """
    text = url.strip()
    while (shorter := _once(text)) != text:
        text = shorter.strip()
    return text


def _once(text: str) -> str:
    parts = _parts(text)
    return text if parts is None else _inside(parts) or _written(parts)


def is_page(link: str) -> bool:
    """Whether a canonical address leads to a page of its own, and not to a site as a whole."""
    parts = _parts(link)
    return parts is not None and bool(parts.path.strip("/") or parts.query or parts.fragment)


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 (raises for a port that is no number)
    except ValueError:
        return None
    host = parts.hostname if parts.scheme in ("http", "https") else None
    return parts if host and is_host(host) else None


def _inside(parts: SplitResult) -> str:
    """The address that another one wraps: AMP caches (developers.google.com/amp/cache/overview), and redirections that
    say where they lead; "" where it wraps none."""
    host, path = (parts.hostname or "").removeprefix("www."), parts.path
    if not _WRAPPING.search(host):
        return ""
    is_google = host.partition(".")[0] == "google" and registrable(f"https://{host}") == host
    if is_google and path.startswith("/amp/"):
        return _cached(path[5:], parts.query)
    if host.endswith((".cdn.ampproject.org", ".bing-amp.com")) and path[:3] in ("/c/", "/v/"):
        return _cached(path[3:], parts.query)
    names = set[str]()
    if is_google and path == "/url":
        names = {"url", "q"}
    elif registrable(f"https://{host}") == "facebook.com" and path == "/l.php":
        names = {"u"}
    elif host == "bing.com" and path.lower() == "/news/apiclick.aspx":
        names = {"url"}
    values = [value for name, value in _pairs(parts.query) if name in names]
    found = next((value.strip() for value in values if _parts(value.strip())), "")
    return found if len(found) < len(urlunsplit(parts)) else ""


def _cached(rest: str, query: str) -> str:
    """`s/HOST/PATH` for https, `HOST/PATH` for http."""
    address = f"https://{rest.removeprefix('s/')}" + (f"?{query}" if query else "")
    inner = _parts(address)
    return address if inner is not None and registrable(address) else ""


def _written(parts: SplitResult) -> str:
    name = (parts.hostname or "").rstrip(".")
    host = _host(name if name.isascii() else hostname(f"https://{name}") or name)
    port = "" if parts.port in _PORTS else f":{parts.port}"
    fragment = parts.fragment if parts.fragment.startswith(("!", "/")) and len(parts.fragment) > 1 else ""
    kept = [piece for piece in parts.query.split("&") if piece and not _is_tracking(piece, host)]
    query = "&".join(sorted((_unescaped(piece) for piece in kept), key=lambda piece: piece.partition("=")[0]))
    return urlunsplit(("https", f"[{host}]{port}" if ":" in host else host + port, _path(parts.path), query, fragment))


def _host(host: str) -> str:
    """Without what only says for which screen: as long as the same site, or registrable domain, is left."""
    if host.partition(".")[0] not in _LABELS:
        return host
    address = f"https://{host}"
    least = site(address) or registrable(address)
    while least and host != least:
        label, _, rest = host.partition(".")
        if label not in _LABELS:
            break
        host = rest
    return host


def _path(path: str) -> str:
    path = _SESSION.sub("", _unescaped(path))
    while True:
        shorter = _INDEX.sub("/", path).rstrip("/")
        shorter = shorter.removesuffix("/amp").removesuffix(".amp")
        shorter = shorter.removesuffix(".amp.html") + ".html" if shorter.endswith(".amp.html") else shorter
        shorter = shorter[4:] if shorter.startswith("/amp/") else shorter
        if shorter == path:
            return path
        path = shorter


def _is_tracking(piece: str, host: str) -> bool:
    name, _, value = piece.partition("=")
    name, value = unquote(name).lower(), unquote(value).lower()
    if name in _NAMES or name.startswith(_PREFIXES):
        return True
    if name in ("amp", "_amp") and not value:
        return True
    return (name in _WHENCE and value in _WHENCE_VALUES) or (name == "m" and ".blogspot." in host)


def _unescaped(text: str) -> str:
    """RFC 3986, 6.2.2: escapes in upper case, and none for what needs none."""

    def plain(match: re.Match[str]) -> str:
        code = int(match[1], 16)
        return chr(code) if code in _UNRESERVED else match[0].upper()

    while (simpler := _ESCAPE.sub(plain, text)) != text:
        text = simpler
    return text


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query)
    except ValueError:
        return []
