"""What captures of a feed show, one after the other: computed plainly, by feedparser's defaults and four rules.

Invariant: imports nothing of Storywire, so that it can say where Storywire is wrong. The rules: an entry is called by
its id, or else by its link, or else by its title; where a document has several entries of one id with other links, its
entries are called by their links; a name that was never shown is new; a name that is shown with another title, text or
link is revised. All else repeats what is known.

Run it on folders of captures: `python -m tests.captures.truth FOLDER...`.
"""

import io
import sys
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urljoin

import feedparser


class Shown(NamedTuple):
    """An entry as a person reads it: plain words on one line, and where it leads."""

    title: str
    text: str
    link: str


@dataclass
class Step:
    """What one capture brings: entries that are new and that are revised, and how many repeat what is known."""

    new: dict[str, Shown] = field(default_factory=dict)
    revised: dict[str, Shown] = field(default_factory=dict)
    repeated: int = 0


@dataclass
class Truth:
    """What all captures bring: a step for each, and what every entry said last."""

    steps: list[Step] = field(default_factory=list)
    last: dict[str, Shown] = field(default_factory=dict)

    def add(self, capture: bytes) -> Step:
        """Read the next capture."""
        step = Step()
        for name, shown in named(capture):
            if name not in self.last:
                step.new[name] = shown
            elif self.last[name] != shown:
                (step.new if name in step.new else step.revised)[name] = shown
            else:
                step.repeated += 1
            self.last[name] = shown
        self.steps.append(step)
        return step

    @property
    def revisions(self) -> int:
        """How many revisions there were beside the first ones."""
        return sum(len(step.revised) for step in self.steps)


def named(capture: bytes) -> list[tuple[str, Shown]]:
    """The entries of a document with what each is called."""
    document = feedparser.parse(io.BytesIO(capture))
    entries, home = document.entries, document.feed.get("link", "")
    links = {(str(entry.get("id", "")), str(entry.get("link", ""))) for entry in entries}
    shared = {name for name, count in Counter(name for name, _ in links).items() if count > 1}
    found = []
    for entry in entries:
        link = entry.get("link", "")
        shown = Shown(plain(entry.get("title", "")), plain(body(entry)), urljoin(home, link) if link else "")
        name = entry.get("id", "")
        found.append(((name if name not in shared else "") or shown.link or shown.title, shown))
    return found


def body(entry: Any) -> str:
    """The markup of an entry: its content, or else its summary."""
    contents = [content.get("value", "") for content in entry.get("content", ())]
    return next((text for text in [*contents, entry.get("summary", "")] if plain(text)), "")


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in ("br", "p", "div", "li", "tr", "td", "h1", "h2", "h3", "h4", "blockquote", "ul", "ol", "table"):
            self.words.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self.handle_starttag(tag, None)


def plain(markup: str) -> str:
    """Markup as the words that a person reads: without what is not seen."""
    reader = _Words()
    reader.feed(markup)
    reader.close()
    words = unicodedata.normalize("NFKC", "".join(reader.words))
    return " ".join("".join(letter for letter in words if unicodedata.category(letter) != "Cf").split())


def read(folder: Path) -> Truth:
    """All captures of a folder, in the order of their names."""
    truth = Truth()
    for path in sorted(folder.glob("*.xml")):
        truth.add(path.read_bytes())
    return truth


if __name__ == "__main__":
    for name in sys.argv[1:]:
        whole = read(Path(name))
        repeated = sum(step.repeated for step in whole.steps)
        print(  # noqa: T201 (what it is for)
            f"{name}: {len(whole.steps)} captures, {len(whole.last)} entries, {whole.revisions} revisions, "
            f"{repeated} repetitions"
        )
