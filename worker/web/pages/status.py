"""The page of status: what `storywire check` looks at, figures of the last minutes, and who is alive and where.

Invariant: what is shown was read once for all who look; a server that is away is said in a second or so.
"""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from worker.health import Finding, State
from worker.report.feeds import rfc3339_or_none
from worker.report.harmless import harmless
from worker.report.words import count, span
from worker.web.pages.polls import with_code
from worker.web.pages.rows import ago
from worker.web.site import Site
from worker.web.vitals import Status

_STALE_S = 15.0
METER_PX = 100

_STATES = {State.OK: ("ok", "good"), State.WARN: ("look", "warn"), State.FAIL: ("broken", "bad")}
_MB = 2**20


def routes(site: Site) -> list[BaseRoute]:
    """`/status`, and `/status/now`, the part of it that changes, which the open page asks for."""
    runtime = site.runtime

    async def whole(request: Request) -> Response:
        return await page(request, "status.html")

    async def part(request: Request) -> Response:
        return await page(request, "status_now.html")

    async def page(request: Request, template: str) -> HTMLResponse:
        return site.page(request, template, facts(await site.overview.status.get(), runtime.clock.now()))

    return [Route("/status", whole, methods=["GET"]), Route("/status/now", part, methods=["GET"])]


def facts(status: Status, now: float) -> dict[str, Any]:
    """What the templates are filled with."""
    ours = version("storywire")
    return {
        "overall": overall(status.findings),
        "overall_tone": _STATES[worst(status.findings)][1],
        "as_of": rfc3339_or_none(status.at),
        "stale": span(now - status.at) if now - status.at > _STALE_S else "",
        "checks": _checks(status),
        "tiles": tiles(status),
        "meter": meter(status),
        "meter_px": METER_PX,
        "processes": _processes(status, ours),
        "quarantine": status.figures("quarantine").get("articles", 0),
        "reasons": [
            (harmless(each.article), harmless(each.reason, "(no reason)"), ago(now - each.at), rfc3339_or_none(each.at))
            for each in status.quarantined
        ],
        "known": len(status.findings) > 1,
        "about": f"Storywire {ours}, on {harmless(status.place)}",
    }


def _checks(status: Status) -> list[tuple[object, ...]]:
    """Each line of the check: its name, its state, in words and as a tone, and what it says."""
    return [
        (each.check, each.state.value, *_STATES[each.state], list(with_code(harmless(each.said))))
        for each in status.findings
    ]


def _processes(status: Status, ours: str) -> list[tuple[object, ...]]:
    """Each process that lives: what it is and where, its version and whether that is ours, why it waits, what it does,
    and since how long."""
    return [
        (
            each.role,
            harmless(each.host),
            each.pid,
            harmless(each.version, "-"),
            each.version == ours,
            harmless(each.held),
            harmless(each.doing),
            span(max(0.0, status.at - each.started)) if each.started else "-",
        )
        for each in status.processes
    ]


def worst(found: Sequence[Finding]) -> State:
    """The state of the whole."""
    return max((each.state for each in found), key=list(State).index, default=State.OK)


def overall(found: Sequence[Finding]) -> str:
    """The whole in a line: `All is well`, or which lines are not."""
    words = ((State.FAIL, "Broken"), (State.WARN, "To look at"))
    named = [(word, [each.check for each in found if each.state is state]) for state, word in words]
    return "; ".join(f"{word}: {', '.join(checks)}" for word, checks in named if checks) or "All is well"


def tiles(status: Status) -> list[tuple[str, str, str, str]]:
    """The figures on top: each its name, its value, what stands below, and where it leads ("": nowhere)."""
    lag, queue, outbox = status.spread, status.figures("queue"), status.figures("outbox")
    feeds, stories, server = status.figures("feeds"), status.figures("stories"), status.figures("server")
    waits_s = status.figures("lag").get("oldest_s")
    found = []
    if lag is not None:
        usual = "-" if lag.median_s is None else took(lag.median_s)
        most = "nothing came" if lag.most_s is None else f"99 % within {took(lag.most_s)}"
        last = f"the last {span(lag.over_s)}"
        found.append(("Fetch to story", usual, f"median of {last}; {most}", ""))
        found.append(("Articles a minute", _rate(lag.a_minute), f"{count(lag.articles, 'article')} in {last}", ""))
    if outbox:
        below = "nothing waits" if waits_s is None else f"the oldest for {span(waits_s)}"
        jobs = f"; {count(queue['jobs'], 'job')} in the queue" if queue else ""
        found.append(("On the way", f"{outbox['pending']:,}", f"{below}{jobs}", ""))
    if stories:
        below = f"of {count(stories['articles'], 'article')}, {count(stories['languages'], 'language')}"
        found.append(("Stories", f"{stories['stories']:,}", below, "/"))
    if feeds:
        below = f"{feeds['in_error']:,} in error, {feeds['paused']:,} paused"
        found.append(("Feeds", f"{feeds['feeds']:,}", below, "/feeds"))
    if server:
        below = f"of {_size(server['max_memory'])}" if server["max_memory"] else "no limit is set"
        found.append(("Memory of the server", _size(server["used_memory"]), below, ""))
    return found


def meter(status: Status) -> tuple[float, str] | None:
    """How full the server's memory is, in METER_PX, with its tone; None without a limit."""
    server = status.figures("server")
    if not server or not server["max_memory"]:
        return None
    share = min(1.0, server["used_memory"] / server["max_memory"])
    tone = "bad" if share >= 0.9 else "warn" if share > 0.8 else ""
    return round(share * METER_PX, 1), tone


def took(seconds: float) -> str:
    """`0.42 s`, `3.1 s`, `45 s`, `3 min`."""
    if seconds < 1:
        return f"{seconds:.2f} s"
    return f"{seconds:.1f} s" if seconds < 10 else span(seconds)


def _rate(a_minute: float) -> str:
    return f"{a_minute:,.0f}" if a_minute >= 10 else f"{a_minute:.1f}"


def _size(number: int) -> str:
    return f"{number / _MB:,.0f} MB" if number < 10_000 * _MB else f"{number / _MB / 1024:,.1f} GB"
