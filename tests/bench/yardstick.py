"""The `simhash` package by itself on one core: what Storywire's speed is compared with.

Invariant: the package's defaults, on the very texts that Storywire gets.
"""

import time
from collections.abc import Callable, Sequence

from simhash import Simhash

from worker.model import Article


def simhash_alone(article: Article) -> int:
    """The package's fingerprint of an article."""
    value: int = Simhash(f"{article.title}\n{article.text}").value
    return value


def rate_by_clock(articles: Sequence[Article]) -> float:
    """Articles a second that the package fingerprints in this process."""
    began = time.perf_counter()
    for article in articles:
        simhash_alone(article)
    return len(articles) / (time.perf_counter() - began)


def cpu_s(call: Callable[[Article], object], articles: Sequence[Article]) -> float:
    """Processor seconds of this process for these calls: other processes on the machine do not count."""
    began = time.process_time()
    for article in articles:
        call(article)
    return time.process_time() - began
