"""The address of a feed: checked once, written one way, and its id made of it.

Invariant: two spellings of one address have one id; an address that passed here is http(s) and has a host.
"""

import re
from hashlib import blake2b
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from worker.errors import BadInput

MAX_URL = 2_000
"""Longer addresses are refused by many servers, and nobody types them."""

NONCHARACTERS = "\ufdd0-\ufdef" + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
"""Of an expression's class: the code points that are no characters for good (Unicode 23.7), two of which no XML may
hold."""

_UNSAFE = re.compile(rf"[\x00-\x20\x7f{NONCHARACTERS}]")
_WITHOUT_SCHEME = re.compile(
    r"(?://)?((?:\[[0-9a-f:.]+\]|localhost|[^\s/:?#@\[\]]+\.[^\s/:?#@\[\]]+)(?::[0-9]+)?(?:[/?#].*)?)", re.IGNORECASE
)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def normal_url(text: str) -> str:
    """The one spelling of a feed's address: scheme and host in lower case, no fragment, no default port.

    `feed:` is read as browsers read it. Raises BadInput for what is no http(s) URL with a host.
    """
    url = text.strip()
    if url.lower().startswith("feed:"):
        url = url[5:] if url[5:].lower().startswith(("http:", "https:")) else "https:" + url[5:]
    parts = _split(url)
    if parts is None:
        raise BadInput(f"{_short(text)} is no URL: write it like https://example.org/feed.xml")
    if parts.scheme not in _DEFAULT_PORTS:
        raise BadInput(f"{_short(text)} is not http or https: write it like https://example.org/feed.xml")
    if not parts.hostname or _UNSAFE.search(url) or len(url) > MAX_URL:
        raise BadInput(f"{_short(text)} is no URL with a host: write it like https://example.org/feed.xml")
    return urlunsplit((parts.scheme, _netloc(parts), parts.path or "/", parts.query, ""))


def spellings(text: str) -> list[str]:
    """The addresses that a person may mean: of what names no scheme, like `example.org` and `feed://example.org/x`,
    that of https first, then of http; anything else is what it is."""
    rest = text.strip()
    if rest.lower().startswith("feed:"):
        rest = rest[5:]
    found = _WITHOUT_SCHEME.fullmatch(rest)
    return [f"{scheme}://{found[1]}" for scheme in ("https", "http")] if found else [text]


def feed_id(url: str) -> str:
    """12 characters that stand for a feed in keys, ids and logs (BLAKE2b of its address)."""
    return blake2b(url.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def shown_url(url: str) -> str:
    """The address as logs and tables show it: without a password."""
    parts = _split(url)
    if parts is None or "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def host(url: str) -> str:
    """The host of an address without `www.`: what an outlet without a name is called."""
    parts = _split(url)
    return ((parts.hostname or "") if parts else "").removeprefix("www.")


def web_link(base: str, link: str) -> str:
    """The absolute http(s) address of a link in a document at `base`, or "" where it is none."""
    try:
        url = urljoin(base, _UNSAFE.sub("", link) if "\n" in link or "\t" in link else link.strip())
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme not in _DEFAULT_PORTS or not parts.netloc or len(url) > MAX_URL or _UNSAFE.search(url):
        return ""
    return url.encode("utf-8", "ignore").decode("utf-8")


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 (raises for a port that is no number)
    except ValueError:
        return None
    return parts if parts.scheme else None


def _netloc(parts: SplitResult) -> str:
    userinfo, at, _ = parts.netloc.rpartition("@")
    name = (parts.hostname or "").encode("utf-8", "ignore").decode("utf-8")
    name = f"[{name}]" if ":" in name else name
    port = "" if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return f"{userinfo}{at}{name}{port}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return repr(text if len(text) <= 100 else text[:97] + "...")
