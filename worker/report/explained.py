"""A comparison as the JSON that `explain --json` prints.

Invariant: pure; every figure of it is one of the comparison's, rounded.
"""

from typing import Any

from worker.model import Relation
from worker.report.comparison import Comparison, Side
from worker.report.views import rfc3339


def comparison_record(result: Comparison) -> dict[str, Any]:
    """What `explain --json` prints."""
    return {
        "earlier": _side_record(result.earlier),
        "later": _side_record(result.later),
        "one_story": result.together,
        "stored": result.one_story is not None,
        "relation": str(result.repeats[1] if result.repeats else Relation.REPORT),
        "repeats": _repeated_record(result),
        "copy_distance": result.copy_distance,
        "story_distance": result.story_distance,
        "cosine": round(result.cosine, 4),
        "containment": round(result.containment, 4),
        "mean_containment": round(result.mean_containment, 4),
        "corrections": [str(each) for each in result.by_hand],
        "days": None if result.days is None else round(result.days, 4),
        "time_factor": round(result.time_factor, 4),
        "score": round(result.score, 4),
        "editions": result.editions,
        "threshold": round(result.threshold, 4),
        "shared": [
            {"term": t.term, "earlier": round(t.earlier, 3), "later": round(t.later, 3), "product": round(t.product, 4)}
            for t in result.shared
        ],
        "only_earlier": [{"term": t.term, "weight": round(t.earlier, 3)} for t in result.only_earlier],
        "only_later": [{"term": t.term, "weight": round(t.later, 3)} for t in result.only_later],
    }


def _side_record(side: Side) -> dict[str, Any]:
    return {
        "id": side.id,
        "title": side.title,
        "source": side.source,
        "lang": side.lang,
        "time": None if side.time is None else rfc3339(side.time),
        "story": side.story,
        "relation": None if side.relation is None else str(side.relation),
        "words": side.prints.words,
    }


def _repeated_record(result: Comparison) -> dict[str, str] | None:
    if result.repeats is None:
        return None
    later_repeats = result.repeats[0] == "later"
    repeater, repeated = (result.later, result.earlier) if later_repeats else (result.earlier, result.later)
    return {"article": repeater.id, "of": repeated.id}
