"""The table of settings: each with its name, what it may be, its default and its meaning.

Invariant: a setting is named here and in `Settings`, and nowhere else.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from worker.config import values


@dataclass(frozen=True)
class Setting:
    """One setting: its variable is `STORYWIRE_` and the name in capitals."""

    name: str
    parse: Callable[[str], Any]
    default: str
    help: str
    least_s: float = 0.0
    secret: bool = False

    @property
    def variable(self) -> str:
        return "STORYWIRE_" + self.name.upper()


SETTINGS = (
    Setting("redis_url", str, "", "Server of the stories; without it, the embedded one in the data directory"),
    Setting("queue_url", str, "", "Server of the RQ queue; without it, the stories' server"),
    Setting(
        "data_dir", values.path, "~/.local/share/storywire", "Folder of the embedded server, its socket, lock and log"
    ),
    Setting("retention", values.duration, "7d", "How long a story is kept after its last article", 3600.0),
    Setting(
        "archive_dir",
        values.whole_path,
        "",
        "Folder to which stories go as they end, a file a day; without it, they are gone",
    ),
    Setting(
        "strictness", values.share, "0.5", "What one story asks of two articles, from 0 (little) to 1 (near certainty)"
    ),
    Setting("batch", values.count, "50", "Articles in one job"),
    Setting("workers", values.count, "1", "Worker processes that `up` and `demo` start"),
    Setting(
        "poll_interval",
        values.duration,
        "10m",
        "How often a feed is polled while nothing is known of it, and the measure of the others: those that bring much "
        "are polled more often, those that bring little more rarely",
        1.0,
    ),
    Setting("poll_min", values.duration, "2m", "The least time between two polls of a feed", 1.0),
    Setting("poll_max", values.duration, "24h", "The longest; STORYWIRE_POLL_INTERVAL for both makes that fixed", 1.0),
    Setting("fetch_timeout", values.duration, "30s", "The longest one fetch of a feed may take", 1.0),
    Setting("fetch_parallel", values.count, "256", "How many feeds one poller fetches at once"),
    Setting(
        "gate",
        values.choice("host", "domain", "feed"),
        "host",
        "Whose patience is one: what asks the same host, registrable domain or feed keeps the two limits below",
    ),
    Setting("gate_parallel", values.count, "2", "How often one host (or what STORYWIRE_GATE says) is asked at once"),
    Setting("gate_spacing", values.duration, "1s", "The least time from one request to the next to the same host"),
    Setting(
        "max_pending", values.count, "50000", "Articles that may wait for workers: from there on polls and imports wait"
    ),
    Setting(
        "max_daily",
        values.count,
        "5000",
        "New articles one feed may bring in a day after its first fetch: a whole agency's wire; the rest comes later",
    ),
    Setting(
        "pages",
        values.choice("auto", "on", "off"),
        "auto",
        "Whether the pages of entries are read: `auto` where an entry carries only a summary, `on` always, `off` never",
    ),
    Setting(
        "pages_wait",
        values.duration,
        "2m",
        "How long an article waits for its page; then its summary is clustered",
        1.0,
    ),
    Setting(
        "allow_private",
        values.reachable,
        "0",
        "Which addresses of this machine and of private networks feeds may lead to: `0` none, `1` all, or a list of "
        "`ADDRESS:PORT`",
    ),
    Setting(
        "public_url",
        values.base_url,
        "",
        "Address under which others reach `storywire serve`, a path allowed; with it, feeds that have a hub (WebSub) "
        "are pushed",
    ),
    Setting(
        "listen",
        values.listener,
        "127.0.0.1:8080",
        "Address and port that `storywire serve` listens at; one that is not of this machine alone demands a token",
    ),
    Setting(
        "token",
        values.token,
        "",
        "The editor's token, 16 characters or more: for corrections, and where others reach the site for reading too",
        secret=True,
    ),
    Setting(
        "token_file",
        values.whole_path,
        "",
        "File that holds the token, readable by its owner only; instead of the above",
    ),
    Setting(
        "proxies",
        values.amount,
        "0",
        "How many proxies of yours stand in front of `serve` and add to X-Forwarded-For; 0: it is not believed",
    ),
    Setting(
        "metrics",
        values.listener_or_none,
        "",
        "Address and port at which poller, pages and worker tell Prometheus their metrics, each at the next free port "
        "from this one on; without it, they do not, and `storywire serve` does at `/metrics`",
    ),
    Setting(
        "alerts",
        values.whole_path,
        "",
        "File of rules by which `storywire serve` tells others of stories (docs/alerts.md); without it, nobody is told",
    ),
    Setting("user_agent", str, "Storywire/0.1 (+https://github.com/storywire/storywire)", "What the poller says it is"),
    Setting("log_level", values.choice("debug", "info", "warning", "error"), "info", "The least level that is logged"),
    Setting(
        "log_format", values.choice("auto", "pretty", "json"), "auto", "`auto`: pretty on a terminal, JSON otherwise"
    ),
)
