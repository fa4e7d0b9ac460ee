"""For how long whoever was asked wants its whole host left alone.

Invariant: never longer than LONGEST_CLOSED_S, whatever a header says.
"""

from worker.fetch.answers import Failed, Fetched, NotModified
from worker.schedule import retry_after_s

LONGEST_CLOSED_S = 86_400.0

_CLOSED_BY = (403, 429, 503)
"""The statuses whose Retry-After closes a gate: they are about who asks, not about a feed or a page."""

_UNSAID_S = 60.0
"""How long a gate is closed after 429 without a Retry-After: some hosts take one request a minute."""


def asked_to_close_s(answer: Fetched | NotModified | Failed | None, now: float) -> float:
    """The seconds that an answer, or None for none, wants nobody to ask its host."""
    if not isinstance(answer, Failed) or answer.status not in _CLOSED_BY:
        return 0.0
    asked_s = min(retry_after_s(answer.retry_after, now), LONGEST_CLOSED_S)
    return asked_s or (_UNSAID_S if answer.status == 429 else 0.0)
