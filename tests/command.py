"""The real `storywire` command as a subprocess, with none of the caller's settings."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest.mock import patch

from click.testing import CliRunner

from tests.users import as_user
from worker import log
from worker.cli import cli
from worker.errors import StorywireError

ROOT = Path(__file__).parents[1]


def environment(settings: Mapping[str, object]) -> dict[str, str]:
    """The environment of a command: this one's without STORYWIRE_*, plus `data_dir=...` as STORYWIRE_DATA_DIR."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STORYWIRE_")}
    given = {f"STORYWIRE_{name.upper()}": str(value) for name, value in settings.items()}
    assert given.keys() & {"STORYWIRE_DATA_DIR", "STORYWIRE_REDIS_URL"}, "a test never touches the user's own store"
    ours = {"PYTHONUNBUFFERED": "1", "COLUMNS": "120", "STORYWIRE_ALLOW_PRIVATE": "1"}  # servers of tests: loopback
    ours |= {"STORYWIRE_GATE_SPACING": "0s", "STORYWIRE_GATE_PARALLEL": "64"}  # and all of them one host
    ours |= {"STORYWIRE_PAGES": "off"}  # entries of tests lead to pages that are nowhere
    return {**kept, **ours, **given}


def of_its_user(arguments: Sequence[object], settings: Mapping[str, object]) -> dict[str, object]:
    """The settings of a command, which comes to servers of the tests as the user of its process."""
    command = str(arguments[0]) if arguments else ""
    own = {name: as_user(str(url), command) for name, url in settings.items() if name in ("redis_url", "queue_url")}
    return {**settings, **own}


def storywire(
    *arguments: object, within_s: float = 60, given: str = "", **settings: object
) -> "subprocess.CompletedProcess[str]":
    """Run it to its end: `storywire("check", data_dir=folder)`; returns exit status, output and errors as text.

    given: what it reads on standard input.
    """
    return subprocess.run(
        [sys.executable, "-m", "worker", *map(str, arguments)],
        env=environment(of_its_user(arguments, settings)),
        cwd=ROOT,
        input=given,
        capture_output=True,
        text=True,
        timeout=within_s,
        check=False,
    )


def here(*arguments: object, given: str = "", **settings: object) -> "subprocess.CompletedProcess[str]":
    """The same within this process, ten times as fast, its log left alone: for commands that read and write a store."""
    words = [*map(str, arguments)]
    unset = {name: None for name in os.environ if name.startswith("STORYWIRE_")}
    with patch.object(log, "configure"):
        done = CliRunner().invoke(cli, words, input=given, env={**unset, **environment(of_its_user(words, settings))})
    if isinstance(done.exception, StorywireError):
        return subprocess.CompletedProcess(words, 1, done.stdout, f"{done.stderr}storywire: {done.exception}\n")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)


def start_storywire(*arguments: object, **settings: object) -> "subprocess.Popen[str]":
    """Start it, with its output and errors in pipes; the caller ends it."""
    return subprocess.Popen(
        [sys.executable, "-m", "worker", *map(str, arguments)],
        env=environment(of_its_user(arguments, settings)),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@contextmanager
def running(*arguments: object, **settings: object) -> Iterator["subprocess.Popen[str]"]:
    """The same in a block: killed in the end, with all that it has started, however the block ends."""
    process = start_storywire(*arguments, **settings)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=20)


def one_line(errors: str) -> str:
    """The one line that a failed command says on standard error; fails if it is not exactly one, or a traceback."""
    lines = errors.strip().splitlines()
    assert len(lines) == 1, f"one clear line was expected:\n{errors}"
    assert lines[0].startswith("storywire: "), f"not the command's own words: {lines[0]}"
    return lines[0].removeprefix("storywire: ")
