"""What STORYWIRE_STRICTNESS does to precision and recall, on the labelled sets and on the generated newsroom.

    python -m tests.bench.strictness [--shared ../shared] [--plot docs/strictness.svg]

Method: each set goes through the pure decision, article by article in order of time, once for each step of the setting;
BCubed and pairs, and their means over the sets. Nothing else differs between the runs.

Invariant: the figures of one table come from one run.
"""

import argparse
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean

from msgspec import Struct

from tests.bench.drawing import COLOURS, clean, drawing
from tests.bench.labelled import LabelledSet, available
from tests.memory import Memory
from tests.scoring import Score, bcubed, pairwise
from worker.cluster import USUAL_STRICTNESS
from worker.fingerprint import fingerprints
from worker.model import Article, Member

ROOT = Path(__file__).parents[2]
STEPS = tuple(step / 10 for step in range(11))


class Step(Struct, frozen=True):
    """What one strictness makes of one set."""

    strictness: float
    bcubed: Score
    pairs: Score
    stories: int


def steps(labelled: LabelledSet, at: Sequence[float] = STEPS) -> list[Step]:
    """The set at every strictness; its fingerprints are made once."""
    members = [(article.lang, _member(article)) for article in labelled.articles]
    return [_step(labelled, members, strictness) for strictness in at]


def _member(article: Article) -> Member:
    at = article.received
    prints = fingerprints(article.title, article.text, article.lang)
    return Member(article.id, 1, article.title, "", article.source, at, at, at, False, prints)


def _step(labelled: LabelledSet, members: Sequence[tuple[str, Member]], strictness: float) -> Step:
    shards = {lang: Memory(lang, strictness) for lang, _ in members}
    for lang, member in members:
        shards[lang].place(member)
    assigned = {article: story for shard in shards.values() for article, story in shard.assignments().items()}
    gold = list(labelled.truth.values())
    predicted = [assigned[article] for article in labelled.truth]
    stories = sum(len(shard.stories()) for shard in shards.values())
    return Step(strictness, bcubed(gold, predicted), pairwise(gold, predicted), stories)


def table(found: dict[str, list[Step]]) -> str:
    """Markdown: the means over the sets, and BCubed precision / recall of each."""
    head = ["strictness", "BCubed precision", "recall", "F1", "pairs: precision", "recall", *found]
    rows = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for number, strictness in enumerate(STEPS):
        row = [each[number] for each in found.values()]
        means = [fmean(step.bcubed[k] for step in row) for k in range(3)]
        means += [fmean(step.pairs[k] for step in row) for k in range(2)]
        shown = [f"{mean:.3f}" for mean in means]
        shown += [f"{step.bcubed.precision:.2f} / {step.bcubed.recall:.2f}" for step in row]
        rows.append("| " + " | ".join([f"{strictness:.1f}", *shown]) + " |")
    return "\n".join(rows)


def draw(found: dict[str, list[Step]], path: Path) -> None:
    """The means against the setting; and each set as a curve of precision against recall."""
    with drawing(path, 2, figsize=(10, 4.2)) as (_, (left, right)):
        for colour, (name, style) in zip(
            (0, 0, 2, 2),
            (("BCubed precision", "-"), ("BCubed recall", "--"), ("pairs: precision", "-"), ("pairs: recall", "--")),
            strict=True,
        ):
            values = [_mean(found, number, name) for number in range(len(STEPS))]
            left.plot(STEPS, values, style, color=COLOURS[colour], label=name)
        left.axvline(USUAL_STRICTNESS, color=COLOURS[1], linewidth=1, zorder=0)
        left.set(xlabel="STORYWIRE_STRICTNESS", xlim=(0, 1), ylim=(0, 1))
        left.set_title("mean of all sets", loc="left", fontsize=11)
        left.legend(frameon=False, loc="lower left")
        for place, (name, row) in enumerate(found.items()):
            recall, precision = [s.bcubed.recall for s in row], [s.bcubed.precision for s in row]
            right.plot(recall, precision, color=COLOURS[(place + (place > 0)) % len(COLOURS)], label=name)
            usual = STEPS.index(USUAL_STRICTNESS)
            right.plot(recall[usual], precision[usual], "o", color=right.lines[-1].get_color())
        right.set(xlabel="BCubed recall", ylabel="BCubed precision", xlim=(0, 1.01), ylim=(0.5, 1.01))
        right.set_title("each set, from strictness 1 (left) to 0; dots: the default", loc="left", fontsize=11)
        right.legend(frameon=False, loc="lower left")
        for axes in (left, right):
            clean(axes, "both")


def _mean(found: dict[str, list[Step]], number: int, name: str) -> float:
    kind, _, what = name.replace(":", "").partition(" ")
    return fmean(getattr(getattr(each[number], kind.lower()), what) for each in found.values())


def main() -> None:
    """Print the table, and draw the picture where matplotlib is installed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--plot", type=Path, default=ROOT / "docs" / "strictness.svg")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = {labelled.name: steps(labelled) for labelled in available(asked.shared, Path(folder))}
    print(table(found))
    if find_spec("matplotlib") is None:
        print("not drawn: matplotlib is not installed (it comes with the extra `bench`)")
        return
    draw(found, asked.plot)
    print(f"wrote {asked.plot}")


if __name__ == "__main__":
    main()
