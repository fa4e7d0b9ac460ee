"""Every metric is named once, used, documented and shown; processes tell theirs, and nothing but theirs."""

import ast
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.promtool import promtool
from tests.servers import free_port
from tests.waiting import eventually
from worker.cluster import Placed
from worker.errors import Permanent
from worker.jobs.apart import Ended, apart
from worker.metrics import METRICS, Kind, Metric, Metrics, Reading, exposed, table
from worker.metrics.table import ARTICLES, BATCHES, POLLS, PROCESS, PROCESSES, STORIES, UP
from worker.schedule import Outcome

ROOT = Path(__file__).parents[2]


def read(url: str, path: str = "/metrics", token: str = "") -> tuple[int, str]:
    """(status, body) of one request."""
    host, _, port = url.rpartition(":")
    connection = HTTPConnection(host, int(port), timeout=10)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def told_at(lines: Sequence[Mapping[str, Any]]) -> str:
    """The address that the log names."""
    [address] = [str(line["address"]) for line in lines if line["event"] == "metrics"]
    return address


# --- the table --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_names_keep_to_the_conventions_and_each_says_what_to_do(metric: Metric) -> None:
    """As `promtool check metrics` and https://prometheus.io/docs/practices/naming/ have it."""
    assert re.fullmatch(r"storywire_[a-z]+(_[a-z]+)*", metric.name)
    assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
    assert not re.search(r"_(ms|milliseconds|kb|mb|minutes|hours|percent)(_|$)", metric.name), "base units only"
    assert len(metric.labels) == 1 or not metric.known
    assert bool(metric.buckets) == (metric.kind is Kind.HISTOGRAM)
    assert list(metric.buckets) == sorted(set(metric.buckets))
    assert metric.of
    assert set(metric.of) <= set(PROCESSES)
    assert metric.meaning.endswith(".")
    assert metric.remedy.endswith(".")


def test_no_two_metrics_have_one_name() -> None:
    """Nor a name that another's samples have."""
    samples = [f"{each.name}{part}" for each in METRICS for part in _parts(each)]
    assert sorted(samples) == sorted(set(samples))


def test_every_metric_is_documented() -> None:
    """By name, so that a generator that forgets one is noticed."""
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert [each.name for each in METRICS if f"| `{each.name}` |" not in page] == []


def test_what_is_in_the_table_is_used_and_nothing_else_makes_metrics() -> None:
    """A metric that nobody counts would be shown as 0 for ever."""
    used: set[str] = set()
    importers = []
    for path in sorted((ROOT / "worker").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if "metrics" not in source and "prometheus" not in source:
            continue
        tree = ast.parse(source)
        modules = [name for node in ast.walk(tree) for name in _imported(node)]
        if any(name.startswith("prometheus_client") for name in modules):
            importers.append(path.relative_to(ROOT).as_posix())
        if path.name != "table.py" and any(name.startswith("worker.metrics") for name in modules):
            used |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
            used |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert importers == ["worker/metrics/recorder.py"]
    declared = {name for name, each in vars(table).items() if isinstance(each, Metric)}
    assert len(declared) == len(METRICS) > 30
    assert sorted(declared - used) == [], "declared, and used nowhere"


def test_what_a_process_does_not_have_cannot_be_counted() -> None:
    """A name of one's own, another process's metric, a label that the table lacks."""
    metrics = Metrics("poller")
    invented = Metric("storywire_invented_total", Kind.COUNTER, ("poller",), "Nothing.", "None.")
    for wrong in (invented, ARTICLES):
        with pytest.raises(KeyError):
            metrics.count(wrong)
    with pytest.raises(ValueError, match="label"):
        metrics.count(POLLS, feed="https://example.org/feed")
    with pytest.raises(KeyError):
        metrics.text([Reading(POLLS, 1)])


def test_what_can_become_of_polls_and_articles_begins_at_0() -> None:
    """A series that begins with its first increase has none to Prometheus."""
    assert set(POLLS.known) == set(Outcome)
    assert set(ARTICLES.known) == {*Placed, "forgotten"}
    text = Metrics("poller").text().decode()
    assert all(f'storywire_polls_total{{outcome="{outcome}"}} 0.0' in text for outcome in Outcome)


@pytest.mark.parametrize("process", PROCESSES)
def test_each_process_tells_its_own_and_promtool_finds_no_fault(process: str) -> None:
    """In the form that Prometheus reads; no metric of another process, and none outside the table."""
    metrics = Metrics(process)
    for each in METRICS:
        if process in each.of and each.kind in (Kind.COUNTER, Kind.HISTOGRAM):
            labels = dict.fromkeys(each.labels, "x")
            count = metrics.count if each.kind is Kind.COUNTER else metrics.observe
            count(each, 1, **labels)
    readings = [Reading(each, 1, ("x",) * len(each.labels)) for each in METRICS if each.kind is Kind.READING]
    text = metrics.text(readings if process == "web" else []).decode()
    told = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    assert told - set(PROCESS) == {each.name for each in METRICS if process in each.of}
    assert promtool("check", "metrics", given=text).strip() == ""


def test_two_processes_in_one_share_nothing() -> None:
    """As in tests: a registry each."""
    one, other = Metrics("worker"), Metrics("worker")
    one.count(BATCHES, outcome="ok")
    assert 'storywire_batches_total{outcome="ok"} 1.0' in one.text().decode()
    assert 'storywire_batches_total{outcome="ok"} 0.0' in other.text().decode()


def test_the_stages_of_a_log_line_become_seconds() -> None:
    """All that ends with `_ms` and is a number."""
    metrics = Metrics("poller")
    metrics.stages({"fetch_ms": 250.0, "entries": 3, "new": 1, "next": "in_ms"})
    text = metrics.text().decode()
    assert 'storywire_stage_seconds_sum{process="poller",stage="fetch"} 0.25' in text
    assert set(re.findall(r'stage="(\w+)"', text)) == {"fetch"}


def test_a_forked_child_counts_nothing() -> None:
    """Another thread may have held a lock at the fork: the child would wait for it for ever."""
    metrics = Metrics("worker")
    metrics.count(BATCHES, outcome="ok")

    def count() -> None:
        signal.alarm(5)  # it would end the child
        metrics.count(BATCHES, outcome="ok")

    with metrics._counters[BATCHES]._lock:
        assert apart(count, 5.0) is Ended.DONE
    metrics.count(BATCHES, outcome="ok")
    assert 'storywire_batches_total{outcome="ok"} 2.0' in metrics.text().decode()


# --- the server -------------------------------------------------------------------------------------------------------


def test_processes_with_one_setting_take_one_port_after_the_other() -> None:
    """And a port that is free again is taken again."""
    first = free_port()
    with capture_logs() as one, exposed(Metrics("worker"), ("127.0.0.1", first)):
        with capture_logs() as two, exposed(Metrics("poller"), ("127.0.0.1", first)):
            assert told_at(one) == f"127.0.0.1:{first}"
            assert told_at(two) != told_at(one)
            assert 'process="worker"' in read(told_at(one))[1]
            assert 'process="poller"' in read(told_at(two))[1]
        with capture_logs() as again, exposed(Metrics("poller"), ("127.0.0.1", first)):
            assert told_at(again) == told_at(two)
    with pytest.raises(ConnectionRefusedError):
        read(told_at(one))


def test_without_a_free_port_the_process_works_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the log says why nobody is told."""
    monkeypatch.setattr("worker.metrics.server.PORTS", 1)
    port = free_port()
    first, second = (exposed(Metrics("worker"), ("127.0.0.1", port)) for _ in range(2))
    with first, capture_logs() as lines, second as metrics:
        metrics.count(BATCHES, outcome="ok")
    assert [(line["event"], line["remedy"]) for line in lines if line["log_level"] == "warning"] == [
        ("no metrics", "set STORYWIRE_METRICS")
    ]


def test_an_address_of_another_machine_is_refused() -> None:
    """By name, before anything starts."""
    refused = pytest.raises(Permanent, match=r"STORYWIRE_METRICS=192\.0\.2\.1:9611: .*: give another address or port")
    with refused, exposed(Metrics("worker"), ("192.0.2.1", 9611)):
        pytest.fail("it listens at an address of nobody")


def test_only_metrics_are_answered_and_to_who_has_the_token() -> None:
    """Nothing else is there."""
    with capture_logs() as lines, exposed(Metrics("worker"), ("127.0.0.1", 0), token="t" * 16):
        place = told_at(lines)
        assert read(place, "/")[0] == 404
        assert read(place)[0] == read(place, token="u" * 16)[0] == read(place, token="\xfc" * 16)[0] == 401
        assert read(place, token="t" * 16)[0] == 200


def test_who_says_nothing_holds_no_place_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections that send no request are ended, and Prometheus comes through again."""
    monkeypatch.setattr("worker.metrics.server._TIMEOUT_S", 0.2)
    with capture_logs() as lines, exposed(Metrics("worker"), ("127.0.0.1", 0)):
        place = told_at(lines)
        host, _, port = place.rpartition(":")
        silent = [socket.create_connection((host, int(port))) for _ in range(12)]
        try:

            def comes_through() -> bool:
                try:
                    return read(place)[0] == 200
                except OSError:
                    return False

            eventually(comes_through, 10, "silent connections keep Prometheus out")
        finally:
            for connection in silent:
                connection.close()


_AFRESH = """
import os, sys
from worker import log
from worker.metrics import Metrics, exposed
log.configure("worker", "info", "json")
with exposed(Metrics("worker"), ("127.0.0.1", int(sys.argv[1]))):
    pass
if sys.argv[2] != "0":
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:-1], str(int(sys.argv[2]) - 1)])
"""


def test_a_worker_that_starts_itself_afresh_takes_its_port_again() -> None:
    """It replaces its own process (execv) after 5,000 batches: the socket must not outlive that."""
    port = free_port()
    done = subprocess.run(
        [sys.executable, "-c", _AFRESH, str(port), "2"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert re.findall(r'"address": ?"([^"]+)"', done.stdout + done.stderr) == [f"127.0.0.1:{port}"] * 3


def _parts(metric: Metric) -> tuple[str, ...]:
    return ("_bucket", "_sum", "_count") if metric.kind is Kind.HISTOGRAM else ("",)


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def test_readings_without_labels_are_told_as_they_are() -> None:
    """What the web process adds to its own."""
    text = Metrics("web").text([Reading(STORIES, 3), Reading(UP, 1)]).decode()
    assert "\nstorywire_stories 3.0\n" in text
    assert "\nstorywire_store_up 1.0\n" in text
