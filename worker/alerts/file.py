"""The file of rules on the disk.

Invariant: whoever runs goes on by the rules that were last read well, whatever becomes of the file.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from worker.alerts.parsing import parse
from worker.alerts.rules import Rules
from worker.errors import BadSetting

_MOST_BYTES = 1_000_000


class RuleFile:
    """A file as it was when it was last read well. Raises BadSetting where it cannot be read at first; `lenient`: is
    without rules then, and `trouble` says why, until it is mended."""

    def __init__(self, path: Path, environ: Mapping[str, str], *, lenient: bool = False) -> None:
        self._path, self._environ = path, environ
        self._seen = self._state()
        self.trouble = ""
        try:
            self.rules = read(path, environ)
        except BadSetting as error:
            if not lenient:
                raise
            self.rules, self.trouble = Rules((), {}), str(error)

    def reread(self) -> bool:
        """Read it again where it has changed: whether it had. Raises BadSetting where it is broken now: the rules stay
        as they were until it changes again."""
        state = self._state()
        if state == self._seen:
            return False
        self._seen = state
        self.rules, self.trouble = read(self._path, self._environ), ""
        return True

    def _state(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size


def read(path: Path, environ: Mapping[str, str] = os.environ) -> Rules:
    """The rules of a file; raises BadSetting, which names the file, the line and the remedy."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
        text = raw.decode()
    except OSError as error:
        why = (error.strerror or "cannot be read").lower()
        raise BadSetting(f"{path}: {why}: name a file of rules with STORYWIRE_ALERTS (docs/alerts.md)") from None
    except UnicodeDecodeError:
        raise BadSetting(f"{path}: is no UTF-8: save it as such") from None
    if len(raw) > _MOST_BYTES:
        raise BadSetting(f"{path}: is larger than {_MOST_BYTES // 1_000_000} MB: rules are short")
    return parse(text, environ, str(path))
