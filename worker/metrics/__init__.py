"""Every metric, named once (table.py), what a process counts (recorder.py), and where it tells it (server.py).

Invariant: only what is in the table can be counted, and each process has a registry of its own.
"""

from worker.metrics.recorder import CONTENT_TYPE, Metrics, Reading
from worker.metrics.server import exposed
from worker.metrics.table import METRICS, Kind, Metric

__all__ = ["CONTENT_TYPE", "METRICS", "Kind", "Metric", "Metrics", "Reading", "exposed"]
