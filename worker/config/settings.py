"""The settings of a process: read from an environment, and passed on to another one.

Invariant: this is the only module that reads `STORYWIRE_*` variables, and it reads them only when asked to.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from worker.config import values
from worker.config.table import SETTINGS
from worker.errors import BadSetting


@dataclass(frozen=True)
class Settings:
    """All settings, parsed; the fields are those of the table."""

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
        texts[setting.variable] = f"{value:f}s" if setting.parse is values.duration else str(value)
    return texts


def is_set(environ: Mapping[str, str], name: str) -> bool:
    """Whether an environment says anything of a setting."""
    return any(environ.get(setting.variable) for setting in SETTINGS if setting.name == name)


def load(environ: Mapping[str, str], **overrides: str | None) -> Settings:
    """The settings from an environment; `overrides` (from the command line) win, None counts as not given.

    Raises BadSetting, which names the variable, its value and what to write instead. An empty value is the default.
    """
    parsed: dict[str, Any] = {}
    for setting in SETTINGS:
        text = overrides.get(setting.name) or environ.get(setting.variable) or setting.default
        try:
            value = setting.parse(text)
            if setting.least_s and value < setting.least_s:
                raise ValueError(f"write {setting.least_s:.0f}s or more, less is too short")
            parsed[setting.name] = value
        except ValueError as error:
            shown = "" if setting.secret else f"={text!r}"
            raise BadSetting(f"{setting.variable}{shown}: {error}") from None
    return Settings(**parsed)
