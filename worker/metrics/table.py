"""The metrics: one table that the code, docs/metrics.md, the dashboard, the alert rules and the tests all read.

Invariant: names keep to Prometheus' conventions, every label has few values, and each says what to do about it.
"""

from dataclasses import dataclass
from enum import StrEnum

PROCESSES = ("poller", "pages", "worker", "web")

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_LAG_S = (0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)


PROCESS = tuple(
    f"storywire_process_{each}"
    for each in (
        "cpu_seconds_total",
        "resident_memory_bytes",
        "virtual_memory_bytes",
        "start_time_seconds",
        "open_fds",
        "max_fds",
    )
)
"""What the client library tells of every process, on Linux."""


class Kind(StrEnum):
    """What Prometheus takes a metric for. `READING`: a gauge of the whole store, looked at when it is asked for."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    READING = "reading"


@dataclass(frozen=True, eq=False)
class Metric:
    """One metric: its unit is in its name; `of`: the processes that have it; `remedy`: what to do where it is bad;
    `known`: values of its one label that begin at 0, or Prometheus would not see the first increase."""

    name: str
    kind: Kind
    of: tuple[str, ...]
    meaning: str
    remedy: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    known: tuple[str, ...] = ()


_EVERY, _POLLER, _PAGES, _WORKER, _WEB = PROCESSES, ("poller",), ("pages",), ("worker",), ("web",)
_FINE = "None: it is there to be looked at."

# --- every process ----------------------------------------------------------------------------------------------------

BUILD = Metric(
    "storywire_build_info", Kind.GAUGE, _EVERY,
    "Always 1; `process` is poller, pages, worker or web, `version` Storywire's.",
    "Processes of two versions: end the old ones (docs/upgrades.md).", ("process", "version"),
)  # fmt: skip
STAGE = Metric(
    "storywire_stage_seconds", Kind.HISTOGRAM, ("poller", "pages", "worker"),
    "What a stage took: of a poll (`fetch`, `parse`, `store`), a page (`wait`, `fetch`, `extract`) or a batch (`load`, "
    "`fingerprint`, `wait`, `read`, `decide`, `commit`, `settle`).",
    "`fetch`: the network or slow sites. `read`, `commit`, `store`: the server; see `storywire check`. `fingerprint`, "
    "`decide`, `parse`, `extract`: this machine's processors; start more of that process where some are idle.",
    ("process", "stage"), _SECONDS,
)  # fmt: skip

# --- poller -----------------------------------------------------------------------------------------------------------

POLLS = Metric(
    "storywire_polls_total", Kind.COUNTER, _POLLER,
    "Polls of feeds, by what came of them.",
    "Many that are neither `ok`, `not-modified`, `same-body` nor `empty`: `storywire feeds list --failing`.",
    ("outcome",), known=("ok", "empty", "not-modified", "same-body", "failed", "unreachable", "refused", "gone"),
)  # fmt: skip
PUSHES = Metric(
    "storywire_pushes_total", Kind.COUNTER, _POLLER,
    "Polls that asked nobody, as a hub had pushed the feed (WebSub).",
    "None where hubs are subscribed to: `storywire check --only hubs`.",
)  # fmt: skip
ENTRIES = Metric(
    "storywire_entries_total", Kind.COUNTER, _POLLER,
    "Entries of feeds that were taken: `new`, `revised`, or `carried` by a second feed; `later` are those beyond a "
    "feed's daily share, counted at each poll.",
    "None are `new` for an hour: `storywire feeds list`. Many `later`: a feed brings more than STORYWIRE_MAX_DAILY.",
    ("kind",), known=("new", "revised", "carried", "later"),
)  # fmt: skip
FETCHED_BYTES = Metric(
    "storywire_fetched_bytes_total", Kind.COUNTER, _POLLER,
    "Bytes of feeds' bodies, decompressed.", _FINE,
)  # fmt: skip
DEFERRED = Metric(
    "storywire_polls_deferred_total", Kind.COUNTER, _POLLER,
    "Polls that were due and had to wait for their turn at their host.",
    "Steadily more than polls: many feeds share a host; see STORYWIRE_GATE_SPACING in docs/operations.md.",
)  # fmt: skip
UNRECORDED = Metric(
    "storywire_polls_unrecorded_total", Kind.COUNTER, _POLLER,
    "Polls that were made and could not be recorded; they are made again when their lease ends.",
    "`storywire check --only server`: the server is away, or refuses writes.",
)  # fmt: skip

# --- pages ------------------------------------------------------------------------------------------------------------

PAGES = Metric(
    "storywire_pages_total", Kind.COUNTER, _PAGES,
    "Pages of entries: `read`, or `summary` where the entry's own text had to do.",
    "Hardly any `read`: `storywire check --only pages` tells the most frequent reason.",
    ("outcome",), known=("read", "summary"),
)  # fmt: skip

# --- worker -----------------------------------------------------------------------------------------------------------

ARTICLES = Metric(
    "storywire_articles_total", Kind.COUNTER, _WORKER,
    "Articles that were clustered: `new` (began a story), `joined`, `revised`, `repeated` (placed already), `carried` "
    "(by one more feed), `forgotten` (kept out).",
    "None while some wait: `storywire check --only queue`. Many `repeated`: jobs run twice; see the worker's log.",
    ("outcome",), known=("new", "joined", "revised", "repeated", "carried", "forgotten"),
)  # fmt: skip
BATCHES = Metric(
    "storywire_batches_total", Kind.COUNTER, _WORKER,
    "Batches and parts of batches: `ok`, `halved` (looking for the article that fails), `one by one` (a worker died "
    "of it), `quarantined`, `superseded`, `full` (the quarantine had no room), or `waits` (for a node of a Cluster).",
    "`quarantined` or `full`: `storywire quarantine list`. `waits`: the worker's log names the node.",
    ("outcome",), known=("ok", "halved", "one by one", "quarantined", "superseded", "full", "waits"),
)  # fmt: skip
FETCH_TO_STORY = Metric(
    "storywire_fetch_to_story_seconds", Kind.HISTOGRAM, _WORKER,
    "From an article's fetch to its story; without revisions, imported files and what waited for its page.",
    "`storywire check`: a queue that grows needs more of `storywire work`.", (), _LAG_S,
)  # fmt: skip
LEASE_WAIT = Metric(
    "storywire_lease_wait_seconds", Kind.HISTOGRAM, _WORKER,
    "How long a batch waited for the leases of its languages, all together.",
    "Over a second: more workers do not help, one language is decided by one at a time.", (), _SECONDS,
)  # fmt: skip
CANDIDATES = Metric(
    "storywire_candidates", Kind.HISTOGRAM, _WORKER,
    "Stories that an article was compared with, text by text.",
    "Always 0: nothing shares any words; look at the feeds' languages with `storywire report`.",
    (), (0.0, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0),
)  # fmt: skip
REQUEUED = Metric(
    "storywire_requeued_total", Kind.COUNTER, _WORKER,
    "Articles that no job carried any more, and were queued again.",
    "A few after a crash are as it should be; steadily some: poller or worker dies, see their logs.",
)  # fmt: skip
EXPIRED = Metric(
    "storywire_expired_total", Kind.COUNTER, _WORKER,
    "Articles whose stories have ended after STORYWIRE_RETENTION.", _FINE,
)  # fmt: skip

# --- web --------------------------------------------------------------------------------------------------------------

REQUESTS = Metric(
    "storywire_http_requests_total", Kind.COUNTER, _WEB,
    "Requests, by the route that answered (`none`: there is no such page) and the status.",
    "5xx: the log of `storywire serve`, lines `served`.", ("route", "status"),
)  # fmt: skip
REQUEST = Metric(
    "storywire_http_request_seconds", Kind.HISTOGRAM, _WEB,
    "From a request to the head of its answer.",
    "Slow on all routes: this machine, or the server; on one: the log tells which requests.", ("route",), _SECONDS,
)  # fmt: skip
ALERTS = Metric(
    "storywire_alerts_total", Kind.COUNTER, _WEB,
    "Alerts by STORYWIRE_ALERTS: `raised`, and of their deliveries `delivered`, `again` (not taken, tried later) and "
    "`dead` (tried no more); `gap`: events were gone before the rules looked through them.",
    "`again` or `dead`: `storywire alerts list` says why; then `storywire alerts test RULE`. `gap`: keep a "
    "`storywire serve` with STORYWIRE_ALERTS up.",
    ("outcome",), known=("raised", "delivered", "again", "dead", "gap"),
)  # fmt: skip
LISTENERS = Metric(
    "storywire_stream_clients", Kind.READING, _WEB,
    "Open streams of events: pages and programs that follow live.", _FINE,
)  # fmt: skip

# --- the store, as the web process sees it ----------------------------------------------------------------------------

UP = Metric(
    "storywire_store_up", Kind.READING, _WEB,
    "1 where the server has answered for this scrape; 0 where it, or the queue's, has not: what is not known is left "
    "out.",
    "`storywire check --only server`.",
)  # fmt: skip
QUEUE = Metric(
    "storywire_queue_depth", Kind.READING, _WEB,
    "Jobs that wait, of STORYWIRE_BATCH articles each at most.",
    "Grows for minutes: start more of `storywire work`.",
)  # fmt: skip
QUEUE_OLDEST = Metric(
    "storywire_queue_oldest_seconds", Kind.READING, _WEB,
    "How long the job at the queue's head has waited; 0 where none does.",
    "Over a minute: start more of `storywire work`; `storywire check --only queue` says whether any lives.",
)  # fmt: skip
OUTBOX = Metric(
    "storywire_outbox_articles", Kind.READING, _WEB,
    "Articles on the way into stories.",
    "From STORYWIRE_MAX_PENDING on polls wait: start more of `storywire work`.",
)  # fmt: skip
OUTBOX_MOST = Metric(
    "storywire_outbox_limit_articles", Kind.READING, _WEB,
    "STORYWIRE_MAX_PENDING, from which on polls wait.", "More memory for the server, then a larger value.",
)  # fmt: skip
OUTBOX_OLDEST = Metric(
    "storywire_outbox_oldest_seconds", Kind.READING, _WEB,
    "How long the oldest article has waited since it was queued last; 0 where none does.",
    "Over a minute: `storywire check --only queue,lag`.",
)  # fmt: skip
AWAITING = Metric(
    "storywire_pages_awaiting", Kind.READING, _WEB,
    "Articles that wait for their pages.", "Grows: start another `storywire pages`.",
)  # fmt: skip
WORKERS = Metric(
    "storywire_workers", Kind.READING, _WEB, "Workers that live.", "0: start `storywire work`.",
)  # fmt: skip
POLLERS = Metric(
    "storywire_pollers", Kind.READING, _WEB,
    "Pollers that live: `polling`, or `held` back by the queue or the server's memory.",
    "None: start `storywire poll`. `held`: `storywire check --only pollers,outbox,server`.", ("state",),
)  # fmt: skip
FEEDS = Metric(
    "storywire_feeds", Kind.READING, _WEB,
    "Feeds: `ok`, `failing`, `paused` by a person, or `gone` for good (410).",
    "`failing`: `storywire feeds list --failing --sort errors`.", ("status",),
)  # fmt: skip
LATE = Metric(
    "storywire_polls_late_seconds", Kind.READING, _WEB,
    "How far polls are behind their schedule.", "Over five minutes: start another `storywire poll`.",
)  # fmt: skip
STORIES = Metric("storywire_stories", Kind.READING, _WEB, "Stories that are stored.", _FINE)
STORED = Metric("storywire_articles", Kind.READING, _WEB, "Articles that are stored, in stories.", _FINE)
OVERDUE = Metric(
    "storywire_stories_overdue_seconds", Kind.READING, _WEB,
    "How long ago the oldest story should have ended.",
    "Over an hour: the worker's log says why (an archive that cannot be written?).",
)  # fmt: skip
QUARANTINE = Metric(
    "storywire_quarantine", Kind.READING, _WEB,
    "Articles that could not be processed.", "More than 0: `storywire quarantine list`, then retry or drop.",
)  # fmt: skip
DELIVERIES = Metric(
    "storywire_alert_deliveries", Kind.READING, _WEB,
    "Deliveries of alerts: `waiting` to be made, `dead`, that nobody took within a day, or `lost`: dead ones that were "
    "let go of for newer ones.",
    "`dead`, or `waiting` grows: `storywire alerts list`.", ("state",),
)  # fmt: skip
MEMORY = Metric(
    "storywire_server_memory_bytes", Kind.READING, _WEB,
    "Memory that the stories' server uses.",
    "Near its limit: raise its maxmemory or shorten STORYWIRE_RETENTION; polls wait from 90 % on.",
)  # fmt: skip
MEMORY_MOST = Metric(
    "storywire_server_memory_limit_bytes", Kind.READING, _WEB,
    "Its maxmemory; 0 stands for no limit.", "0: set a maxmemory, or it may take all that this machine has.",
)  # fmt: skip
LOOK = Metric(
    "storywire_store_look_seconds", Kind.READING, _WEB,
    "How long it took to ask the server for these; they are asked for again when 20 times as long has passed.",
    "Over 2 s they are left out: the server has too much to do.",
)  # fmt: skip

METRICS = tuple(each for each in list(globals().values()) if isinstance(each, Metric))
