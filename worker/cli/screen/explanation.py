"""Why two articles are, or are not, one story: figures, key terms, and a sentence in plain words.

Invariant: says only what the comparison holds; the limits it names are those that the decision uses.
"""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from worker.cli.screen.members import SIGNS, STYLES
from worker.cli.screen.reasons import reason, verdict
from worker.cli.screen.terminal import Part, Screen, fit
from worker.cluster.posting import COPY_DISTANCE
from worker.cluster.relation import COPY_CONTAINMENT, REWRITE_OVERLAP
from worker.fingerprint import STORY_BITS
from worker.model import Relation
from worker.report.comparison import Comparison, Side, Term
from worker.report.harmless import cut, harmless
from worker.report.words import count, fraction, full_time

_MOST_TERMS = 14
_MOST_ONLY = 12
_LABEL_CELLS = 18
_VALUE_CELLS = 20
_BAR_CELLS = 24
_PLAIN_CELLS = 100


def show_explanation(screen: Screen, result: Comparison) -> None:
    """Print it all."""
    width = screen.width if screen.is_terminal else _PLAIN_CELLS
    for line in _lines(result, screen.blocks[-1], width):
        screen.say(*fit(line, width))
    screen.say()
    for text in wrapped("Why: " + reason(result), width):
        screen.say(text)


def _lines(result: Comparison, block: str, width: int) -> Iterator[Sequence[Part]]:
    for name, side in (("A", result.earlier), ("B", result.later)):
        yield (f"{name}  ", "bold"), (harmless(side.title, "(no headline)"), "bold")
        yield "   ", (about(side), "dim")
    yield ()
    relation = result.repeats[1] if result.repeats else Relation.REPORT
    sign, style = (SIGNS[relation], STYLES[relation]) if result.together else ("≠", "")
    together = "one story" if result.together else "not one story"
    yield ((f"{sign} {together}: {verdict(result)}", f"bold {style}"),)
    yield ()
    for label, value, meaning in figures(result):
        yield f"   {label:<{_LABEL_CELLS}}", (f"{value:<{_VALUE_CELLS}}", "bold"), meaning
    if not result.comparable:
        return
    yield " " * (3 + _LABEL_CELLS + _VALUE_CELLS), *_gauge(result.score, result.threshold, block)
    yield ()
    yield from _terms(result, block, width)


def about(side: Side) -> str:
    """Where an article comes from: its outlet, time, story, id and language."""
    when = full_time(side.time) if side.time is not None else "no date"
    parts = [harmless(side.source), when, harmless(side.story or ""), harmless(side.id), side.lang]
    return "  ·  ".join(part for part in [*parts, count(side.prints.words, "word")] if part)


def figures(result: Comparison) -> Iterator[tuple[str, str, str]]:
    """(label, value, what it means) of each figure that the decision goes by."""
    if not result.comparable:
        yield "not compared", "", "texts without words, and texts of two languages, never are"
        return
    yield "copy distance", f"{result.copy_distance} of 64 bits", f"the same text is within {COPY_DISTANCE}"
    copies, rewrites = fraction(COPY_CONTAINMENT), fraction(REWRITE_OVERLAP)
    yield "containment", f"{fraction(result.containment)} of triples", f"of the shorter text's; copies from {copies}"
    yield "shared wording", f"{fraction(result.mean_containment)} of triples", f"mean of both; rewrites from {rewrites}"
    yield (
        "story distance",
        f"{result.story_distance} of {STORY_BITS} bits",
        f"cosine about {fraction(result.cosine)}; strangers: half",
    )
    if result.days is None:
        yield "time factor", fraction(result.time_factor), "no dates: taken to be of one time"
    else:
        yield "time factor", fraction(result.time_factor), f"{apart(result.days)} apart; two days halve it"
    sign = "≥" if result.score >= result.threshold else "<"
    yield (
        "score",
        f"{fraction(result.score)} {sign} {fraction(result.threshold)}",
        f"words alike x time factor; one story from {fraction(result.threshold)}",
    )


def apart(days: float) -> str:
    """A distance in time: `20 min`, `3.5 h`, `2.1 days`."""
    if days >= 2:
        return f"{days:,.1f} days"
    hours = days * 24
    return f"{hours:.1f} h" if hours >= 1 else f"{hours * 60:.0f} min"


def _gauge(score: float, threshold: float, block: str) -> list[Part]:
    """The score as a bar of a full cosine, the threshold as a mark on it."""
    filled, mark = (min(_BAR_CELLS, max(0, round(x * _BAR_CELLS))) for x in (score, threshold))
    style = "green" if score >= threshold else "red"
    bar = (block * filled).ljust(_BAR_CELLS, "·")
    return [(bar[:mark], style), ("|", "bold"), (bar[mark:], style), (" | threshold", "dim")]


def _terms(result: Comparison, block: str, width: int) -> Iterator[Sequence[Part]]:
    earlier, later = result.earlier.prints.terms, result.later.prints.terms
    share = fraction(sum(term.product for term in result.shared))
    made = f"; they make {share} of the cosine" if result.shared else ""
    yield (f"Shared key terms: {len(result.shared)}", "bold"), f" of {len(earlier)} and {len(later)}{made}"
    shown = result.shared[:_MOST_TERMS]
    if shown:
        word_cells = min(30, max(cell_len(harmless(term.term)) for term in shown))
        bar_cells = max(8, min(_BAR_CELLS, width - word_cells - 26))
        yield ((f"   {'':<{word_cells}}     A     B     A x B", "dim"),)
        for term in shown:
            yield _term_line(term, word_cells, bar_cells, shown[0].product, block)
    if len(result.shared) > len(shown):
        yield ((f"   and {len(result.shared) - len(shown)} more", "dim"),)
    for name, only in (("A", result.only_earlier), ("B", result.only_later)):
        words = ", ".join(f"{harmless(term.term)} {fraction(term.earlier or term.later)}" for term in only[:_MOST_ONLY])
        if words:
            yield (f"Only in {name}: ", "bold"), words


def _term_line(term: Term, word_cells: int, bar_cells: int, largest: float, block: str) -> list[Part]:
    word = cut(harmless(term.term), word_cells)
    bar = block * max(1, round(bar_cells * term.product / largest)) if largest else ""
    pad = " " * (word_cells - cell_len(word))
    product = f"{term.product:.3f}".removeprefix("0")
    return [f"   {word}{pad}   {fraction(term.earlier):>3}   {fraction(term.later):>3}   {product:>4}  ", (bar, "blue")]


def wrapped(text: str, width: int) -> Sequence[str]:
    """The text in lines of at most so many cells, broken between words."""
    lines = [""]
    for word in text.split():
        if lines[-1] and cell_len(lines[-1]) + 1 + cell_len(word) > width:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return lines
