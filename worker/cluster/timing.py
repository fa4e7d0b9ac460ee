"""Event time: when something was said to happen, where that can be believed, and what its distance is worth."""

from math import exp2

from msgspec.structs import replace

from worker.model import Member, Story

DAY_S = 86_400.0
FUTURE_S = 600.0
_HALF_DAYS = 2.0
HEAT_HALF_LIFE_S = 7_200.0


def event_time(published: float | None, received: float, retention_s: float) -> float:
    """`published` where it lies between (received - retention) and (received + 10 minutes), otherwise `received`."""
    if published is not None and received - retention_s <= published <= received + FUTURE_S:
        return published
    return received


def time_factor(days: float) -> float:
    """What a distance in time leaves of a similarity: 1 at once, a half after two days, .22 after a week."""
    return 1 / (1 + days / _HALF_DAYS)


def days_apart(time: float, story: Story) -> float:
    """Days from a time to the nearest end of a story's span; 0 inside of it."""
    return max(0.0, story.first - time, time - story.last) / DAY_S


def heat_at(heat: float, last: float, now: float) -> float:
    """A story's heat at `now`: arrivals, halved every two hours."""
    return heat * exp2(-max(0.0, now - last) / HEAT_HALF_LIFE_S)


def heated(story: Story, time: float) -> float:
    """The heat at the story's last activity after one more arrival at `time`, which may be earlier."""
    last = max(story.last, time)
    return heat_at(story.heat, story.last, last) + exp2((time - last) / HEAT_HALF_LIFE_S)


def cooled(story: Story, member: Member) -> Story:
    """The story without what one member's arrival gave to its heat."""
    if member.backfill:
        return story
    return replace(story, heat=max(0.0, story.heat - exp2((member.time - story.last) / HEAT_HALF_LIFE_S)))
