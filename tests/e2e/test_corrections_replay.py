"""Two workers and an editor at once: one total order of commits, corrections included, and the pure decision agrees."""

from collections.abc import Callable
from functools import partial
from itertools import cycle
from pathlib import Path
from random import Random

from tests.e2e.test_concurrency import as_member, newsroom_articles
from tests.memory import Memory, answer
from tests.waiting import eventually
from worker import config, supervisor
from worker.clock import SystemClock
from worker.cluster import pin, split, undo, unite
from worker.editing import Edited
from worker.errors import BadInput
from worker.model import story_id, uid
from worker.runtime import Runtime, open_runtime

LANG = "en"
ARTICLES = 900
CORRECTIONS = 15

Again = Callable[[Memory], object]
"""What was done, to be done once more in memory."""


def correct(runtime: Runtime, kind: str, rng: Random) -> tuple[Edited, Again]:
    """Correct something of what is there now. Raises BadInput where that has changed meanwhile."""
    stories = runtime.stories.recent(LANG, 0, 10 * ARTICLES)
    number = rng.choice([story.number for story in stories if story.articles > 1])
    other = rng.choice(stories).number
    article = rng.choice(runtime.stories.members(LANG, number)).id
    story, target, editing = story_id(LANG, number), story_id(LANG, other), runtime.editing
    if kind == "merge":
        return editing.merge([story, target]), lambda it: answer(it.view, unite(it.view, [number, other], 0))
    if kind == "pin":
        return editing.pin(article, target), lambda it: answer(it.view, pin(it.view, uid(article), other, 0))
    return editing.split(story, [article]), lambda it: answer(it.view, split(it.view, number, [uid(article)], 0))


def undo_again(number: int, it: Memory) -> object:
    """Undo a correction once more in memory."""
    return answer(it.view, undo(it.view, number, 0))


def edit_meanwhile(runtime: Runtime) -> dict[int, Again]:
    """CORRECTIONS corrections while the workers cluster: commit -> what was done."""
    rng, done = Random(3), dict[int, Again]()
    for kind in cycle(["split", "pin", "merge"]):
        eventually(lambda: runtime.stories.counts()["articles"] > 20, 60, lambda: "nothing is clustered")
        try:
            edited, again = correct(runtime, kind, rng)
        except (BadInput, IndexError):
            continue
        done[edited.made.correction.seq] = again
        if len(done) % 2:  # every other one is undone before anything else is corrected
            undone = runtime.editing.undo(edited.made.id)
            done[undone.seq] = partial(undo_again, edited.made.correction.number)
        if len(done) >= CORRECTIONS:
            return done
    raise AssertionError("unreachable")


def test_corrections_have_their_place_in_the_order_that_replays_bit_for_bit(data_dir: Path) -> None:
    articles = [article for article in newsroom_articles(4 * ARTICLES) if article.lang == LANG][:ARTICLES]
    with open_runtime(config.load({"STORYWIRE_BATCH": "10"}, data_dir=str(data_dir)), SystemClock()) as runtime:
        refs = runtime.outbox.publish("one", articles, {}, runtime.clock.now())
        runtime.jobs.enqueue(refs)
        with supervisor.workers(runtime.settings, runtime.url, 2):
            done = edit_meanwhile(runtime)
            eventually(lambda: not runtime.outbox.depth(), 120, lambda: f"{runtime.outbox.depth()} articles wait")
        placed = {e.seq: e.uid for e in runtime.stories.events({}, 10 * ARTICLES) if e.kind in ("new", "grew")}
        stored = dict(runtime.stories.assignments())
        ties = runtime.editing.corrections()
    assert min(done) < max(placed), "the workers were done before the editor: nothing was shown"
    assert len(placed) == len(stored) == ARTICLES

    by_uid = {uid(article.id): as_member(article) for article in articles}
    memory = Memory(LANG)
    for seq in sorted(placed | done):
        if seq in done:
            done[seq](memory)
        else:
            memory.place(by_uid[placed[seq]])
    assert memory.assignments() == stored
    assert [(t.number, t.kind, t.one, t.other) for t in memory.view.ties.all()] == [
        (t.correction.number, t.correction.kind, t.correction.one, t.correction.other) for t in ties
    ]
