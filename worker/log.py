"""Structured logs for every process: structlog in front, the stdlib and RQ loggers through the same pipe.

Invariant: one canonical line for each feed polled and each batch ingested; standard output is never written to, and
nothing of a feed reaches a terminal with its control characters.
"""

import logging
import os
import sys
import traceback
from types import TracebackType
from typing import TextIO

import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

_FIRST = ("time", "level", "process", "event")
"""The keys that begin every JSON line; the others follow in the order in which they were given."""

_QUIET = ("asyncio", "aiohttp.access", "rq", "rq.worker", "rq.job", "rq.queue", "rq.registry", "concurrent.futures")
"""Loggers that say in many lines what the canonical line says in one: heard from `warning` up."""


def configure(process: str, level: str = "info", style: str = "auto", stream: TextIO | None = None) -> None:
    """Send all logs of this process to standard error: pretty on a terminal, one JSON object a line otherwise.

    process: `poller`, `worker`, `web`, `up`, ...; stands in every line. `level`: the least that is logged. Warnings
    of Python and errors that nothing catches become lines too.
    """
    out = stream or sys.stderr
    pretty = style == "pretty" or (style == "auto" and out.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        _stamp(process),
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if pretty else "iso", utc=not pretty, key="time"),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.PositionalArgumentsFormatter(), *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *(_pretty(out) if pretty else _json()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in _QUIET:
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(True)
    sys.excepthook = _told


def _stamp(process: str) -> Processor:
    def add(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {"process": process, **event}

    return add


def _pretty(out: TextIO) -> list[Processor]:
    renderer = structlog.dev.ConsoleRenderer(
        colors=out.isatty() and not os.environ.get("NO_COLOR"),
        sort_keys=False,
        timestamp_key="time",
        exception_formatter=_traceback,
    )
    return [_printable, renderer]


def _json() -> list[Processor]:
    return [structlog.processors.format_exc_info, _ordered, structlog.processors.JSONRenderer()]


def _traceback(out: TextIO, error: ExcInfo) -> None:
    """Python's own, without the variables' values; the message may quote a feed."""
    out.writelines("\n" + printable(line) for line in "".join(traceback.format_exception(*error)).splitlines())


def _printable(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Escape what a terminal would obey: a title may hold the sequence that clears the screen."""
    return {key: printable(value) if isinstance(value, str) else value for key, value in event.items()}


def printable(text: str) -> str:
    """The text with every control character written as an escape."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _ordered(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {key: event[key] for key in (*_FIRST, *event) if key in event}


def _told(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        structlog.get_logger().critical("unexpected error", exc_info=(kind, error, trace))
