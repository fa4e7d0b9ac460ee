"""The quarantine as a person reads it: a line an article, or one article with its traceback and payload.

Invariant: whatever a feed wrote, or an error quotes of it, reaches the screen only through `harmless`.
"""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from worker.cli.screen.terminal import Part, Screen, fit
from worker.report.harmless import harmless
from worker.report.views import rfc3339
from worker.report.words import count, full_time, span
from worker.store.quarantine import Quarantined

_SHOWN_BYTES = 300
"""Of a payload that cannot be read."""

_FRAMES, _MOST_LINES, _MOST_LATER = 4, 16, 4
"""Of a traceback: frames of the error that came first, lines of it, and errors that it led to."""

_HEADER = "Traceback (most recent call last):"
_JOINTS = frozenset(
    {
        "During handling of the above exception, another exception occurred:",
        "The above exception was the direct cause of the following exception:",
    }
)
"""Between the errors of a traceback; the one that came first stands first."""


def show_list(screen: Screen, kept: Sequence[Quarantined], total: int, now: float) -> None:
    """One line an article, cut at the terminal's width; off a terminal whole."""
    width = max(len(_article(each)) for each in kept)
    for each in kept:
        parts: list[Part] = [f"{_article(each):<{width}}  ", (f"{span(now - each.at):>7} ago  ", "dim")]
        parts.append((harmless(each.reason, "(no reason)"), "red"))
        screen.say(*fit(parts, screen.width) if screen.is_terminal else parts)
    if total > len(kept):
        screen.say((f"and {count(total - len(kept), 'more article')}: --limit {total}", "dim"))


def show_one(screen: Screen, kept: Quarantined, *, full: bool = True) -> None:
    """All that is known of one; its traceback as a whole, or what matters of it."""
    rows = [
        ("article", _article(kept)),
        ("feed", harmless(kept.feed)),
        ("since", full_time(kept.at)),
        ("reason", harmless(kept.reason, "(no reason)")),
        ("payload", f"{len(kept.payload):,} bytes"),
    ]
    article = kept.content
    if article is None:
        rows.append(("unreadable", harmless(repr(kept.payload[:_SHOWN_BYTES]))))
    else:
        named = ("title", "url", "source", "lang", "text")
        rows += [(name, harmless(getattr(article, name), "-")) for name in named]
        rows.append(("revision", str(article.revision)))
    for name, said in rows:
        screen.say((f"{name:<11}", "bold"), said)
    lines = kept.traceback.splitlines()
    shown = lines if full else innermost(lines)
    for line in shown:
        indent = len(line) - len(line.lstrip(" "))
        screen.say((" " * min(indent, 20) + harmless(line), "dim"))
    if len(shown) < len(lines):
        screen.say((f"({len(lines):,} lines in all: --full)", "dim"))


def innermost(traceback: Sequence[str]) -> list[str]:
    """Of the lines of a traceback the last frames of the error that came first, where the cause stands, and the words
    of those that it led to; at most some 20 lines."""
    errors: list[list[str]] = [[]]
    for line in traceback:
        if line in _JOINTS:
            errors.append([])
        elif line and line != _HEADER:
            errors[-1].append(line)
    first, *later = errors
    frames = [number for number, line in enumerate(first) if line.startswith("  File ")]
    shown = first[frames[-_FRAMES] :] if len(frames) > _FRAMES else first
    words = [next((line for line in error if not line.startswith(" ")), "") for error in later]
    return [*shown[-_MOST_LINES:], *(f"which led to: {said}" for said in words[-_MOST_LATER:] if said)]


def as_record(kept: Quarantined, whole: bool = False) -> dict[str, Any]:
    """An article as `--json` prints it: `at` is RFC 3339; the whole of it has traceback and payload (base64) too."""
    article = kept.content
    record = {
        "article": kept.article,
        "feed": kept.feed,
        "at": rfc3339(kept.at),
        "reason": kept.reason,
        "bytes": len(kept.payload),
        "revision": article.revision if article else None,
        "title": article.title if article else None,
        "url": article.url if article else None,
    }
    if whole:
        record |= {"traceback": kept.traceback, "payload": b64encode(kept.payload).decode()}
    return record


def _article(kept: Quarantined) -> str:
    return harmless(kept.article, "?")
