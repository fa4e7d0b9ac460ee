"""What never returns ends its process, in C code too, and says where it was."""

import signal
import subprocess
import sys
from collections.abc import Sequence

import pytest

from tests.command import ROOT

PROGRAM = """
import collections, itertools, time
import worker.jobs.hang as hang
hang.CPU_S, hang.WALL_S = {cpu_s}, {wall_s}
with hang.ended_if_it_hangs():
    {action}
{after}
"""

IN_C = "collections.deque(itertools.repeat(1), maxlen=0)"
IN_PYTHON = "while True: pass"


def run(cpu_s: float, wall_s: float, action: str, after: str = "") -> tuple[int, Sequence[str]]:
    program = PROGRAM.format(cpu_s=cpu_s, wall_s=wall_s, action=action, after=after)
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    return ended.returncode, ended.stderr.splitlines()


@pytest.mark.parametrize(
    ("cpu_s", "wall_s", "status"),
    [(0.2, 20.0, -signal.SIGVTALRM), (20.0, 0.2, 1)],
    ids=["by processor", "by the clock"],
)
@pytest.mark.parametrize("action", [IN_C, IN_PYTHON], ids=["in C", "in Python"])
def test_what_hangs_is_ended_and_its_stack_shown(cpu_s: float, wall_s: float, status: int, action: str) -> None:
    ended, said = run(cpu_s, wall_s, action)
    assert ended == status
    assert any('File "<string>", line 6' in line for line in said), said


def test_waiting_costs_no_processor_time_and_what_has_ended_is_ended_by_nothing() -> None:
    hour_s = 3600.0
    assert (
        run(
            0.2, hour_s, "time.sleep(0.5)", "until = time.process_time() + 0.5\nwhile time.process_time() < until: pass"
        )[0]
        == 0
    )
    assert run(hour_s, 0.2, "pass", "time.sleep(0.5)")[0] == 0


def test_an_article_alone_has_its_own_time_and_outside_of_a_batch_nothing_is_limited() -> None:
    spent = "until = time.process_time() + 0.3\n    while time.process_time() < until: pass"
    assert run(0.5, 60.0, f"{spent}\n    hang.allow_cpu()\n    {spent}")[0] == 0
    assert run(0.2, 60.0, f"hang.allow_cpu(50)\n    {spent}")[0] == 0, "many articles take longer than one"
    assert run(0.2, 60.0, "pass", f"hang.allow_cpu()\nif True:\n    {spent}")[0] == 0
