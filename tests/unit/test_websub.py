"""What is done about a subscription, step by step, without a hub."""

import hmac
from typing import Any

import pytest
from msgspec.structs import replace

from worker.feed import websub
from worker.feed.websub import Step, Subscription, Wanted

NOW = 1_750_000_000.0
DAY_S = 86_400.0
WANTED = Wanted("https://hub.example/", "https://news.example/feed", "https://us.example/websub/f")
ASKED = websub.asking(None, WANTED, "token", "secret", NOW)


def question(**fields: Any) -> dict[str, str]:
    """A hub's question about ASKED, with fields changed."""
    said = {"mode": "subscribe", "topic": WANTED.topic, "challenge": "c", "lease_seconds": "864000"} | fields
    return {f"hub.{name}": str(value) for name, value in said.items()}


def confirmed(**fields: Any) -> Subscription:
    """ASKED, confirmed ten seconds later."""
    found = websub.confirmed(ASKED, question(**fields), NOW + 10, 0.0)
    assert found is not None
    return found


def test_a_hub_is_sent_what_the_standard_wants() -> None:
    assert websub.form(ASKED) == {
        "hub.mode": "subscribe",
        "hub.topic": "https://news.example/feed",
        "hub.callback": "https://us.example/websub/f/token",
        "hub.secret": "secret",
        "hub.lease_seconds": "864000",
    }
    assert set(websub.form(websub.leaving(confirmed(), NOW))) == {"hub.mode", "hub.topic", "hub.callback"}


@pytest.mark.parametrize(
    ("known", "wanted", "at", "step"),
    [
        (None, WANTED, NOW, (Step.SUBSCRIBE, NOW)),
        (None, None, NOW, (Step.FORGET, NOW)),
        (ASKED, WANTED, NOW, (Step.WAIT, NOW + 600)),
        (ASKED, WANTED, NOW + 600, (Step.SUBSCRIBE, NOW + 600)),
        (confirmed(), WANTED, NOW + DAY_S, (Step.WAIT, NOW + 10 + 7 * DAY_S)),
        (confirmed(), WANTED, NOW + 8 * DAY_S, (Step.SUBSCRIBE, NOW + 10 + 7 * DAY_S)),
        (confirmed(), None, NOW + DAY_S, (Step.UNSUBSCRIBE, NOW + DAY_S)),
        (confirmed(), WANTED._replace(hub="https://other.example/"), NOW + DAY_S, (Step.UNSUBSCRIBE, NOW + DAY_S)),
        (ASKED, None, NOW + 1, (Step.UNSUBSCRIBE, NOW + 1)),
        (confirmed(), None, NOW + 11 * DAY_S, (Step.FORGET, NOW + 11 * DAY_S)),
        (websub.leaving(confirmed(), NOW), None, NOW + 1, (Step.WAIT, NOW + 60)),
        (websub.leaving(confirmed(), NOW), None, NOW + 60, (Step.FORGET, NOW + 60)),
        (websub.leaving(confirmed(), NOW), WANTED, NOW + 1, (Step.SUBSCRIBE, 0.0)),
    ],
)
def test_what_is_done_next(known: Any, wanted: Any, at: float, step: tuple[Step, float]) -> None:
    """Asked, asked again, renewed, ended, forgotten; resumed before it ended, it is asked for again."""
    assert websub.next_step(known, wanted, at) == step


def test_a_renewal_that_is_not_confirmed_is_seen_to_lapse_in_time() -> None:
    """However rarely the hub is asked by then."""
    late = websub.asking(confirmed(), WANTED, "token", "new", NOW + 9.99 * DAY_S)
    assert websub.next_step(late, WANTED, NOW + 9.99 * DAY_S + 1) == (Step.WAIT, NOW + 9.99 * DAY_S + 600)
    for tries in range(5):
        late = websub.asking(late, WANTED, "token", f"new{tries}", NOW + 9.99 * DAY_S)
    step, at = websub.next_step(late, WANTED, NOW + 9.99 * DAY_S + 1)
    assert (step, at) == (Step.WAIT, late.until)


@pytest.mark.parametrize(
    ("said", "lease_s"),
    [("864000", 864_000), ("60", 300), ("99999999", 30 * DAY_S), ("", 864_000), ("-5", 864_000), ("1e9", 864_000)],
)
def test_a_lease_of_any_length_is_bounded(said: str, lease_s: float) -> None:
    found = confirmed(lease_seconds=said)
    assert found.until == NOW + 10 + lease_s
    assert NOW + 10 + 0.6 * lease_s < found.renew < found.until


@pytest.mark.parametrize(
    "changed",
    [
        {"topic": "https://news.example/feed/"},
        {"challenge": ""},
        {"challenge": "c" * 2001},
        {"mode": "unsubscribe"},
        {"mode": "publish"},
        {"mode": ""},
    ],
)
def test_nothing_else_is_confirmed(changed: dict[str, str]) -> None:
    assert websub.confirmed(ASKED, question(**changed), NOW, 0.5) is None


def test_a_confirmation_may_come_again_for_a_minute_and_changes_nothing() -> None:
    known = confirmed()
    assert websub.confirmed(known, question(lease_seconds=1), NOW + 60, 0.5) == known
    assert websub.confirmed(known, question(), NOW + 71, 0.5) is None


def test_an_end_is_confirmed_only_where_it_was_asked_for() -> None:
    assert websub.confirmed(confirmed(), question(mode="unsubscribe"), NOW, 0.5) is None
    ended = websub.confirmed(websub.leaving(confirmed(), NOW), question(mode="unsubscribe"), NOW, 0.5)
    assert ended is not None
    assert not ended.active(NOW)


def signed(secret: str, body: bytes = b"body", method: str = "sha256") -> str:
    return f"{method}={hmac.new(secret.encode(), body, method).hexdigest()}"


def test_a_signature_counts_only_for_its_body_and_a_secret_that_is_in_force() -> None:
    known = confirmed()
    assert websub.genuine(known, signed("secret"), b"body", NOW)
    assert websub.genuine(known, signed("secret").upper().replace("SHA", "sha"), b"body", NOW)
    for wrong in ("", "sha256=", "sha256=00", signed("other"), signed("secret", method="md5"), signed("secret") + "0"):
        assert not websub.genuine(known, wrong, b"body", NOW), wrong
    assert not websub.genuine(known, signed("secret"), b"bodY", NOW)
    assert not websub.genuine(ASKED, signed("secret"), b"body", NOW), "nothing is confirmed yet"
    assert not websub.genuine(ASKED, signed(""), b"body", NOW)


def test_secrets_follow_each_other() -> None:
    """The old one until the hub confirms the new one, and for an hour what is under way."""
    renewing = websub.asking(confirmed(), WANTED, "token", "new", NOW + DAY_S)
    assert websub.genuine(renewing, signed("secret"), b"body", NOW + DAY_S)
    assert websub.genuine(renewing, signed("new"), b"body", NOW + DAY_S)
    renewed = websub.confirmed(renewing, question(), NOW + DAY_S, 0.5)
    assert renewed is not None
    assert renewed.since == NOW + 10, "without a break"
    assert websub.genuine(renewed, signed("secret"), b"body", NOW + DAY_S + 3599)
    assert not websub.genuine(renewed, signed("secret"), b"body", NOW + DAY_S + 3601)
    assert websub.genuine(renewed, signed("new"), b"body", NOW + 2 * DAY_S)


def test_a_denial_is_kept_in_words_and_asked_again_in_three_days() -> None:
    known = websub.denied(confirmed(), question(mode="denied", reason="too  many\x1b[2J\n" + "x" * 500), NOW + 20)
    assert known is not None
    assert known.reason.startswith("denied by its hub hub.example: too many")
    assert len(known.reason) <= 200
    assert known.reason.isprintable()
    assert websub.next_step(known, WANTED, NOW + 21) == (Step.WAIT, NOW + 20 + 3 * DAY_S)
    assert websub.denied(confirmed(), question(mode="denied", topic="other"), NOW) is None


@pytest.mark.parametrize(
    ("proofs", "misses", "trusted"),
    [(0, 0, False), (1, 0, True), (2, 1, False), (3, 1, True), (10, 9, False), (11, 9, True)],
)
def test_the_more_a_hub_has_missed_the_more_it_has_to_prove(proofs: int, misses: int, trusted: bool) -> None:
    assert websub.trusted(confirmed(), proofs, misses, NOW + 20) is trusted
    assert not websub.trusted(ASKED, proofs, misses, NOW + 20)
    assert not websub.trusted(confirmed(), proofs, misses, NOW + 11 * DAY_S)


@pytest.mark.parametrize("said", ["secret", "token", "https://us.example/websub/f/token", "a tokentokentoken b", "old"])
def test_what_a_hub_repeats_of_our_secrets_is_not_kept(said: str) -> None:
    """Its words are stored, logged and shown."""
    asked = replace(websub.asking(confirmed(), WANTED, "", "new-secret", NOW), before="older-secret")
    for words in (f"bad {said}", f"no {asked.offered} and {asked.before}"):
        for kept in (
            websub.failed(asked, words).reason,
            getattr(websub.denied(asked, question(mode="denied", reason=words), NOW), "reason", "none: secret"),
        ):
            assert not any(secret in kept for secret in (asked.token, "secret", asked.offered))
            assert kept


def test_a_secret_that_is_cut_off_is_not_kept_either() -> None:
    asked = websub.asking(None, WANTED, "abcdefghijkl", "mnopqrstuvwx", NOW)
    assert websub.failed(asked, "bad callback .../abcdefg").reason == "bad callback .../…"
    assert websub.failed(asked, "abcd mnopqrst").reason == "abcd …"


@pytest.mark.parametrize(
    ("hub", "told"),
    [
        ("https://hub.example/", True),
        ("http://hub.example/", False),
        ("http://93.184.216.34/", False),
        ("http://127.0.0.1:8080/hub", True),  # which has to be allowed: worker/fetch/guard.py
        ("http://10.0.0.1/hub", True),
        ("https:///", False),
        ("", False),
    ],
)
def test_a_secret_is_told_over_tls_alone_but_for_a_private_network(hub: str, told: bool) -> None:
    assert websub.confidential(hub) is told
