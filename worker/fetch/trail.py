"""The way of one fetch through its redirects: where it leads next, with which cookies, and whether it moved for good.

Invariant: a fetch asks nothing twice in the same words, follows MAX_REDIRECTS redirects at most, and forgets its
cookies with its end; a password goes to the server that it was written for alone.
"""

from collections.abc import Iterable
from urllib.parse import quote

from aiohttp import CookieJar
from yarl import URL

from worker.fetch import answers
from worker.fetch.answers import Failed

MAX_REDIRECTS = 5
"""Real feeds have three at most: to https, to www, to a host that serves feeds."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})
_ASCII = "".join(map(chr, range(0x21, 0x7F)))


class Trail:
    """Where a fetch stands. Raises ValueError for an address that is none."""

    def __init__(self, url: str) -> None:
        self.url = self._start = URL(url)
        self.cookies = ""
        self.redirects = 0
        self._permanent = True
        self._jar: CookieJar | None = None
        self._asked = {(self.url, "")}

    @property
    def moved(self) -> str:
        """Where permanent redirects alone led, or ""; from https to http is no move that anybody should follow."""
        worse = self._start.scheme == "https" != self.url.scheme
        return "" if not self._permanent or worse or self.url == self._start else str(self.url)

    @property
    def shown(self) -> str:
        """The present address as a line shows it."""
        return str(self.url.with_user(None))[:200]

    def follow(self, status: int, location: str, set_cookies: Iterable[str]) -> Failed | None:
        """Go where a redirect leads; a failure where that is no place to go."""
        if not location:
            return Failed("redirects", f"answers with status {status} and does not say where to: {_REMEDY}", "", status)
        try:
            place = URL(_quoted(location))
            target = self.url.join(place).with_fragment(None)
        except ValueError:
            return answers.redirected_to(location)
        if target.scheme not in ("http", "https") or (place.scheme and not place.host):
            return answers.redirected_to(location)
        if target.origin() == self.url.origin() and self.url.user and not target.user:
            target = target.with_user(self.url.user).with_password(self.url.password)
        self._keep(set_cookies)
        self._permanent = self._permanent and status in _PERMANENT
        return self._go(target)

    def in_words(self, failed: Failed) -> Failed:
        """A failure as it is told: with where the redirects led, if that is not said already."""
        if not self.redirects or failed.kind in ("dns", "redirects"):
            return failed
        return failed._replace(reason=f"redirects to {self.shown}, which {failed.reason}")

    def _keep(self, set_cookies: Iterable[str]) -> None:
        for header in set_cookies:
            self._jar = self._jar or CookieJar(unsafe=True)  # which keeps those of hosts that are numbers, too
            self._jar.update_cookies_from_headers([header], self.url)

    def _go(self, target: URL) -> Failed | None:
        self.redirects += 1
        cookies = self._jar.filter_cookies(target) if self._jar else {}
        self.url, self.cookies = target, "; ".join(f"{name}={cookie.value}" for name, cookie in cookies.items())
        if (self.url, self.cookies) in self._asked:
            return Failed("redirects", f"redirects in a circle, through {self.shown}: {_REMEDY}")
        self._asked.add((self.url, self.cookies))
        if self.redirects > MAX_REDIRECTS:
            return Failed("redirects", f"redirects more than {MAX_REDIRECTS} times: {_REMEDY}")
        return None


_REMEDY = "look for its new address"


def _quoted(location: str) -> str:
    """A Location in ASCII: letters of other scripts come as raw bytes, in whatever encoding the server has."""
    return quote(location.strip().encode("utf-8", "surrogateescape"), safe=_ASCII)
