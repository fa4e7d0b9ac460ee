"""What runs apart ends alone, and how it ended is known; the one that started it goes on."""

import signal
import subprocess
import sys

import pytest

from tests.command import ROOT

PROGRAM = """
import collections, itertools, os, signal, sys, threading, time
import worker.jobs.hang as hang
from worker.jobs.apart import apart

def busy(s):
    until = time.process_time() + s
    while time.process_time() < until:
        pass

def endless():
    collections.deque(itertools.repeat(1), maxlen=0)  # in C, with the GIL

def alarmed(*_):
    raise TimeoutError

threading.Thread(target=time.sleep, args=(1,), daemon=True).start()
{action}
"""


def run(action: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM.format(action=action)],
        cwd=ROOT, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


CASES = {
    "print": "done",
    "lambda: time.sleep(0.5)": "done",
    "endless": "hung",
    "lambda: busy(9)": "hung",
    "lambda: (hang.allow_cpu(), endless())": "hung",
    "lambda: os._exit(3)": "failed",
    "lambda: os.kill(os.getpid(), signal.SIGKILL)": "failed",
    "lambda: 1 / 0": "failed",
    "sys.exit": "failed",
}


def test_how_it_ended_is_known_and_the_one_that_started_it_goes_on() -> None:
    """Computing counts, waiting does not; a batch's own limit is neither the child's nor changed by it."""
    calls = ", ".join(CASES)
    done = run(f"with hang.ended_if_it_hangs():\n    for call in ({calls}): print(apart(call, 0.3).value)")
    assert (done.returncode, done.stdout.split()) == (0, list(CASES.values())), done.stderr
    assert done.stderr.count("Current thread") == 3, "the stack of what hung is shown"


def test_what_waits_for_it_may_be_broken_off_and_then_nothing_goes_on() -> None:
    done = run(
        "signal.signal(signal.SIGALRM, alarmed)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.3)\n"
        "try:\n    apart(lambda: time.sleep(60), 5.0)\n"
        "except TimeoutError:\n    print('broken off')\n"
        "try:\n    os.waitpid(-1, os.WNOHANG)\n"
        "except ChildProcessError:\n    print('nobody is left')"
    )
    assert done.stdout.splitlines() == ["broken off", "nobody is left"], done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends a child with its parent on Linux only")
def test_who_is_killed_leaves_nothing_behind_that_computes() -> None:
    """The pipe ends when the last process that has it has ended."""
    done = run(
        "def told(): print('here', flush=True); os.kill(os.getppid(), signal.SIGKILL); endless()\napart(told, 60.0)"
    )
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "here\n"), done.stderr
