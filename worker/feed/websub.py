"""A feed's subscription at its hub (W3C WebSub), and what is to be done about it next.

    wanted -> asked -> confirmed -> renewed ... -> no more wanted -> asked to end -> forgotten

Invariant: pure; nothing is confirmed that was not asked for, and what was not confirmed is asked for again, each time
later, up to once a day.
"""

import hmac
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from worker.feed.private import why_private_host

SUBSCRIBE, UNSUBSCRIBE = "subscribe", "unsubscribe"

LEASE_S = 10 * 86400.0
"""What is asked for: the hubs that are known give 5 to 15 days, whatever is asked for."""

_LEAST_LEASE_S, _MOST_LEASE_S = 300.0, 30 * 86400.0
_RENEW_FROM, _RENEW_OVER = 0.7, 0.2
"""A lease is renewed after so much of it, spread over so much: what was confirmed together is not renewed together."""

_PATIENCE_S, _LEAST_OFTEN_S = 600.0, 86400.0
_DENIED_S = 3 * 86400.0
_LEAVING_S = 60.0
"""How long a hub may take to confirm that a subscription ends; then it is told by 410 when it pushes."""

_REPEAT_S = 60.0
"""For so long a confirmation may come again: its answer may have been lost on the way."""

_OLD_SECRET_S = 3600.0
"""What a hub signed before it took the new secret may be under way for so long."""

_MAX_CHALLENGE, _MAX_REASON = 2_000, 200
_SIGNATURE = re.compile(r"(sha1|sha256|sha384|sha512)=([0-9a-f]{40,128})", re.IGNORECASE)
_MOST_MISSES = 5
_LEAST_PART = 4
"""So many characters of a secret are not shown either."""


class Wanted(NamedTuple):
    """A feed's hub, the topic under which it knows the feed, and where it is to push: without the secret part."""

    hub: str
    topic: str
    callback: str


class Subscription(Struct, frozen=True, array_like=True):
    """What is known of a subscription. Times are seconds since 1970, 0 for never.

    `token`: the unguessable end of its callback; `secret`: what pushes are signed with, `offered`: what they will be
    once the hub confirms, `before`: what they were; `asked`: when the hub was last asked for what is `pending` (""
    where nothing is), `tries`: how often in a row without a confirmation; `since`, `until`: what the hub has
    confirmed, `renew`: when to ask again; `denied`: when the hub refused; `reason`: why it is not in force, in words.
    """

    hub: str
    topic: str
    callback: str
    token: str
    secret: str = ""
    offered: str = ""
    before: str = ""
    pending: str = ""
    asked: float = 0.0
    tries: int = 0
    confirmed: float = 0.0
    since: float = 0.0
    until: float = 0.0
    renew: float = 0.0
    denied: float = 0.0
    reason: str = ""

    def active(self, now: float) -> bool:
        """Whether the hub has confirmed to push, and its lease lasts."""
        return bool(self.since) and now < self.until

    @property
    def wanted(self) -> Wanted:
        """What it was made for."""
        return Wanted(self.hub, self.topic, self.callback)


class Step(StrEnum):
    """What is to be done with a subscription."""

    SUBSCRIBE = SUBSCRIBE
    UNSUBSCRIBE = UNSUBSCRIBE
    FORGET = "forget"
    WAIT = "wait"


def next_step(known: Subscription | None, wanted: Wanted | None, now: float) -> tuple[Step, float]:
    """What to do now, and when to look again if that is to wait."""
    if known is None:
        return (Step.SUBSCRIBE if wanted else Step.FORGET), now
    if known.wanted == wanted:
        at = _due(known)
        return (Step.SUBSCRIBE, at) if now >= at else (Step.WAIT, min(at, known.until) if known.active(now) else at)
    if known.pending == UNSUBSCRIBE:
        at = known.asked + _LEAVING_S
        return (Step.FORGET if now >= at else Step.WAIT), at
    return (Step.UNSUBSCRIBE if known.active(now) or known.pending else Step.FORGET), now


def _due(known: Subscription) -> float:
    """When a subscription that is wanted is to be asked for again."""
    if known.pending == UNSUBSCRIBE:
        return 0.0
    if known.denied:
        return known.denied + _DENIED_S
    if known.tries:
        return known.asked + min(_PATIENCE_S * 4.0 ** (known.tries - 1), _LEAST_OFTEN_S)
    return known.renew


def asking(known: Subscription | None, wanted: Wanted, token: str, secret: str, now: float) -> Subscription:
    """The subscription that is about to be asked for; a known one keeps its token, and its secret until it confirms."""
    if known is None:
        known = Subscription(*wanted, token)
    tries = known.tries + 1 if known.pending != UNSUBSCRIBE else 1
    return replace(known, offered=secret, pending=SUBSCRIBE, asked=now, tries=tries, denied=0.0, reason="")


def leaving(known: Subscription, now: float) -> Subscription:
    """The subscription whose end is about to be asked for."""
    return replace(known, pending=UNSUBSCRIBE, asked=now, reason="ends: the feed is not read from there any more")


def failed(known: Subscription, reason: str) -> Subscription:
    """The subscription that a hub would not take: asked for again after a while."""
    return replace(known, reason=_line(hidden(known, reason))[:_MAX_REASON])


def hidden(known: Subscription, said: str) -> str:
    """What a hub says without what is secret of the subscription, which it may repeat: whole, or cut off at the end."""
    for secret in (known.token, known.secret, known.offered, known.before):
        if not secret:
            continue
        said = said.replace(secret, "…")
        for length in range(len(secret) - 1, _LEAST_PART - 1, -1):
            if said.endswith(secret[:length]):
                said = f"{said[:-length]}…"
                break
    return said


def confidential(hub: str) -> bool:
    """Whether a hub may be told a secret: over TLS (W3C WebSub, 5.1), or within a network that is private, and which
    it has to be allowed for then."""
    scheme, name = urlsplit(hub).scheme, host(hub)
    return bool(name) and (scheme == "https" or bool(why_private_host(name)))


def form(known: Subscription) -> dict[str, str]:
    """What the hub is sent for what is pending."""
    fields = {"hub.mode": known.pending, "hub.topic": known.topic, "hub.callback": callback(known)}
    if known.pending == SUBSCRIBE:
        fields |= {"hub.secret": known.offered, "hub.lease_seconds": f"{LEASE_S:.0f}"}
    return fields


def callback(known: Subscription) -> str:
    """The address that the hub pushes to."""
    return f"{known.callback}/{known.token}"


def confirmed(known: Subscription, query: Mapping[str, str], now: float, jitter: float) -> Subscription | None:
    """The subscription after a hub's question whether we asked for this; None where we did not. `jitter`: 0 to 1."""
    mode, challenge = query.get("hub.mode", ""), query.get("hub.challenge", "")
    if query.get("hub.topic") != known.topic or not 0 < len(challenge) <= _MAX_CHALLENGE:
        return None
    if mode == UNSUBSCRIBE == known.pending:
        return replace(known, since=0.0, until=0.0)
    if mode != SUBSCRIBE:
        return None
    if known.pending == SUBSCRIBE:
        lease_s = _lease_s(query.get("hub.lease_seconds", ""))
        return replace(
            known,
            before=known.secret,
            secret=known.offered,
            offered="",
            pending="",
            tries=0,
            confirmed=now,
            since=known.since if known.active(now) else now,
            until=now + lease_s,
            renew=now + lease_s * (_RENEW_FROM + _RENEW_OVER * jitter),
            reason="",
        )
    repeated = not known.pending and known.active(now) and now - known.confirmed < _REPEAT_S
    return known if repeated else None


def denied(known: Subscription, query: Mapping[str, str], now: float) -> Subscription | None:
    """The subscription after a hub's word that it does not push, or no more; None where that is of something else."""
    if query.get("hub.mode") != "denied" or query.get("hub.topic") != known.topic or known.pending == UNSUBSCRIBE:
        return None
    said = _line(hidden(known, query.get("hub.reason", "")))
    reason = f"denied by its hub {host(known.hub)}: {said or 'no reason given'}"
    return replace(known, pending="", tries=0, since=0.0, until=0.0, denied=now, reason=reason[:_MAX_REASON])


def lapsed(known: Subscription) -> Subscription:
    """The subscription whose lease has ended without being renewed."""
    return replace(known, since=0.0, until=0.0, reason=known.reason or "its lease has ended")


def genuine(known: Subscription, header: str, body: bytes, now: float) -> bool:
    """Whether a push was signed by the hub (X-Hub-Signature: METHOD=HEX, an HMAC of the body)."""
    match = _SIGNATURE.fullmatch(header.strip())
    if not match or not known.since:
        return False
    secrets = [known.secret, known.offered]
    if now - known.confirmed < _OLD_SECRET_S:
        secrets.append(known.before)
    method, said = match[1].lower(), match[2].lower()
    made = [hmac.new(secret.encode(), body, method).hexdigest() for secret in secrets if secret]
    return sum(hmac.compare_digest(each, said) for each in made) > 0  # each of them is compared


def trusted(known: Subscription | None, proofs: int, misses: int, now: float) -> bool:
    """Whether the hub's pushes stand for polls: it has brought news before a poll did, since it last missed any, and
    the more often the more it has missed."""
    return known is not None and known.active(now) and proofs >= 1 + 2 * min(misses, _MOST_MISSES)


def host(url: str) -> str:
    """The host of an address that was checked before."""
    return urlsplit(url).hostname or ""


def _line(text: str) -> str:
    """What a hub says, as one line without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _lease_s(text: str) -> float:
    said_s = float(text) if re.fullmatch(r"[0-9]{1,10}", text.strip()) else LEASE_S
    return min(max(said_s, _LEAST_LEASE_S), _MOST_LEASE_S)
