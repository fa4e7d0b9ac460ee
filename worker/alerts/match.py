"""Whether a story is what a rule is about, and why, in words.

Invariant: pure. Articles of a feed's first fetch count for nothing: nothing breaks because of them.
"""

from collections.abc import Sequence
from functools import lru_cache

from worker.alerts.rules import Rule
from worker.model import Member
from worker.report.harmless import harmless
from worker.report.rows import folded
from worker.report.words import count, span
from worker.scripts import is_unspaced

_NAMED = 5


def why(rule: Rule, lang: str, members: Sequence[Member], *, backfill: bool = False) -> str:
    """Why a story of these members is what the rule is about; "" where it is not. backfill: count all of them."""
    live = [member for member in members if backfill or not member.backfill]
    if not live or (rule.lang and lang not in rule.lang):
        return ""
    said = _of_words(rule, live)
    if said is None or (rule.outlet and not (found := _among(rule, live))):
        return ""
    if rule.outlet:
        said.append(f"reported by {harmless(found)}")
    if rule.outlets > 1:
        newsrooms = _together(live, rule.within_s)
        if len(newsrooms) < rule.outlets:
            return ""
        said.append(_counted(newsrooms, rule))
    if rule.lang:
        said.append(f"in the language {lang}")
    return "; ".join(said)


def matches(word: str, titles: Sequence[str]) -> bool:
    """Whether any of these titles (as `plain` makes them) has a word, several words in a row, or with `*` at the end
    the beginning of one."""
    wanted = plain(word.removesuffix("*"))
    if is_unspaced(wanted):
        return any(wanted.strip() in title for title in titles)
    if word.endswith("*"):
        wanted = wanted.rstrip()
    return any(wanted in title for title in titles)


@lru_cache(maxsize=10_000)
def plain(text: str) -> str:
    """The words of a text without case, accents and signs, a space around each."""
    words = (word.strip(".") for word in folded(text).replace("-", " ").split())
    return f" {' '.join(word for word in words if word)} "


def _of_words(rule: Rule, members: Sequence[Member]) -> list[str] | None:
    """What the headlines have of the words, None where that is not what is asked for."""
    titles = list(dict.fromkeys(plain(member.title) for member in members))
    if any(matches(word, titles) for word in rule.none) or not all(matches(word, titles) for word in rule.all):
        return None
    found = [word for word in rule.any if matches(word, titles)]
    if rule.any and not found:
        return None
    named = [*rule.all, *found][:_NAMED]
    return [f"headlines with {', '.join(repr(word) for word in named)}"] if named else []


def _among(rule: Rule, members: Sequence[Member]) -> str:
    """The first of the rule's outlets that reported, by its name; "" for none."""
    wanted = {folded(outlet) for outlet in rule.outlet}
    reported = (m for m in members if wanted & {folded(m.source), folded(m.newsroom)})
    return next((m.source or m.newsroom for m in reported), "")


def _together(members: Sequence[Member], within_s: float | None) -> dict[str, str]:
    """Newsroom -> name, of those of the most that reported within so many seconds of each other."""
    ordered = sorted(members, key=lambda member: member.time)
    most: dict[str, str] = {}
    counts: dict[str, int] = {}
    start = 0
    for end, member in enumerate(ordered):
        counts[member.newsroom] = counts.get(member.newsroom, 0) + 1
        while within_s is not None and member.time - ordered[start].time > within_s:
            leaving = ordered[start].newsroom
            counts[leaving] -= 1
            if not counts[leaving]:
                del counts[leaving]
            start += 1
        if len(counts) > len(most):
            most = {m.newsroom: m.source or m.newsroom for m in ordered[start : end + 1]}
    return most


def _counted(newsrooms: dict[str, str], rule: Rule) -> str:
    names = [harmless(name, "an outlet without a name") for name in newsrooms.values()]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    within = "" if rule.within_s is None else f" within {span(rule.within_s)}"
    return f"{count(len(names), 'outlet')}{within}: {', '.join(names[:_NAMED])}{more}"
