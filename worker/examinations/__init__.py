"""What is asked of servers and stores for each line of `storywire check`, which the page of status shows too.

Invariant: nothing is asked of a server before its line's turn, so a server that is down spoils only the lines about it.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from worker import health
from worker.config import Settings
from worker.connect import identify
from worker.errors import StorywireError
from worker.examinations.presence import processes
from worker.examinations.scene import Scene
from worker.health import Finding, Process
from worker.model import SCHEMA
from worker.report.words import count, span
from worker.runtime import Runtime
from worker.store import schema
from worker.store.feeds import Feed
from worker.store.quarantine import IN_ALL
from worker.store.sharding import shards


def _server(scene: Scene) -> Finding:
    runtime = scene.runtime
    return health.of_server(identify(runtime.redis, runtime.url), runtime.described(), shards(runtime.redis))


def _persistence(scene: Scene) -> Finding:
    return health.of_persistence(identify(scene.runtime.redis, scene.runtime.url))


def _schema(scene: Scene) -> Finding:
    state = schema.state(scene.runtime.redis)
    return health.of_schema(state.ours, state.found, left=state.left)


def _queue(scene: Scene) -> Finding:
    jobs = scene.runtime.jobs
    workers = scene.alive(jobs.listening())
    return health.of_queue(jobs.depth(), jobs.oldest_age_s(scene.now), len(workers), scene.host)


def _outbox(scene: Scene) -> Finding:
    return health.of_outbox(scene.runtime.outbox.depth(), scene.runtime.settings.max_pending)


def _lag(scene: Scene) -> Finding:
    recent = scene.runtime.lags.recent(scene.now - health.RECENT_S)
    oldest_s = scene.runtime.outbox.oldest_age_s(scene.now)
    return health.of_lag(oldest_s, recent.lags, scene.now - recent.since)


def _quarantine(scene: Scene) -> Finding:
    return health.of_quarantine(scene.runtime.quarantine.depth(), IN_ALL)


def _pollers(scene: Scene) -> Finding:
    signs = scene.runtime.pollers.alive()
    return health.of_pollers([signs[name] for name in scene.alive(signs)], scene.now, scene.host)


def _polls(scene: Scene) -> Finding:
    held = any(sign.held for sign in scene.runtime.pollers.alive().values())
    return health.of_polls(scene.feeds(), scene.now, held=held)


def _feeds(scene: Scene) -> Finding:
    return health.of_feeds(scene.feeds())


def _pages(scene: Scene) -> Finding:
    pages, mode = scene.runtime.pages, scene.runtime.settings.pages
    return health.of_pages(mode, pages.depth(), pages.trouble(), pages.recent(), alive=pages.alive())


def _hubs(scene: Scene) -> Finding:
    hubs = scene.runtime.hubs
    return health.of_hubs(hubs.get_all(hubs.known()), scene.now, listening=hubs.listening())


def _alerts(scene: Scene) -> Finding:
    """The alerts: how many wait to be delivered, how many nobody took, whether events were gone before they were looked
    through, and whether any process watches for more."""
    alerts = scene.runtime.alerts
    waiting, dead = alerts.depths()
    lost, watched, tried = alerts.lost(), alerts.watched(), [each for each, _ in alerts.waiting() if each.trouble]
    said = f"{count(waiting, 'alert')} on the way"
    if tried:
        said += f", {count(len(tried), 'of them was', 'of them were')} not taken yet: {tried[0].trouble}"
    if dead:
        older = f", and {lost.dead:,} older ones" if lost.dead else ""
        said += (
            f"; nobody took {count(dead, 'alert')}{older}: see `storywire alerts list`, then `storywire alerts drop`"
        )
    if lost.gap:
        said += f"; {span(max(0, scene.now - lost.gap))} ago events ({lost.langs}) were gone before the rules looked "
        said += "through them: alerts may be missing; `storywire alerts drop` when you know"
    if trouble := alerts.trouble():
        said += f"; none is raised or sent where the rules cannot be used: {trouble}"
    elif not watched:
        said += "; nobody watches for more: start `storywire serve`"
    fine = watched and not trouble and not dead and not tried and not lost.gap
    state = health.State.OK if fine else health.State.WARN
    facts = {"waiting": waiting, "dead": dead, "lost": lost.dead, "gap": lost.gap or None}
    return Finding("alerts", state, said, facts | {"tried": len(tried), "watched": watched})


def _stories(scene: Scene) -> Finding:
    stories, retention = scene.runtime.stories, scene.runtime.settings.retention
    since = stories.quiet_since()
    overdue_s = 0.0 if since is None else scene.now - retention - since
    return health.of_stories(stories.counts(), len(stories.languages()), overdue_s)


def processes_that_live(runtime: Runtime, version: str, host: str = "") -> tuple[Finding, Sequence[Process]]:
    """All processes that live, of all hosts or of one, and what is to be said of them."""
    try:
        found = processes(Scene(runtime, host, runtime.clock.now()))
    except StorywireError as error:
        return Finding("processes", health.State.FAIL, str(error), {}), []
    return health.of_processes(found, version, SCHEMA), found


EXAMINATIONS: Mapping[str, Callable[[Scene], Finding]] = {
    "server": _server,
    "persistence": _persistence,
    "schema": _schema,
    "queue": _queue,
    "outbox": _outbox,
    "lag": _lag,
    "quarantine": _quarantine,
    "pollers": _pollers,
    "polls": _polls,
    "feeds": _feeds,
    "pages": _pages,
    "hubs": _hubs,
    "alerts": _alerts,
    "stories": _stories,
}
"""By the names of the lines, in their order. Each raises StorywireError where its server fails."""

ONLY_WITH = {"hubs": "public_url", "alerts": "alerts"}
"""Lines that are about nothing unless a setting is made; who asks for one by its name is told so all the same."""


def asked(settings: Settings) -> list[str]:
    """The lines of a look at everything."""
    return [name for name in EXAMINATIONS if name not in ONLY_WITH or getattr(settings, ONLY_WITH[name])]


def findings(
    runtime: Runtime, names: Collection[str], host: str = "", known: Sequence[Feed] | None = None
) -> Iterator[Finding]:
    """The findings of these names. One server of two may be down: the other is still looked at.

    host: whose workers and pollers count; "" for all. known: the feeds, for who has read them already.
    """
    scene = Scene(runtime, host, runtime.clock.now(), known)
    for check in names:
        try:
            yield EXAMINATIONS[check](scene)
        except StorywireError as error:
            yield Finding(check, health.State.FAIL, str(error), {})
