"""News that attack the pages that show them: feeds as documents, and articles that no parser has cleaned.

Invariant: each title begins with a word of its own, by which a test finds it; what runs sets `window.hacked`, asks for
`/hacked`, or opens a dialog.
"""

import json
import random
import time
from collections.abc import Mapping
from typing import Any

from tests.e2e.site import article, fill
from worker.feed.decide import decide
from worker.feed.parse import parse
from worker.model import Article
from worker.runtime import Runtime

ATTACK = "<script>window.hacked=1;alert(1)</script>"
JOINED = "می\u200cشود ශ\u0dca\u200dරී \U0001f468\u200d\U0001f469\u200d\U0001f467"
"""What joiners spell in Persian and Sinhala, and a family."""
TITLES: Mapping[str, str] = {
    "Script": f"Script {ATTACK} at the harbour",
    "Handler": "Handler <img src=/hacked onerror=window.hacked=1> <svg onload=alert(1)> <a autofocus onfocus=alert(1)>",
    "Quotes": "Quotes \" onmouseover=\"window.hacked=1\" autofocus onfocus='alert(1)' x=\"",
    "Entities": "Entities &lt;script&gt;window.hacked=1&lt;/script&gt; &#60;img src=x onerror=alert(1)&#62; &amp;amp;",
    "Closing": "Closing </title></textarea></style></script><!-- ]]> --!><iframe src=/hacked></iframe>",
    "Template": "Template {{ 7*7 }} {% raw %} ${7*7} #{7*7} <%= 7*7 %>",
    "Script2": "Script2 \u2028\u2029 </script\u00a0> \\u003cscript\\u003e",
    "Bidi": "Bidi \u202egnp.exe\u202c \u2066\u2067\u2068 \u200f\u061c payroll",
    "Hidden": "Hidden \u200bzero\u200b \u2060width\ufeff \u00adsoft\u00ad \U000e0041\U000e0042 tags",
    "Control": "Control \x1b[31mred\x1b[0m \x07bell \x9b2J \x85 next \r\n second line",
    "Stream": 'Stream\ndata: {}\n\nevent: gone\ndata: {"story": "en-1"}\r\rid: 9\r\n\x00\u2028retry: 0</script> end',
    "Noncharacter": "Noncharacter \ufdd0one \uffff\ufffe two \U0001fffe three",
    "Zalgo": "Zalgo " + "h" + "\u0301\u0323" * 300 + " stacked",
    "Long": "Long " + "word " * 2_000,
    "Unbroken": "Unbroken " + "w" * 10_000,
    "Emoji": "Emoji \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f3f4\U000e0067\U000e007f " + "\U0001f600" * 60,
    "Joined": f"Joined {JOINED}" + "\u200d\u200c" * 300 + " end",
    "Arabic": "Arabic انهيار جسر الميناء بعد فيضان كبير في المدينة القديمة",
    "Hebrew": "Hebrew הגשר ליד הנמל נסגר לאחר שנמצאו סדקים",
}  # fmt: skip
OUTLETS = (
    f"Herald {ATTACK}",
    'Post" onclick="window.hacked=1',
    "\u202eTimes\u202c \u200bof Port Vell",
    "N" * 500,
)
LINKS = (
    "javascript:window.hacked=1",
    "data:text/html,<script>alert(1)</script>",
    "https://example.org/\"onmouseover='window.hacked=1'",
    "https://user:secret@evil.example/",
    "java\nscript:alert(1)",
    "//evil.example/x",
    "https://example.org/no\uffffcharacter",
)
_SYLLABLES = ("ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu").split()


def text_of(name: str) -> str:
    """Sixty words that no other story has: each story is one of its own."""
    random_of = random.Random(name)
    words = ["".join(random_of.choices(_SYLLABLES, k=4)) for _ in range(25)]
    return f"The council of {name} said on Monday that " + " ".join(random_of.choices(words, k=60)) + "."


def documents() -> list[tuple[str, bytes]]:
    """(address, JSON Feed) of each outlet: all stories in each, in other words each time, with hostile links."""
    made = []
    for number, outlet in enumerate(OUTLETS):
        items = [_item(name, title, number, place) for place, (name, title) in enumerate(TITLES.items())]
        items.append({"id": "surrogate", "title": "Surrogate \ud800 alone", "content_text": text_of("Surrogate")})
        feed = {"version": "https://jsonfeed.org/version/1.1", "title": outlet, "language": "en", "items": items}
        made.append((f"https://outlet{number}.example/feed.json", json.dumps(feed).encode()))
    return made


def _item(name: str, title: str, outlet: int, place: int) -> dict[str, Any]:
    words = text_of(name).split()
    random.Random(f"{name}{outlet}").shuffle(words)
    return {
        "id": name,
        "url": LINKS[(outlet + place) % len(LINKS)],
        "title": title,
        "content_text": " ".join(words) + f" {ATTACK} {title[:200]}",
        "authors": [{"name": ATTACK}],
        "tags": [ATTACK, "javascript:alert(1)"],
    }


def publish(runtime: Runtime) -> None:
    """The feeds into stories, by the parser, the outbox and the ingest, as a poller and a worker do it; and the same
    titles once more as they are, as if nothing had cleaned them."""
    for number, (url, body) in enumerate(documents()):
        found = parse(body, url, "application/feed+json")
        feed, _ = runtime.feeds.add(url, OUTLETS[number], runtime.clock.now(), folder=ATTACK)
        now = runtime.clock.now()
        decision = decide(found.entries, {}, feed=feed, source=found.title, now=now, keep_s=1e6, first_fetch=False)
        refs = runtime.outbox.publish(feed, decision.articles, {}, now)
        runtime.ingest.run(refs)
    fill(runtime, raw("Raw"))


def raw(prefix: str) -> list[Article]:
    """Articles that no parser has cleaned, two of each story; their titles begin with the prefix."""
    return [
        article(
            f"{prefix.lower()}{outlet}/{name}",
            prefix + title,
            text_of(prefix + name) + " " + title[:500],
            source=OUTLETS[outlet],
            url=LINKS[place % len(LINKS)],
            received=time.time() - place,
        )
        for place, (name, title) in enumerate(TITLES.items())
        for outlet in (0, 1)
    ]
