"""From events to what is to be told: which rules do the stories that changed meet.

Invariant: reads only; a story that was begun before a rule was there is never told of by it, nor is any because of what
a feed's first fetch brought.
"""

from collections.abc import Iterable, Mapping, Sequence

import structlog

from worker.alerts.match import why
from worker.alerts.rules import Rule, Rules
from worker.errors import StorywireError
from worker.model import Event, Member, Story, story_id
from worker.store.alerts import Delivery, Find, delivery_id
from worker.store.stories import Stories

log = structlog.get_logger()

_KINDS = frozenset({"new", "grew", "merged", "split", "moved"})
"""What may make a story meet a rule."""


def changed(events: Iterable[Event]) -> list[tuple[str, int]]:
    """Language and number of the stories that these events may have made what a rule is about, each once."""
    return sorted({(e.lang, e.into or e.story) for e in events if e.kind in _KINDS and not e.backfill})


def finds(
    numbers: Iterable[tuple[str, int]], stories: Stories, rules: Rules, since: Mapping[str, float], now: float
) -> list[Find]:
    """Which rules these stories (language, number) meet as they are now."""
    found = list[Find]()
    for lang, number in numbers:
        if any(not rule.lang or lang in rule.lang for rule in rules.rules):
            try:
                found += _of_story(lang, number, stories, rules, since, now)
            except StorywireError:
                raise
            except Exception:  # a fault of ours: seen, and the others are told of
                log.exception("a story was not held against the rules", story=story_id(lang, number))
    return list({(find.rule, find.stories[0]): find for find in found}.values())


def _of_story(
    lang: str, number: int, stories: Stories, rules: Rules, since: Mapping[str, float], now: float
) -> list[Find]:
    story = stories.find(lang, number)
    if story is None:
        return []
    members, names = stories.members(lang, story.number), _names(lang, story)
    fitting = met(rules.rules, lang, members, since)
    return [Find(rule.name, names, _deliveries(rule, rules, names[0], now)) for rule in fitting]


def met(rules: Iterable[Rule], lang: str, members: Sequence[Member], since: Mapping[str, float]) -> list[Rule]:
    """The rules that a story of these members meets and that were there when its first article was fetched."""
    began = min((member.received for member in members), default=0.0)
    return [rule for rule in rules if began >= since[rule.name] and why(rule, lang, members)]


def _names(lang: str, story: Story) -> tuple[str, ...]:
    """Its id, and those under which it may have been told of."""
    return tuple(story_id(lang, number) for number in (story.number, *story.aliases))


def _deliveries(rule: Rule, rules: Rules, story: str, now: float) -> tuple[Delivery, ...]:
    return tuple(
        Delivery(delivery_id(rule.name, story, to, part), rule.name, to, part, story, now)
        for to in dict.fromkeys(rule.to)
        for part in range(len(rules.targets[to]))
    )
