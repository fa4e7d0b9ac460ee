"""How the feeds and the processes do.

Invariant: no answer holds a feed's password.
"""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from worker.errors import BadInput
from worker.feed.address import shown_url
from worker.report import feed as one_feed
from worker.report import feeds as many_feeds
from worker.report.roster import Roster, after
from worker.runtime import Runtime
from worker.web.api.answers import answer, none_such
from worker.web.api.operation import Operation, Parameter
from worker.web.api.parameters import FEED
from worker.web.api.records.feeds import FeedList, FullFeed, Status
from worker.web.overview import OLDEST_S
from worker.web.site import Site
from worker.web.vitals import Status as Seen

_LIMIT, _MOST = 200, 1_000
_MOST_WORDS = 200
"""Characters."""
_WORST = ("fail", "warn", "ok")
_ADDRESSES = ("url", "moved", "hub", "topic")
_STATES = ("new", "ok", "unchanged", "empty", "failed", "unreachable", "refused", "gone", "paused")

_LISTED = (
    Parameter("status", "How its last poll went.", {"type": "string", "enum": list(_STATES)}),
    Parameter("q", "Words in its name, address or folder, or its id.", {"type": "string", "maxLength": _MOST_WORDS}),
    Parameter("limit", "So many at most.", {"type": "integer", "minimum": 1, "maximum": _MOST, "default": _LIMIT}),
    Parameter("after", "`next` of the page before.", {"type": "string", "pattern": "^[0-9a-f]{12}$"}),
)


def operations(site: Site) -> Sequence[Operation]:
    """Its part of the table."""

    async def feeds(request: Request) -> Response:
        given = {name: value for name, value in request.query_params.items() if value}
        roster = await site.overview.roster.get(OLDEST_S)
        listed: Response = await site.aside(lambda: answer(request, _feeds(roster, given)))
        return listed

    async def feed(request: Request) -> Response:
        name = request.path_params["feed"]
        found = await site.aside(_feed, site.runtime, name)
        if found is None:
            raise none_such(name, "feed", "/api/v1/feeds lists the feeds")
        return answer(request, found)

    async def status(request: Request) -> Response:
        return answer(request, _status(await site.overview.status.get(OLDEST_S)))

    return (
        Operation(
            name="listFeeds", method="GET", path="/v1/feeds", group="Feeds and health", summary="List feeds",
            said="How each does, when it is polled next, and why; by id. As it was at most 5 seconds ago.",
            answer=FeedList, call=feeds, parameters=_LISTED, example=("/v1/feeds?status=failed", None),
        ),
        Operation(
            name="getFeed", method="GET", path="/v1/feeds/{feed}", group="Feeds and health", summary="Get a feed",
            said="With its last 30 polls: what each found, and what was decided and why.", answer=FullFeed, call=feed,
            parameters=(FEED,), problems={404: "There is no such feed."}, example=("/v1/feeds/0123456789ab", None),
        ),
        Operation(
            name="getStatus", method="GET", path="/v1/status", group="Feeds and health", summary="How all of it does",
            said="The lines of `storywire check --json`, at most 5 seconds old; of a server that is away only that it "
            "is. The answer has status 200 also where a line says `fail`; `/healthz` is for monitors that look at the "
            "status alone.",
            answer=Status, call=status, example=("/v1/status", None),
        ),
    )  # fmt: skip


def _feeds(roster: Roster, asked_for: dict[str, str]) -> dict[str, Any]:
    limit = _limit(asked_for.get("limit", str(_LIMIT)))
    state = asked_for.get("status")
    if len(asked_for.get("q", "")) > _MOST_WORDS:
        raise BadInput(f"q: write at most {_MOST_WORDS} characters")
    words = asked_for.get("q", "").casefold().split()
    fitting = roster.by_id
    if state or words:
        fitting = [known for known in fitting if known.has(words)]
        fitting = [known for known in fitting if state in (None, many_feeds.status(known.feed))]
    rest = after(fitting, asked_for.get("after", ""))
    return {
        "feeds": [_public(many_feeds.as_record(known.feed)) for known in rest[:limit]],
        "found": len(fitting),
        "next": rest[limit - 1].feed.id if len(rest) > limit else None,
    }


def _limit(text: str) -> int:
    limit = int(text) if text.isascii() and text.isdecimal() and len(text) <= 4 else 0
    if not 1 <= limit <= _MOST:
        raise BadInput(f"limit: write a whole number from 1 to {_MOST}")
    return limit


def _feed(runtime: Runtime, name: str) -> dict[str, Any] | None:
    found = runtime.feeds.get(name)
    return _public(one_feed.as_record(one_feed.look(found, runtime, runtime.clock.now()))) if found else None


def _public(record: dict[str, Any]) -> dict[str, Any]:
    return record | {name: shown_url(record[name]) for name in _ADDRESSES if record.get(name)}


def _status(seen: Seen) -> dict[str, Any]:
    found = [
        {"check": finding.check, "state": str(finding.state), "said": finding.said, **finding.figures}
        for finding in seen.findings
    ]
    states = {line["state"] for line in found}
    return {"state": next((state for state in _WORST if state in states), "ok"), "checks": found}
