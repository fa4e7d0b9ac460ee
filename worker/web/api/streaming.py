"""The stream of changes, as the document describes it; web/stream.py serves it.

Invariant: says of the stream what it does, and serves nothing.
"""

from collections.abc import Sequence

from worker.web.api.operation import Operation, Parameter
from worker.web.api.parameters import FILTER
from worker.web.site import Site

_SAID = """Server-sent events, without an end. `id:` of each is its cursor. `event: story`: a story began, grew or
changed, `data:` the story as of a list, with `event` (`new`, `grew`, `merged`, `split`, `moved`, `pinned`, `shrank`)
and `cursor`. `event: gone`: `{"story", "into"}`, it ended or became part of another. `event: reset`: `{}`, more was
missed than is kept: read the list anew. A comment line now and then shows that the connection lives.

Who comes back with `Last-Event-ID` (browsers do by themselves), or with the cursor as `after`, goes on without a gap,
for 24 hours: of several events of a story that were missed, the last is told. Filters as of a list: a story that no
longer fits is not told."""


def operations(_site: Site) -> Sequence[Operation]:
    """Its part of the table."""
    last = Parameter("Last-Event-ID", "The cursor of the last event that was seen.", {"type": "string"}, "header")
    after = Parameter("after", "The same, for who cannot send headers.", {"type": "string", "minLength": 1})
    story = Parameter(
        "story", "Of one story alone, and of the one that it became part of.",
        {"type": "string", "minLength": 1, "maxLength": 40, "examples": ["en-7f3k"]},
    )  # fmt: skip
    return (
        Operation(
            name="streamStories", method="GET", path="/v1/stream", group="Stories",
            summary="Follow stories as they form", said=_SAID, answer=None, media="text/event-stream",
            parameters=(*FILTER, story, after, last), example=("/v1/stream?lang=en&outlets=2", None),
        ),
    )  # fmt: skip
