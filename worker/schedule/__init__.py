"""When a feed is polled next, and what is remembered of its polls: pure functions of what the last polls found.

Learn how often a feed brings something (adapt, rhythm) | wait as long as errors ask (backoff) or the feed and its
server wish (wishes, headers) | plan the next poll, with its reason in words (plan, wording).

Invariant: the server's wishes (Retry-After, ttl, max-age, skipHours) only ever make a poll later, and never by more
than a day; no plan is without its reason.
"""

from worker.schedule.adapt import carried_a_day, new_a_day
from worker.schedule.backoff import NO_NETWORK, NO_NETWORK_S
from worker.schedule.headers import expires_s, max_age_s, retry_after_s
from worker.schedule.plan import SHARE, after, fetched, without_network
from worker.schedule.pushed import after_push, as_told, only_news
from worker.schedule.state import PAUSED, Fetch, Outcome, Pace, Polled, PollState
from worker.schedule.wording import until, words

__all__ = [
    "NO_NETWORK",
    "NO_NETWORK_S",
    "PAUSED",
    "SHARE",
    "Fetch",
    "Outcome",
    "Pace",
    "PollState",
    "Polled",
    "after",
    "after_push",
    "as_told",
    "carried_a_day",
    "expires_s",
    "fetched",
    "max_age_s",
    "new_a_day",
    "only_news",
    "retry_after_s",
    "until",
    "without_network",
    "words",
]
