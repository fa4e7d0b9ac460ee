"""The peers, each as the streaming clusterer that its documentation makes of it: article by article, in one pass.

Invariant: a method sees the articles alone, in order, and names a cluster for each before it sees the next; whatever
the package has of its own (index, storage, fading) is used, nothing is added but the nearest match's cluster.
"""

from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from functools import cache
from importlib import import_module
from logging import ERROR, getLogger
from typing import Any, Protocol

from tests.servers import Server
from worker import config
from worker.clock import ManualClock
from worker.model import Article
from worker.runtime import Runtime, open_runtime
from worker.text import tokens

BATCH = 50
DAY_S = 86_400.0


class Method(Protocol):
    """A clusterer: `run` gives a cluster for each article id."""

    def run(self, articles: Iterable[Article]) -> dict[str, str]: ...


def _words(article: Article) -> list[str]:
    return tokens(f"{article.title}\n{article.text}")


class Storywire:
    """The worker's path without the queue: outbox, fingerprints, decision, commit, in batches of 50."""

    def run(self, articles: Iterable[Article]) -> dict[str, str]:
        clock = ManualClock(0.0)
        with (
            closing(Server("valkey")) as server,
            open_runtime(config.load({"STORYWIRE_REDIS_URL": server.url()}), clock) as runtime,
        ):
            batch: list[Article] = []
            for article in articles:
                batch.append(article)
                if len(batch) == BATCH:
                    _ingest(runtime, clock, batch)
                    batch = []
            _ingest(runtime, clock, batch)
            return dict(runtime.stories.assignments())


def _ingest(runtime: Runtime, clock: ManualClock, batch: list[Article]) -> None:
    if batch:
        clock.now_s = max(clock.now_s, batch[-1].received)
        runtime.ingest.run(runtime.outbox.publish("peers", batch, {}, clock.now()))


class NearSimhashes:
    """`simhash.SimhashIndex`: the cluster of the nearest fingerprint within k bits.

    features: `package`, its own (every four characters), or `words`, each as often as it occurs.
    """

    def __init__(self, features: str, k: int) -> None:
        self._package: Any = import_module("simhash")
        self._features, self._k = features, k

    def run(self, articles: Iterable[Article]) -> dict[str, str]:
        quiet = getLogger("tests.bench.simhash")  # it warns of every large bucket, thousands of times
        quiet.setLevel(ERROR)
        index = self._package.SimhashIndex([], k=self._k, log=quiet)
        known: dict[str, Any] = {}
        clusters: dict[str, str] = {}
        for article in articles:
            text = f"{article.title}\n{article.text}"
            mine = self._package.Simhash(text if self._features == "package" else dict(Counter(_words(article))))
            near = [(mine.distance(known[other]), other) for other in index.get_near_dups(mine)]
            clusters[article.id] = clusters[min(near)[1]] if near else article.id
            known[article.id] = mine
            index.add(article.id, mine)
        return clusters


class MinHashes:
    """datasketch's MinHash LSH in its Redis storage: the cluster of the match with the largest estimated Jaccard.

    shingle: words in one element of a set, single ones without stop words; threshold: the LSH's own, and the least
    estimate that joins.
    """

    PERMUTATIONS = 128

    def __init__(self, shingle: int, threshold: float) -> None:
        self._package: Any = import_module("datasketch")
        self._shingle, self._threshold = shingle, threshold

    def run(self, articles: Iterable[Article]) -> dict[str, str]:
        with closing(Server("valkey")) as server:
            return self._run(articles, {"unix_socket_path": str(server.socket)})

    def _run(self, articles: Iterable[Article], redis: dict[str, str]) -> dict[str, str]:
        lsh = self._package.MinHashLSH(
            threshold=self._threshold,
            num_perm=self.PERMUTATIONS,
            storage_config={"type": "redis", "basename": b"peer", "redis": redis},
        )
        known: dict[str, Any] = {}
        clusters: dict[str, str] = {}
        for article in articles:
            mine = self._minhash(_words(article))
            near = [(mine.jaccard(known[other]), other) for other in lsh.query(mine)]
            near = [match for match in near if match[0] >= self._threshold]
            clusters[article.id] = clusters[max(near)[1]] if near else article.id
            known[article.id] = mine
            lsh.insert(article.id, mine)
        return clusters

    def _minhash(self, words: list[str]) -> Any:
        minhash = self._package.MinHash(num_perm=self.PERMUTATIONS)
        if self._shingle == 1:
            words = [word for word in words if word not in stop_words()] or words
        count = max(1, len(words) - self._shingle + 1)
        minhash.update_batch({" ".join(words[at : at + self._shingle]).encode() for at in range(count)})
        return minhash


class TextClusters:
    """river's TextClust: the micro-cluster that took the article in.

    radius: its distance threshold; fade_days: after how long an article alone is forgotten, by event time (0: never).
    """

    def __init__(self, radius: float, fade_days: float) -> None:
        self._cluster: Any = import_module("river.cluster").TextClust
        self._radius, self._fade_days = radius, fade_days

    def run(self, articles: Iterable[Article]) -> dict[str, str]:
        model = self._model()
        took: list[Any] = []
        nearest = model._get_closest_mc

        def noted(*arguments: Any) -> Any:
            found = nearest(*arguments)
            took.append(model._cluster_id if found[0] is None else found[0])
            return found

        model._get_closest_mc = noted
        clusters: dict[str, str] = {}
        for article in articles:
            bag = Counter(word for word in _words(article) if word not in stop_words())
            took.clear()
            model.learn_one(bag, t=article.received / DAY_S)
            clusters[article.id] = str(took[0]) if took else article.id
        return clusters

    def _model(self) -> Any:
        if not self._fade_days:
            return self._cluster(radius=self._radius, fading_factor=0, tgap=1e9, term_fading=False, auto_merge=False)
        fading = 1 / self._fade_days
        return self._cluster(
            radius=self._radius, fading_factor=fading, tgap=self._fade_days, term_fading=False, auto_merge=False
        )


@cache
def stop_words() -> frozenset[str]:
    """The 150 commonest words of each of the sets' languages."""
    from wordfreq import top_n_list

    return frozenset(word for lang in ("en", "de", "es") for word in top_n_list(lang, 150))
