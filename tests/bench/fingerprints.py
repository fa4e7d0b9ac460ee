"""How many articles of 400 words one core fingerprints a second, beside the `simhash` package.

    python -m tests.bench.fingerprints

Method: both take the same texts in turn, 100 at a time, in one process; compared is the processor time. Ours is all of
`worker.fingerprint.fingerprints`: words, weights, story, copy and key-term fingerprints, sketch. It has seen other
articles before (`warm`), as a worker has; what the first articles of a process cost is told too. A short text is
fingerprinted before, so that loading the word list counts for neither.
"""

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct, to_builtins

from tests.bench import newswire
from tests.bench.running import keep, table
from tests.bench.yardstick import cpu_s, simhash_alone
from worker.fingerprint import fingerprints
from worker.model import Article

ARTICLES = 2_000
WARM = 4_000
_TURN = 100
LEAST_RATIO = 4.0


class Speed(Struct, frozen=True):
    """Articles a second of processor time: the first ones of a process, later ones, and the package's."""

    texts: str
    first: float
    ours: float
    simhash: float

    @property
    def ratio(self) -> float:
        """How many times the package's articles a second."""
        return self.ours / self.simhash


def measure(texts: str, articles: Sequence[Article]) -> Speed:
    """The speed on articles that were not seen before; the first WARM of `articles` are the others."""
    warm, fresh = articles[:WARM], articles[WARM:]
    _ours(Article(id="first", text="An article.", lang="en", received=0.0))
    first_s = cpu_s(_ours, warm[:_TURN])
    cpu_s(_ours, warm[_TURN:])
    ours_s = theirs_s = 0.0
    for start in range(0, len(fresh), _TURN):
        ours_s += cpu_s(_ours, fresh[start : start + _TURN])
        theirs_s += cpu_s(simhash_alone, fresh[start : start + _TURN])
    return Speed(texts, _TURN / first_s, len(fresh) / ours_s, len(fresh) / theirs_s)


def _ours(article: Article) -> object:
    return fingerprints(article.title, article.text, article.lang)


def report(speeds: Sequence[Speed]) -> None:
    """Print the table and keep the figures."""
    print(f"\nFingerprints of {newswire.WORDS}-word articles, one core, processor time")
    table(
        ("texts", "the first 100", "articles/s", "simhash alone", "ratio"),
        [(s.texts, f"{s.first:.0f}", f"{s.ours:.0f}", f"{s.simhash:.0f}", f"{s.ratio:.1f}") for s in speeds],
    )
    for speed in speeds:
        keep(f"fingerprints_{speed.texts}", {**to_builtins(speed), "ratio": speed.ratio})


def sets(stories: Path, count: int) -> list[tuple[str, list[Article]]]:
    """Generated texts, and real ones where they lie beside the repository."""
    found = [("generated", newswire.generated(count))]
    if stories.is_dir():
        found.append(("real", newswire.real(stories, count)))
    else:
        print("no shared/ beside the repository: real articles are left out")
    return found


SHARED_STORIES = Path(__file__).parents[3] / "shared" / "stories"

if __name__ == "__main__":
    report([measure(name, articles) for name, articles in sets(SHARED_STORIES, WARM + ARTICLES)])
