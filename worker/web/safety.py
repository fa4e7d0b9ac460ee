"""Who may read and who may edit: the token, the sessions of browsers, the tokens of forms, the key of feeds.

    token -> HMAC -> session (signed, expires) -> HMAC -> form token
                  -> read key (for readers of feeds, which send no headers)

Invariant: secrets are compared in constant time and are in no address but the read key, which cannot edit; another
token ends all that came of the one before.
"""

import hashlib
import hmac
import os
import secrets
import stat
from base64 import urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from worker.config import Settings, endpoints, load
from worker.errors import BadSetting

SESSION_S = 7 * 86_400
COOKIE = "storywire_session"
FIELD = "csrf"
"""The name of the field of a form that holds its token."""

_MOST_ENDED = 10_000
_MAKE = "set STORYWIRE_TOKEN, or STORYWIRE_TOKEN_FILE, to what `openssl rand -hex 24` prints"


class Safety:
    """What a request may do. `exposed`: others than this machine reach the site, so reading needs the token too.

    Raises BadSetting where a token is demanded and there is none, or its file cannot be used.
    """

    def __init__(self, settings: Settings, now: Callable[[], float]) -> None:
        self._token, self._now = read_token(settings), now
        self._proxies = settings.proxies
        self._ended: OrderedDict[str, None] = OrderedDict()
        self.public = urlsplit(settings.public_url)
        self.loopback = is_loopback(endpoints(settings.listen)[0][0])
        self.exposed = not self.loopback or not is_loopback(self.public.hostname or "localhost")
        if self.exposed and not self._token:
            why = (
                f"STORYWIRE_PUBLIC_URL={settings.public_url}: others reach the pages there"
                if self.loopback
                else f"STORYWIRE_LISTEN={settings.listen}: others than this machine reach it"
            )
            raise BadSetting(f"{why}, which takes a token: {_MAKE}")

    def split(self, path: str) -> tuple[str, str]:
        """A path as (what it is served under, the rest): (`/wire`, `/feeds`) or ("", `/feeds`)."""
        base = self.public.path
        under = base and (path == base or path.startswith(base + "/"))
        return (base, path[len(base) :] or "/") if under else ("", path)

    @property
    def hides_clients(self) -> bool:
        """Whether a proxy stands before it for sure, and the settings do not say so: all clients look like one."""
        return not self._proxies and self.exposed and (self.loopback or self.secure)

    @property
    def has_token(self) -> bool:
        """Whether there is a token: without one nobody may edit."""
        return bool(self._token)

    @property
    def secure(self) -> bool:
        """Whether browsers come by https."""
        return self.public.scheme == "https"

    def may_read(self, request: HTTPConnection) -> bool:
        """Whether pages are for this request: everybody's on this machine alone, else of who has token or key."""
        return not self.exposed or self.may_edit(request) or self._same(self._bearer(request), self._read_key())

    def may_edit(self, request: HTTPConnection) -> bool:
        """Whether it is the editor: by `Authorization: Bearer TOKEN`, or by a session. A form of a session is to be
        checked besides, see `check_form`."""
        return self.has_bearer(request) or bool(self._session(request))

    def has_bearer(self, request: HTTPConnection) -> bool:
        """Whether it comes with the token in its header, as programs do."""
        return self._same(self._bearer(request), self._token)

    def has_wrong_bearer(self, request: HTTPConnection) -> bool:
        """Whether it guesses the token: what it sends for it is neither that nor the key of feeds."""
        given = self._bearer(request)
        return bool(given) and not self._same(given, self._token) and not self._same(given, self._read_key())

    def form_token(self, request: HTTPConnection) -> str:
        """What a form of this session sends back in its field `csrf`; "" for who may not edit."""
        session = self._session(request)
        return self._signed("form", session) if session else ""

    def check_form(self, request: HTTPConnection, form: Mapping[str, Any]) -> bool:
        """Whether the editor sent this form from a page of ours."""
        given = form.get(FIELD, "")
        expected = self.form_token(request)
        return self.has_bearer(request) or (isinstance(given, str) and self._same(given, expected))

    def feed_key(self, request: HTTPConnection) -> str:
        """What to add to the address of a feed as `key`, for who may read; "" where none is needed."""
        return self._read_key() if self.exposed and self.may_read(request) else ""

    def opens_feed(self, request: HTTPConnection) -> bool:
        """Whether an address ends with the right key."""
        return self._same(request.query_params.get("key", ""), self._read_key())

    def log_in(self, given: str) -> str:
        """A new session for who gives the token; "" for anybody else."""
        if not self._same(given.strip(), self._token):
            return ""
        session = f"{int(self._now()) + SESSION_S}.{secrets.token_urlsafe(12)}"
        return f"{session}.{self._signed('session', session)}"

    def log_out(self, request: HTTPConnection) -> None:
        """End the session of a request for every copy of its cookie, until this process ends: the last 10,000."""
        if session := self._session(request):
            self._ended[session] = None
            if len(self._ended) > _MOST_ENDED:
                self._ended.popitem(last=False)

    def _session(self, request: HTTPConnection) -> str:
        """The session of a request; "" for none, one that has ended, or one that is not ours."""
        session, _, signature = request.cookies.get(COOKIE, "").rpartition(".")
        until = session.partition(".")[0]
        if session in self._ended or not self._same(signature, self._signed("session", session)):
            return ""
        return session if until.isdecimal() and int(until) > self._now() else ""

    def _read_key(self) -> str:
        return self._signed("read", "")

    def _signed(self, use: str, text: str) -> str:
        if not self._token:
            return ""
        made = hmac.digest(self._token.encode(), f"storywire {use} {text}".encode(errors="replace"), "sha256")
        return urlsafe_b64encode(made[:24]).decode()

    @staticmethod
    def _bearer(request: HTTPConnection) -> str:
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        return given.strip() if kind.lower() == "bearer" else ""

    @staticmethod
    def _same(given: str, ours: str) -> bool:
        """Never true of an empty one."""
        one, other = (hashlib.sha256(text.encode(errors="replace")).digest() for text in (given, ours))
        return bool(ours) and hmac.compare_digest(one, other)


def is_loopback(host: str) -> bool:
    """Whether a host's name or address, as in a URL, is this machine's own."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        name = host.lower().rstrip(".")
        return name == "localhost" or name.endswith(".localhost")


def read_token(settings: Settings) -> str:
    """The token of the settings, "" for none; raises BadSetting for a file that others may read, or that holds none."""
    if not settings.token_file:
        return settings.token
    if settings.token:
        raise BadSetting("STORYWIRE_TOKEN and STORYWIRE_TOKEN_FILE are both set: set one of them")
    path, named = Path(settings.token_file), f"STORYWIRE_TOKEN_FILE={settings.token_file}"
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(1_000).decode(errors="replace").strip()
    except OSError as error:
        raise BadSetting(f"{named}: {(error.strerror or 'cannot be read').lower()}: {_MAKE}") from None
    if mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP):
        raise BadSetting(f"{named}: others may read or change it: run `chmod 600` on it")
    if not text:
        raise BadSetting(f"{named}: is empty: write into it what `openssl rand -hex 24` prints")
    try:
        return load({"STORYWIRE_TOKEN": text}).token
    except BadSetting as error:
        raise BadSetting(f"{named}: {str(error).partition(': ')[2]}") from None
