"""The settings: one table that the code, `--help`, the docs and the tests all read.

Invariant: this is the only module that reads `STORYWIRE_*` variables, and it reads them only when asked to.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from worker.errors import BadSetting

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def duration(text: str) -> float:
    """Seconds of `90s`, `15m`, `24h`, `30d`, `250ms`; raises ValueError for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", text.strip())
    if not match:
        raise ValueError("write a duration like 90s, 15m, 24h or 30d")
    return float(match[1]) * _UNITS_S[match[2]]


def _path(text: str) -> Path:
    return Path(text).expanduser()


def _whole_path(text: str) -> str:
    return str(Path(text).expanduser().absolute()) if text else ""


def _count(text: str) -> int:
    if not text.strip().isdecimal() or int(text) < 1:
        raise ValueError("write a whole number from 1")
    return int(text)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ValueError("write a number from 0 to 1, like 0.5")
    return value


def endpoints(text: str) -> list[tuple[str, int]]:
    """The (IP address, port) pairs of `127.0.0.1:8000, [::1]:80`; raises ValueError for anything else."""
    found = []
    for place in text.split(","):
        host, colon, port = place.strip().rpartition(":")
        bare = host.removeprefix("[").removesuffix("]")
        try:
            address = ip_address(bare)
        except ValueError:
            colon = ""
        if not colon or not re.fullmatch(r"[0-9]{1,5}", port) or (":" in bare) == (host == bare):
            raise ValueError("write 0, 1, or addresses like 192.168.1.5:8080, [fd00::5]:80")
        found.append((str(address), int(port)))
    return found


def _allowed(text: str) -> str:
    text = text.strip()
    return text if text in ("0", "1") else ",".join(place.strip() for place in text.split(",") if endpoints(place))


def _base_url(text: str) -> str:
    text = text.strip().rstrip("/")
    if text and not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+(/[A-Za-z0-9._~/-]*)?", text):
        raise ValueError("write the address under which others reach this machine, like https://news.example.org/wire")
    return text


def _place(text: str) -> str:
    try:
        [(_, port)] = endpoints(text)
    except ValueError:
        port = 65536
    if port > 65535:
        raise ValueError("write an IP address and a port like 127.0.0.1:8080 or [::]:8080")
    return text.strip()


def _place_or_none(text: str) -> str:
    return _place(text) if text else ""


def _amount(text: str) -> int:
    if not text.strip().isdecimal():
        raise ValueError("write a whole number from 0")
    return int(text)


def _token(text: str) -> str:
    text = text.strip()
    if text and not re.fullmatch(r"[!-~]{16,512}", text):
        raise ValueError(
            "write 16 or more letters, digits or signs without spaces, as `openssl rand -hex 24` makes them"
        )
    return text


def _choice(*allowed: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() not in allowed:
            raise ValueError("write one of " + ", ".join(allowed))
        return text.lower()

    return parse


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
    Setting("data_dir", _path, "~/.local/share/storywire", "Folder of the embedded server, its socket, lock and log"),
    Setting("retention", duration, "7d", "How long a story is kept after its last article", 3600.0),
    Setting(
        "archive_dir",
        _whole_path,
        "",
        "Folder to which stories go as they end, a file a day; without it, they are gone",
    ),
    Setting("strictness", _share, "0.5", "What one story asks of two articles, from 0 (little) to 1 (near certainty)"),
    Setting("batch", _count, "50", "Articles in one job"),
    Setting("workers", _count, "1", "Worker processes that `up` and `demo` start"),
    Setting(
        "poll_interval",
        duration,
        "10m",
        "How often a feed is polled while nothing is known of it, and the measure of the others: those that bring much "
        "are polled more often, those that bring little more rarely",
        1.0,
    ),
    Setting("poll_min", duration, "2m", "The least time between two polls of a feed", 1.0),
    Setting("poll_max", duration, "24h", "The longest; STORYWIRE_POLL_INTERVAL for both makes that fixed", 1.0),
    Setting("fetch_timeout", duration, "30s", "The longest one fetch of a feed may take", 1.0),
    Setting("fetch_parallel", _count, "256", "How many feeds one poller fetches at once"),
    Setting(
        "gate",
        _choice("host", "domain", "feed"),
        "host",
        "Whose patience is one: what asks the same host, registrable domain or feed keeps the two limits below",
    ),
    Setting("gate_parallel", _count, "2", "How often one host (or what STORYWIRE_GATE says) is asked at once"),
    Setting("gate_spacing", duration, "1s", "The least time from one request to the next to the same host"),
    Setting("max_pending", _count, "50000", "Articles that may wait for workers: from there on polls and imports wait"),
    Setting(
        "max_daily",
        _count,
        "5000",
        "New articles one feed may bring in a day after its first fetch: a whole agency's wire; the rest comes later",
    ),
    Setting(
        "pages",
        _choice("auto", "on", "off"),
        "auto",
        "Whether the pages of entries are read: `auto` where an entry carries only a summary, `on` always, `off` never",
    ),
    Setting("pages_wait", duration, "2m", "How long an article waits for its page; then its summary is clustered", 1.0),
    Setting(
        "allow_private",
        _allowed,
        "0",
        "Which addresses of this machine and of private networks feeds may lead to: `0` none, `1` all, or a list of "
        "`ADDRESS:PORT`",
    ),
    Setting(
        "public_url",
        _base_url,
        "",
        "Address under which others reach `storywire serve`, a path allowed; with it, feeds that have a hub (WebSub) "
        "are pushed",
    ),
    Setting(
        "listen",
        _place,
        "127.0.0.1:8080",
        "Address and port that `storywire serve` listens at; one that is not of this machine alone demands a token",
    ),
    Setting(
        "token",
        _token,
        "",
        "The editor's token, 16 characters or more: for corrections, and where others reach the site for reading too",
        secret=True,
    ),
    Setting(
        "token_file", _whole_path, "", "File that holds the token, readable by its owner only; instead of the above"
    ),
    Setting(
        "proxies",
        _amount,
        "0",
        "How many proxies of yours stand in front of `serve` and add to X-Forwarded-For; 0: it is not believed",
    ),
    Setting(
        "metrics",
        _place_or_none,
        "",
        "Address and port at which poller, pages and worker tell Prometheus their metrics, each at the next free port "
        "from this one on; without it, they do not, and `storywire serve` does at `/metrics`",
    ),
    Setting(
        "alerts",
        _whole_path,
        "",
        "File of rules by which `storywire serve` tells others of stories (docs/alerts.md); without it, nobody is told",
    ),
    Setting("user_agent", str, "Storywire/0.1 (+https://github.com/storywire/storywire)", "What the poller says it is"),
    Setting("log_level", _choice("debug", "info", "warning", "error"), "info", "The least level that is logged"),
    Setting("log_format", _choice("auto", "pretty", "json"), "auto", "`auto`: pretty on a terminal, JSON otherwise"),
)


@dataclass(frozen=True)
class Settings:
    """All settings, parsed; the fields are those of the table above."""

    redis_url: str
    queue_url: str
    data_dir: Path
    retention: float
    archive_dir: str
    strictness: float
    batch: int
    workers: int
    poll_interval: float
    poll_min: float
    poll_max: float
    fetch_timeout: float
    fetch_parallel: int
    gate: str
    gate_parallel: int
    gate_spacing: float
    max_pending: int
    max_daily: int
    pages: str
    pages_wait: float
    allow_private: str
    public_url: str
    listen: str
    token: str = field(repr=False)
    token_file: str
    proxies: int
    metrics: str
    alerts: str
    user_agent: str
    log_level: str
    log_format: str


def environment(settings: Settings) -> dict[str, str]:
    """The variables that give another process these settings: `load(environment(settings))` equals `settings`."""
    texts = {}
    for setting in SETTINGS:
        value = getattr(settings, setting.name)
        texts[setting.variable] = f"{value:f}s" if setting.parse is duration else str(value)
    return texts


def is_set(environ: Mapping[str, str], name: str) -> bool:
    """Whether an environment says anything of a setting."""
    return any(environ.get(setting.variable) for setting in SETTINGS if setting.name == name)


def load(environ: Mapping[str, str], **overrides: str | None) -> Settings:
    """The settings from an environment; `overrides` (from the command line) win, None counts as not given.

    Raises BadSetting, which names the variable, its value and what to write instead. An empty value is the default.
    """
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        text = overrides.get(setting.name) or environ.get(setting.variable) or setting.default
        try:
            value = setting.parse(text)
            if setting.least_s and value < setting.least_s:
                raise ValueError(f"write {setting.least_s:.0f}s or more, less is too short")
            values[setting.name] = value
        except ValueError as error:
            shown = "" if setting.secret else f"={text!r}"
            raise BadSetting(f"{setting.variable}{shown}: {error}") from None
    return Settings(**values)
