"""Hostile feeds and articles through everything: nothing crashes, hangs, grows, or reaches the terminal as it came.

There is no web page yet: what is shown is the report and the explanation, as tables and as JSON. What every input has
to hold is asserted in tests/fault/hostile.py, in a process of its own.
"""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.command import ROOT, environment, storywire
from tests.fault.hostile import assert_harmless

MOST_MB = 500


def run(url: str, seed: int, count: int, within_s: float) -> dict[str, Any]:
    """So many cases of a seed; what was seen of them."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fault.hostile", str(seed), str(count)],
        env=environment({"redis_url": url}),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=within_s,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def assert_held(told: dict[str, Any], count: int, url: str) -> None:
    """All were run, most of them were articles, in bounds; and the real command shows what is stored."""
    assert told["cases"] == count
    assert told["articles"] > count, f"the mutations leave too little to cluster: {told}"
    assert max(told["peak_mb"], told["parser_peak_mb"]) < MOST_MB, told
    shown = storywire("report", "--members", "--since", "365d", "--limit", "2000", redis_url=url)
    assert shown.returncode == 0, shown.stderr
    assert_harmless(shown.stdout, "storywire report")


def test_hostile_feeds_and_articles_go_through(valkey_url: str) -> None:
    assert_held(run(valkey_url, 1, CI_CASES, 300), CI_CASES, valkey_url)


@pytest.mark.slow
def test_ten_thousand_of_them_go_through(valkey_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = run(valkey_url, 2, 10_000, 7200)
    with capsys.disabled():
        sys.stdout.write(f"\n  hostile: {json.dumps(told)}\n")
    assert_held(told, 10_000, valkey_url)


CI_CASES = 200
