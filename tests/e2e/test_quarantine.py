"""The quarantine with real workers: what raises, what kills its process, and what a person does about it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.command import ROOT, environment, here, one_line
from tests.users import as_user
from worker.config import load
from worker.jobs.job import QUEUE
from worker.model import Article, Ref
from worker.runtime import Runtime, open_runtime
from worker.store import keys

RAISES = 'raise ValueError(f"cannot read {title}")'
KILLS = 'os._exit(3) if "Bridge f" in title else os.kill(os.getpid(), signal.SIGKILL)'

HANGS = "collections.deque(itertools.repeat(1), maxlen=0)"
"""For ever in C, with the GIL."""

SOON = """
import worker.batches.suspects, worker.jobs.hang
worker.jobs.hang.CPU_S = 1.0
worker.batches.suspects.SOON_CPU_S, worker.batches.suspects.ALONE_CPU_S = 0.5, 1.0
real("Warm", "The words take a good part of a second.", "en")
"""

HOOK = """
import collections, itertools, os, signal, time
import worker.ingest

real = worker.ingest.fingerprints

def fingerprints(title, text, lang):
    if "poison" in title:
        {action}
    return real(title, text, lang)

worker.ingest.fingerprints = fingerprints
"""
"""A fingerprint that meets its text: what a bug of ours, or a library in C, does with one article in a million."""

HOSTILE = "\x1b[31mf.red\x07\u202e"


@pytest.fixture
def runtime(valkey_url: str, data_dir: Path) -> Iterator[Runtime]:
    with open_runtime(load({}, redis_url=valkey_url, data_dir=str(data_dir), batch="10")) as runtime:
        yield runtime


def publish(runtime: Runtime, *names: str, poison: str = "", revision: int = 1) -> list[Ref]:
    """Articles in the outbox, their jobs on the queue; those in `poison` are titled so."""
    now = time.time()
    articles = [
        Article(
            id=f"f.{name}",
            revision=revision,
            title=f"Bridge {name} {'poison' if name in poison else 'closed'}",
            lang="en",
            received=now,
        )
        for name in names
    ]
    refs = runtime.outbox.publish("f", articles, {}, now)
    runtime.jobs.enqueue(refs)
    return refs


def work(runtime: Runtime, action: str, also: str = "") -> int:
    """A worker process with the hook, until the queue is empty or it dies: its exit status."""
    program = HOOK.format(action=action) + also + "\nfrom worker.cli import main; main()"
    settings = {"redis_url": as_user(runtime.url, "work"), "batch": 10, "log_format": "json"}
    process = subprocess.run(
        [sys.executable, "-c", program, "work", "--burst"],
        env=environment(settings), cwd=ROOT, stderr=subprocess.PIPE, timeout=60, check=False,
    )  # fmt: skip
    return process.returncode


def let_heartbeats_run_out(runtime: Runtime) -> None:
    """What 20 seconds do to the marks that a dead worker leaves in the queue."""
    redis: Any = runtime.redis
    for key in redis.scan_iter("rq:worker:*"):
        redis.delete(key)
    due = f"rq:wip:{QUEUE}"
    if jobs := redis.zrange(due, 0, -1):
        redis.zadd(due, dict.fromkeys(jobs, time.time() - 1))


def placed(runtime: Runtime) -> str:
    return "".join(sorted(article[-1] for article, _ in runtime.stories.assignments()))


def quarantined(runtime: Runtime) -> str:
    return "".join(sorted(kept.article[-1] for kept in runtime.quarantine.everything()))


def test_an_article_that_raises_is_quarantined_with_reason_and_traceback(runtime: Runtime) -> None:
    publish(runtime, *"abcdefgh", poison="cf")
    assert work(runtime, RAISES) == 0
    assert (placed(runtime), quarantined(runtime), runtime.outbox.depth()) == ("abdegh", "cf", 0)
    shown = here("quarantine", "show", "f.c", redis_url=runtime.url)
    assert shown.returncode == 0, shown.stderr
    assert "ValueError: cannot read Bridge c poison" in shown.stdout
    assert "in fingerprints" in shown.stdout


def test_articles_that_kill_their_worker_end_in_quarantine_and_the_others_in_stories(runtime: Runtime) -> None:
    """Two of them in one batch: seven processes die, then both are known."""
    publish(runtime, *"abcdefgh", poison="cf")
    ends = []
    while (end := work(runtime, KILLS)) in (-9, 3):
        ends.append(end)
        assert len(ends) <= 7, f"{placed(runtime)} clustered, {quarantined(runtime)} in quarantine"
        let_heartbeats_run_out(runtime)
    assert (end, sorted(ends)) == (0, [-9, -9, -9, -9, 3, 3, 3]), "once in the batch, each three times alone"
    assert (placed(runtime), quarantined(runtime), runtime.outbox.depth()) == ("abdegh", "cf", 0)
    reasons = {kept.reason for kept in runtime.quarantine.everything()}
    assert reasons == {"its worker died, or ran out of time or memory, 3 times with nothing else in hand"}
    assert runtime.redis.exists(keys.trials("f")) == 0


@pytest.mark.parametrize(("count", "poison"), [(4, "c"), (8, "cf")])
def test_an_article_that_hangs_in_c_ends_in_quarantine_and_the_others_in_stories(
    runtime: Runtime, count: int, poison: str
) -> None:
    """No alarm of Python's is heard, no thread runs: the process is ended, with its stack on standard error. The next
    one knows, by one try apart, whatever number of them there is."""
    names = "abcdefgh"[:count]
    publish(runtime, *names, poison=poison)
    assert work(runtime, HANGS, SOON) == -signal.SIGVTALRM
    let_heartbeats_run_out(runtime)
    assert work(runtime, HANGS, SOON) == 0
    assert (placed(runtime), quarantined(runtime)) == ("".join(sorted(set(names) - set(poison))), poison)
    assert runtime.outbox.depth() == 0
    reasons = {kept.reason for kept in runtime.quarantine.everything()}
    assert reasons == {"computing on it did not end in 1 s, with nothing else in hand"}
    assert runtime.redis.exists(keys.trials("f")) == 0


def test_an_article_that_is_only_slow_comes_last_and_into_a_story(runtime: Runtime) -> None:
    """Its batch is ended for it, and it takes longer than those beside it may; alone it has all the time there is."""
    publish(runtime, *"abcd", poison="c")
    slow = "until = time.process_time() + 1.5\n        while time.process_time() < until: sum(range(10**5))"
    also = SOON.replace("0.5, 1.0", "0.5, 20.0")
    assert work(runtime, slow, also) == -signal.SIGVTALRM
    let_heartbeats_run_out(runtime)
    assert work(runtime, slow, also) == 0
    assert (placed(runtime), quarantined(runtime), runtime.outbox.depth()) == ("abcd", "", 0)


def test_what_was_mended_is_retried_and_clustered(runtime: Runtime) -> None:
    publish(runtime, *"abc", poison="abc")
    work(runtime, RAISES)
    assert quarantined(runtime) == "abc"
    run = here("quarantine", "retry", "f.b", redis_url=runtime.url)
    assert (run.returncode, run.stdout) == (0, "queued: 1 article\n"), run.stderr
    assert (quarantined(runtime), runtime.outbox.depth(), runtime.jobs.depth()) == ("ac", 1, 1)
    assert work(runtime, "pass") == 0
    assert (placed(runtime), quarantined(runtime)) == ("b", "ac")
    assert here("quarantine", "retry", "--all", redis_url=runtime.url).stdout == "queued: 2 articles\n"
    work(runtime, RAISES)
    assert (placed(runtime), quarantined(runtime)) == ("b", "ac"), "what fails again comes back"
    publish(runtime, "a", revision=2)
    work(runtime, RAISES)
    assert (placed(runtime), quarantined(runtime)) == ("ab", "c"), "a newer revision took its place"


def test_dropping_asks_first(runtime: Runtime) -> None:
    publish(runtime, *"abc", poison="abc")
    work(runtime, RAISES)
    run = here("quarantine", "drop", "f.a", "f.c", redis_url=runtime.url)
    assert run.returncode == 1
    assert one_line(run.stderr) == "this would remove 2 articles from the quarantine for good: add --yes"
    assert quarantined(runtime) == "abc"
    run = here("quarantine", "drop", "f.a", "f.c", "--yes", redis_url=runtime.url)
    assert (run.returncode, run.stdout) == (0, "dropped: 2 articles\n")
    assert (quarantined(runtime), runtime.outbox.depth()) == ("b", 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "nobody"], "'nobody' is not in quarantine: `storywire quarantine list` shows what is"),
        (["retry", "nobody"], "'nobody' is not in quarantine: `storywire quarantine list` shows what is"),
        (["drop", "\x1b[31m", "--yes"], "'\\x1b[31m' is not in quarantine: `storywire quarantine list` shows what is"),
        (["retry"], "name the articles, or give --all"),
        (["drop", "f.a", "--all"], "--all is of every article, and some are named: give the one or the other"),
    ],
)
def test_what_cannot_be_done_is_one_line(runtime: Runtime, arguments: list[str], said: str) -> None:
    run = here("quarantine", *arguments, redis_url=runtime.url)
    assert (run.returncode, one_line(run.stderr)) == (1, said)


def test_an_empty_quarantine_says_so(runtime: Runtime) -> None:
    run = here("quarantine", "list", redis_url=runtime.url)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "nothing is in quarantine\n")


def test_nothing_of_a_feed_reaches_the_terminal_as_it_is(runtime: Runtime) -> None:
    """Neither from an id, a payload that cannot be read, a title, a reason nor a traceback."""
    now = time.time()
    article = Article(id=HOSTILE, title=HOSTILE, text=f"{HOSTILE}\n" * 3, url=HOSTILE, lang="en", received=now)
    (whole,) = runtime.outbox.publish("f", [article], {}, now)
    (broken,) = runtime.outbox.publish("g", [article], {}, now)
    runtime.redis.hset(keys.payloads("g"), HOSTILE, b"\0\0\0\1" + HOSTILE.encode())
    for ref in (whole, broken):
        payload = runtime.outbox.payload(ref)
        assert payload is not None
        runtime.quarantine.put(ref, payload, f"ValueError: {HOSTILE}", f"  File x\n{HOSTILE}\r", now)
    for arguments in (["list"], ["show", HOSTILE], ["list", "--json"], ["show", HOSTILE, "--json"]):
        run = here("quarantine", *arguments, redis_url=runtime.url)
        assert run.returncode == 0, run.stderr
        assert "f.red" in run.stdout
        bad = {c for c in run.stdout if (c < " " and c != "\n") or "\x7f" <= c < "\xa0" or "\u2028" <= c <= "\u202e"}
        assert bad == set(), f"{arguments}: {bad}"
    records = [json.loads(line) for line in here("quarantine", "show", HOSTILE, "--json", redis_url=runtime.url)
               .stdout.splitlines()]  # fmt: skip
    assert {(each["feed"], each["title"]) for each in records} == {("f", HOSTILE), ("g", None)}


def test_the_list_is_as_long_as_it_was_asked_to_be_and_says_what_is_left(runtime: Runtime) -> None:
    publish(runtime, *"abc", poison="abc")
    work(runtime, RAISES)
    run = here("quarantine", "list", "--limit", "2", redis_url=runtime.url)
    assert len(run.stdout.splitlines()) == 3
    assert run.stdout.splitlines()[-1] == "and 1 more article: --limit 3"
    listed = here("quarantine", "list", "--json", redis_url=runtime.url).stdout.splitlines()
    assert {json.loads(line)["article"] for line in listed} == {"f.a", "f.b", "f.c"}


def replay(command: str, tmp_path: Path, data_dir: Path, action: str) -> "subprocess.CompletedProcess[str]":
    """A file of eight articles, two of them poison, through workers that have the hook."""
    (tmp_path / "sitecustomize.py").write_text(HOOK.format(action=action))
    file = tmp_path / "articles.jsonl"
    titles = ["closed", "closed", "poison one", "closed", "closed", "poison two", "closed", "closed"]
    lines = [json.dumps({"id": f"x-{n}", "title": f"Bridge {n} {title}"}) for n, title in enumerate(titles)]
    file.write_text("\n".join(lines) + "\n")
    return subprocess.run(
        [sys.executable, "-m", "worker", command, str(file), *(["--json"] if command == "replay" else [])],
        env={**environment({"data_dir": data_dir}), "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("command", ["replay", "import"])
def test_a_file_ends_with_the_rest_clustered_and_says_what_is_in_quarantine(
    tmp_path: Path, data_dir: Path, command: str
) -> None:
    run = replay(command, tmp_path, data_dir, RAISES)
    assert run.returncode == 1
    assert "8 articles in" in run.stderr
    assert "6 new, 2 in quarantine" in run.stderr
    assert "in quarantine: x-2: ValueError: cannot read Bridge 2 poison one" in run.stderr
    if command == "replay":
        assert sum(json.loads(line)["articles"] for line in run.stdout.splitlines()) == 6
    else:
        assert "holds 6 articles" in run.stdout
        assert here("quarantine", "list", data_dir=data_dir).stdout.count("cannot read") == 2


@pytest.mark.slow
def test_a_file_with_articles_that_kill_workers_ends_in_real_time(tmp_path: Path, data_dir: Path) -> None:
    """With the heartbeats as they are: seven deaths of the only worker."""
    began = time.monotonic()
    run = replay("import", tmp_path, data_dir, KILLS)
    assert "6 new, 2 in quarantine" in run.stderr, run.stderr
    assert time.monotonic() - began < 240
