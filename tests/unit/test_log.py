"""What the logs promise: one JSON object a line, or one readable line, whoever logged."""

import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from worker import log


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Logging is global: give it back as it was."""
    root, hook = logging.getLogger(), sys.excepthook
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    sys.excepthook = hook
    logging.captureWarnings(False)
    structlog.reset_defaults()


def _lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_json_is_one_object_a_line_that_begins_with_time_level_process_event() -> None:
    out = io.StringIO()
    log.configure("worker", stream=out)
    structlog.get_logger().info("batch", outcome="ok", articles=50)
    (line,) = out.getvalue().splitlines()
    assert list(json.loads(line)) == ["time", "level", "process", "event", "outcome", "articles"]


def test_stdlib_and_rq_loggers_go_through_the_same_pipe() -> None:
    out = io.StringIO()
    log.configure("worker", stream=out)
    logging.getLogger("rq.worker").warning("Worker %s: %d jobs", "w1", 3)
    (line,) = _lines(out)
    assert (line["level"], line["process"], line["event"]) == ("warning", "worker", "Worker w1: 3 jobs")


def test_what_rq_says_of_every_job_is_not_heard() -> None:
    out = io.StringIO()
    log.configure("worker", "debug", stream=out)
    logging.getLogger("rq.worker").info("Successfully completed")
    assert out.getvalue() == ""


def test_a_line_below_the_level_is_left_out() -> None:
    out = io.StringIO()
    log.configure("worker", "warning", stream=out)
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")
    assert [line["event"] for line in _lines(out)] == ["loud"]


def test_threads_name_the_process_too() -> None:
    out = io.StringIO()
    log.configure("poller", stream=out)
    thread = threading.Thread(target=lambda: structlog.get_logger().info("beat"))
    thread.start()
    thread.join()
    assert _lines(out)[0]["process"] == "poller"


def test_an_exception_is_one_line_of_json() -> None:
    out = io.StringIO()
    log.configure("worker", stream=out)
    try:
        raise ValueError("broken\nin two")
    except ValueError:
        structlog.get_logger().exception("batch")
    (line,) = _lines(out)
    assert "ValueError: broken" in line["exception"]


def test_an_error_that_nothing_catches_is_a_line() -> None:
    out = io.StringIO()
    log.configure("worker", stream=out)
    error = RuntimeError("nobody foresaw this")
    sys.excepthook(RuntimeError, error, None)
    assert _lines(out)[0]["level"] == "critical"


def test_warnings_of_python_are_lines() -> None:
    out = io.StringIO()
    log.configure("worker", stream=out)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    assert "DeprecationWarning: old" in _lines(out)[0]["event"]


def test_pretty_lines_hold_no_control_characters_of_a_feed() -> None:
    out = io.StringIO()
    log.configure("poller", style="pretty", stream=out)
    structlog.get_logger().warning("poll", title="\x1b[2Jgone\x07", url="http://x/\x9b1m")
    assert "\x1b" not in out.getvalue() and "\x9b" not in out.getvalue()
    assert "\\x1b[2Jgone" in out.getvalue()


def test_pretty_tracebacks_show_neither_values_of_variables_nor_control_characters() -> None:
    out = io.StringIO()
    log.configure("worker", style="pretty", stream=out)
    password = "hunter2"
    try:
        raise ValueError(f"{len(password)} \x1b[2J")
    except ValueError:
        structlog.get_logger().exception("batch")
    assert "ValueError: 7" in out.getvalue() and "hunter2" not in out.getvalue().replace('password = "hunter2"', "")
    assert "\x1b" not in out.getvalue()


def test_standard_output_stays_free_for_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("report")
    structlog.get_logger().info("heard")
    said = capsys.readouterr()
    assert said.out == "" and "heard" in said.err
