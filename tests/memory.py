"""The pure decision in one process: what live stores and replays are held against."""

from collections.abc import Generator, Iterable, Iterator
from typing import TypeVar

from worker.cluster import USUAL_STRICTNESS, Need, Placed, View, place, posting
from worker.fingerprint import fingerprints
from worker.model import Member, Story, story_id

T = TypeVar("T")


def answer(view: View, steps: Generator[Need, None, T] | Iterator[Need]) -> T:
    """Run steps on a view that holds everything: what it lacks does not exist."""
    while True:
        try:
            need = next(steps)
        except StopIteration as stop:
            value: T = stop.value
            return value
        view.fill(need)


def member(
    article_id: str,
    title: str,
    text: str,
    time: float = 0.0,
    *,
    source: str = "",
    revision: int = 1,
    backfill: bool = False,
    lang: str = "en",
) -> Member:
    """An article as the decision gets it."""
    prints = fingerprints(title, text, lang)
    at = float(time)
    return Member(article_id, revision, title, "", source, at, at, at, backfill, prints)


class _Recorded(View):
    """A view that knows which postings were full once: those may have pushed stories out."""

    def __init__(self, lang: str) -> None:
        super().__init__(lang)
        self.filled: set[str] = set()

    def put_term(self, term: str, packed: bytes) -> None:
        if len(packed) >= posting.FULL:
            self.filled.add(term)
        super().put_term(term, packed)


class Memory:
    """A language in memory."""

    def __init__(self, lang: str = "en", strictness: float = USUAL_STRICTNESS) -> None:
        self.view = _Recorded(lang)
        self.view.strictness = strictness

    def place(self, article: Member, now: float | None = None) -> Placed:
        """Place one article; the wall clock is its own time unless given."""
        return answer(self.view, place(self.view, article, article.time if now is None else now))

    def place_all(self, articles: Iterable[Member]) -> "Memory":
        for article in articles:
            self.place(article)
        return self

    def member(self, article_id: str) -> Member:
        return next(m for m in self.view.members.values() if m is not None and m.id == article_id)

    def story(self, article_id: str) -> Story:
        story = self.view.root(self.member(article_id).story)
        assert story is not None, f"{article_id} has no story"
        return story

    def stories(self) -> list[Story]:
        return [story for story in self.view.stories.values() if isinstance(story, Story)]

    def assignments(self) -> dict[str, str]:
        """Article id -> story id, after merges."""
        members = [m for m in self.view.members.values() if m is not None]
        return {m.id: story_id(self.view.lang, self.story(m.id).number) for m in members}
