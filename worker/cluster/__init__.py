"""Clustering, pure: (article, view) -> decision and its effects. Nothing here reads, waits or tells the time."""

from worker.cluster.correct import pin, split, unite
from worker.cluster.edition import two_editions
from worker.cluster.enforce import outlive
from worker.cluster.evidence import THRESHOLD, USUAL_STRICTNESS, demanded, pair_score, threshold
from worker.cluster.expire import expire
from worker.cluster.forget import forget
from worker.cluster.place import Placed, place
from worker.cluster.relation import relate
from worker.cluster.restore import restore
from worker.cluster.search import prefetch
from worker.cluster.ties import Ties
from worker.cluster.timing import event_time, time_factor
from worker.cluster.undo import Undone, undo
from worker.cluster.view import Need, View

__all__ = [
    "THRESHOLD",
    "USUAL_STRICTNESS",
    "Need",
    "Placed",
    "Ties",
    "Undone",
    "View",
    "demanded",
    "event_time",
    "expire",
    "forget",
    "outlive",
    "pair_score",
    "pin",
    "place",
    "prefetch",
    "relate",
    "restore",
    "split",
    "threshold",
    "time_factor",
    "two_editions",
    "undo",
    "unite",
]
