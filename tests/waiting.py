"""Waiting for what another process or thread brings about, with a deadline instead of a sleep."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(condition: Callable[[], T], within_s: float = 10.0, message: str | Callable[[], str] = "") -> T:
    """The condition's first true value; fails with the message, and the last value, when the time is over.

    An AssertionError inside the condition counts as false and is shown in the end.
    """
    until = time.monotonic() + within_s
    pause_s = 0.005
    while True:
        last: object
        try:
            value = condition()
            if value:
                return value
            last = value
        except AssertionError as error:
            last = error
        if time.monotonic() > until:
            said = message() if callable(message) else message
            raise AssertionError(f"not within {within_s:g} s: {said or 'the condition'} (last seen: {last!r})")
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, 0.1)
