"""Articles of 400 words each for measurements of speed: generated ones, and real ones where they lie beside the
repository.

Invariant: a pure function of its arguments; a generated text has the words, stories and rarities of stream.py, and the
sentences, quotes and possessives of a printed one, so that cutting it into words costs what real text costs.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import numpy as np

from tests.bench import stream
from worker.model import Article

WORDS = 400
_SENTENCE_WORDS = 21
_PARAGRAPH_SENTENCES = 3


class _Event(stream.Event):
    """An event whose reports have 400 words each."""

    def _write(self) -> stream.Words:
        parts = [super()._write()]
        while sum(part.size for part in parts) < WORDS:
            parts.append(super()._write())
        return np.concatenate(parts)[:WORDS]


def generated(count: int, kind: str = "n") -> list[Article]:
    """So many articles of one language, those of one event near each other; other kinds have other events."""
    reports = islice((report for event in _events(kind) for report in event), count)
    shuffled = list(reports)
    Random(5).shuffle(shuffled)
    return [_article(report) for report in shuffled]


def real(stories: Path, count: int) -> list[Article]:
    """The first 400 words of so many real articles (`stories`: a folder of JSON lines), the longer ones only."""
    with (stories / "background.jsonl").open(encoding="utf-8") as file:
        return list(islice(_cut(map(json.loads, file)), count))


def _events(kind: str) -> Iterator[Iterator[stream.Report]]:
    number = 0
    while True:
        yield _Event(kind, number).reports(stream.END_S)
        number += 1


def _article(report: stream.Report) -> Article:
    random = Random(report.id)
    return Article(
        id=report.id, title=report.title.capitalize(), text=_printed(report.text.split(), random),
        url=f"https://{report.source}.example/{report.id}", source=report.source, lang="en",
        published=report.time, received=report.time,
    )  # fmt: skip


def _printed(words: list[str], random: Random) -> str:
    """The words as sentences in paragraphs, some of them quotes."""
    sentences = []
    while words:
        length = max(4, int(random.gauss(_SENTENCE_WORDS, 8)))
        sentence, words = words[:length], words[length:]
        for place in range(5, len(sentence) - 1, 9):
            sentence[place] += "," if random.random() < 0.8 else "'s"
        text = " ".join(sentence).capitalize() + "."
        sentences.append(f"“{text}”" if random.random() < 0.15 else text)
    paragraphs = (sentences[i : i + _PARAGRAPH_SENTENCES] for i in range(0, len(sentences), _PARAGRAPH_SENTENCES))
    return "\n".join(" ".join(paragraph) for paragraph in paragraphs)


def _cut(lines: Iterable[dict[str, str]]) -> Iterator[Article]:
    for line in lines:
        words = line["text"].split()
        if len(words) >= WORDS:
            yield Article(
                id=line["id"], title=line["title"], text=" ".join(words[:WORDS]), url=line["url"],
                source=urlsplit(line["url"]).netloc, lang="en", received=stream.END_S,
            )  # fmt: skip


def distinct_words(articles: Iterable[Article]) -> list[int]:
    """How many distinct words the first 1, 2, 3 ... articles have together (Heaps' law)."""
    seen: set[str] = set()
    grown = []
    for article in articles:
        seen.update(article.text.lower().split())
        grown.append(len(seen))
    return grown
