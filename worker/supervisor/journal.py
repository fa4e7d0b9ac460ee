"""What the children say: all of it into a file, what a person should know onto the terminal.

Invariant: a line is in the file before it is on the terminal, and a child that complains without end fills neither.
"""

import json
import logging
import threading
import time
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import structlog

from worker.errors import Permanent
from worker.log import printable

_FILE_BYTES = 10_000_000
"""Then the file is put aside as `.1`, which replaces the one before."""

_ALIKE = 3
_ALIKE_S = 60.0
"""So many warnings of one kind in a minute are shown; the others are only written down."""

_POLLED = "polled"
"""A feed that fails is told of once, and only where a person has to mend it; the rest is for `storywire feeds list`."""

_MENDED_BY_A_PERSON = frozenset({"failed", "gone"})
_PASSES = "tried again later"
"""How worker/fetch/answers.py ends what it says of a failure that passes by itself."""

_MOST_FEEDS = 10_000

_OURS = frozenset({"time", "level", "process", "event", "exception"})

log = structlog.get_logger()


class Journal:
    """The log file of a data directory, `storywire.log`; raises Permanent if it cannot be written.

    say: prints what a child has to tell the person who watches, the `notice` of a line.
    """

    def __init__(self, data_dir: Path, say: Callable[[str], None] | None = None) -> None:
        self._say = say
        self._last: dict[str, str] = {}
        self.path = data_dir / "storywire.log"
        try:
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = RotatingFileHandler(self.path, maxBytes=_FILE_BYTES, backupCount=1, encoding="utf-8")
        except OSError as error:
            raise Permanent(
                f"the log {self.path} cannot be written ({error.strerror}): give another folder with "
                "STORYWIRE_DATA_DIR or --data-dir"
            ) from error
        self._shown: dict[tuple[str, str], list[float]] = {}
        self._failing: set[str] = set()
        self._lock = threading.Lock()

    def hear(self, name: str, line: str) -> None:
        """Write a child's line down, and show it if it is a warning, or nothing that a log would say."""
        if not line.strip():
            return
        fields = _parsed(line)
        self._write(line if fields is not None else json.dumps({"process": name, "said": line}))
        self._last[name] = printable(line.removeprefix("storywire: ") if fields is None else _told(fields))
        if fields is None:
            if self._new(name, "said"):
                log.warning(printable(line), process=name)
        elif "notice" in fields and self._say is not None:
            if self._new(name, str(fields["notice"])):
                self._say(printable(str(fields["notice"])))
        elif fields["event"] == _POLLED:
            self._look_at_poll(name, fields)
        elif fields.get("level") in ("warning", "error", "critical"):
            self._show(name, fields)

    def last(self, name: str) -> str:
        """What a child of this name said last, in a few words; "" if nothing."""
        return self._last.get(name, "")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, line: str) -> None:
        self._file.handle(logging.LogRecord("journal", logging.INFO, "", 0, "%s", (line,), None))

    def _show(self, name: str, fields: dict[str, Any]) -> None:
        event = str(fields.get("event", ""))
        if not self._new(name, event):
            return
        shown = {key: value for key, value in fields.items() if key not in _OURS}
        if fields.get("exception"):
            shown |= {"error": _told(fields), "see": str(self.path)}
        log.log(getattr(logging, str(fields["level"]).upper()), event, process=name, **shown)

    def _look_at_poll(self, name: str, fields: dict[str, Any]) -> None:
        """Say of a feed that a person has to mend that it fails: once, and again only after it could be read."""
        url, trouble = str(fields.get("url", "")), str(fields.get("trouble", ""))
        if fields.get("level") == "info":
            self._failing.discard(url)
        elif fields.get("outcome") in _MENDED_BY_A_PERSON and _PASSES not in trouble and url not in self._failing:
            if self._say is None or len(self._failing) >= _MOST_FEEDS or not self._new(name, _POLLED):
                return
            self._failing.add(url)
            self._say(printable(f"The feed {url} cannot be read: {trouble} (said once; see `storywire feeds list`)"))

    def _new(self, name: str, event: str) -> bool:
        """Whether fewer than a few of this kind were shown within the last minute."""
        now = time.monotonic()
        with self._lock:
            shown = [at for at in self._shown.get((name, event), []) if at > now - _ALIKE_S]
            if fits := len(shown) < _ALIKE:
                shown.append(now)
            self._shown[name, event] = shown
            if len(self._shown) > 1000:
                self._shown.clear()
        return fits


def _told(fields: dict[str, Any]) -> str:
    if fields.get("exception"):
        return str(fields["exception"]).strip().splitlines()[-1]
    return ": ".join(str(fields[key]) for key in ("event", "reason", "trouble", "error") if fields.get(key))


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) and "event" in fields else None
