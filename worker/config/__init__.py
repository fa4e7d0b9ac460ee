"""The settings: one table (table.py) that the code, `--help`, the docs and the tests all read, what each may be
(values.py), and what a process has (settings.py).

Invariant: nothing is read from the environment when this is imported.
"""

from worker.config.settings import Settings, environment, is_set, load
from worker.config.table import SETTINGS, Setting
from worker.config.values import duration, endpoints

__all__ = ["SETTINGS", "Setting", "Settings", "duration", "endpoints", "environment", "is_set", "load"]
