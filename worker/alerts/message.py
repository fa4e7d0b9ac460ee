"""What is told of a story: JSON for programs, with its signature, and text for people.

Invariant: pure. Text for people holds nothing that a service takes for a command, whatever a feed's headline says.
"""

import hmac
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct, structs

from worker.model import Story
from worker.report.harmless import harmless, readable
from worker.report.views import StoryView, member_record, rfc3339, story_record, story_view
from worker.report.words import count

SIGNATURE = "Storywire-Signature"
DELIVERY = "Storywire-Delivery"
_HEADLINE = 200


class Message(Struct, frozen=True, kw_only=True):
    """A story that met a rule. `why`: in words; `link`: the story's page; `raised`: when the rule was met."""

    id: str
    rule: str
    why: str
    link: str
    raised: float
    story: StoryView
    test: bool = False

    def body(self) -> bytes:
        """The JSON of a webhook."""
        first = self.story.members[0] if self.story.members else None
        record: dict[str, Any] = {
            "id": self.id,
            "rule": self.rule,
            "test": self.test,
            "why": self.why,
            "link": self.link,
            "raised": rfc3339(self.raised),
            "story": story_record(structs.replace(self.story, members=None)),
            "first": None if first is None else member_record(first),
        }
        return msgspec.json.encode(record)

    def title(self) -> str:
        """A line for a person."""
        test = "Test: " if self.test else ""
        return _still(f"{test}{self.rule}: {readable(self.story.headline, 'a story without a headline')}")[:_HEADLINE]

    def text(self) -> str:
        """Some lines for a person."""
        story = self.story
        said = f"{count(max(1, story.outlets), 'outlet')}, {count(story.articles, 'article')}, "
        said += f"{count(story.copies, 'copy', 'copies')}, {count(story.rewrites, 'rewrite')}"
        first = story.members[0] if story.members else None
        lines = [said, _still(self.why)]
        if first is not None and first.source:
            lines.append(_still(f"first: {harmless(first.source)}"))
        return "\n".join([*lines, self.link])


def made_up(name: str, rule: str, base: str, now: float) -> Message:
    """A message of this id about a story that is none, marked as a test."""
    story = Story(number=0, headline="A story that is made up", first=now, last=now, active=now, lead=b"", articles=5)
    view = story_view("en", structs.replace(story, copies=2, rewrites=1, heat=5.0), now)
    return Message(
        id=name,
        rule=rule,
        why="this is a test",
        link=f"{base}/",
        raised=now,
        story=structs.replace(view, outlets=4),
        test=True,
    )


def signed(body: bytes, secret: str, delivery: str, now: float) -> Mapping[str, str]:
    """The headers of a webhook: its type, its id and, with a secret, `t=SECONDS,v1=HEX`: the HMAC-SHA256 of the time,
    a point and the body, as Stripe signs: a copy that is sent later is told by its time."""
    headers = {"Content-Type": "application/json", DELIVERY: delivery, "Idempotency-Key": delivery}
    if secret:
        headers[SIGNATURE] = f"t={int(now)},v1={signature(body, secret, int(now))}"
    return headers


def signature(body: bytes, secret: str, at: int) -> str:
    """The HMAC-SHA256 of the time, a point and the body, in hexadecimal."""
    return hmac.digest(secret.encode(), b"%d." % at + body, "sha256").hex()


def _still(text: str) -> str:
    """A text that calls nobody (`@everyone`, `<!channel>`), and is no markup in services that have some."""
    return text.replace("@", "@\u2060").replace("<", "‹").replace(">", "›").replace("[", "(").replace("]", ")")
