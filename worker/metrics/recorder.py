"""What one process counts, and the text that Prometheus reads.

Invariant: a metric that this process does not have by the table is a KeyError; nothing here is shared between two.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from itertools import groupby
from typing import NamedTuple, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics_core import GaugeMetricFamily

from worker.metrics.table import BUILD, METRICS, STAGE, Kind, Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_MS = "_ms"


T = TypeVar("T", Counter, Histogram)
_Key = tuple[object, ...]


class Reading(NamedTuple):
    """What was read of the store: a metric of the kind READING, its value, its labels' values in their order."""

    metric: Metric
    value: float
    labels: tuple[str, ...] = ()


class Metrics:
    """The metrics of a process of this name, all of them its own. Threads may share it; a child that was forked counts
    nothing: it would be lost with the child, and another thread may have held a lock at the fork."""

    def __init__(self, process: str) -> None:
        self.process, self._pid = process, os.getpid()
        self._registry = CollectorRegistry()
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which nobody asks for
        ProcessCollector(namespace="storywire", registry=self._registry)
        ours = [each for each in METRICS if process in each.of]
        self._counters = {each: self._counter(each) for each in ours if each.kind is Kind.COUNTER}
        self._histograms = {each: self._histogram(each) for each in ours if each.kind is Kind.HISTOGRAM}
        self._counting = dict[_Key, Counter]()
        self._observing = dict[_Key, Histogram]()
        for each in ours:
            for value in each.known:
                self.count(each, 0, **{each.labels[0]: value})
        build = Gauge(BUILD.name, BUILD.meaning, BUILD.labels, registry=self._registry)
        build.labels(process=process, version=version("storywire")).set(1)

    def count(self, metric: Metric, amount: float = 1, **labels: str) -> None:
        """Something happened, so many times."""
        key = (metric, *labels.items())
        counter = self._counting.get(key) or self._child(self._counting, self._counters[metric], key, labels)
        if os.getpid() == self._pid:
            counter.inc(amount)

    def observe(self, metric: Metric, value: float, **labels: str) -> None:
        """Something took, or came to, so much."""
        key = (metric, *labels.items())
        histogram = self._observing.get(key) or self._child(self._observing, self._histograms[metric], key, labels)
        if os.getpid() == self._pid:
            histogram.observe(value)

    def stages(self, facts: Mapping[str, object]) -> None:
        """The stages of a canonical log line: each `fetch_ms=12.3` among the facts."""
        for name, ms in facts.items():
            if name.endswith(_MS) and isinstance(ms, int | float):
                self.observe(STAGE, ms / 1000, process=self.process, stage=name.removesuffix(_MS))

    def text(self, readings: Iterable[Reading] = ()) -> bytes:
        """All of it as Prometheus reads it, with what was read of the store."""
        return generate_latest(self._registry) + generate_latest(_Read(readings))

    @staticmethod
    def _child(kept: "dict[_Key, T]", parent: T, key: "_Key", labels: Mapping[str, str]) -> T:
        """The one of these labels: kept, as the library takes three times as long to find it as to count."""
        return kept.setdefault(key, parent.labels(**labels) if labels else parent)

    def _counter(self, metric: Metric) -> Counter:
        return Counter(metric.name, metric.meaning, metric.labels, registry=self._registry)

    def _histogram(self, metric: Metric) -> Histogram:
        return Histogram(metric.name, metric.meaning, metric.labels, registry=self._registry, buckets=metric.buckets)


class _Read:
    """What `generate_latest` asks of a registry, of readings."""

    def __init__(self, readings: Iterable[Reading]) -> None:
        self._readings = readings

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """A family for each metric."""
        ordered = sorted(self._readings, key=lambda reading: reading.metric.name)
        for metric, readings in groupby(ordered, key=lambda reading: reading.metric):
            if metric.kind is not Kind.READING:
                raise KeyError(metric.name)
            family = GaugeMetricFamily(metric.name, metric.meaning, labels=metric.labels)
            for reading in readings:
                family.add_metric(reading.labels, reading.value)
            yield family
