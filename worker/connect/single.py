"""Clients whose commands raise what trouble.py makes of redis-py's errors.

Invariant: a broken connection is tried again, at most thrice and within half a second; so a command may come twice.
"""

from collections.abc import Callable
from typing import Any

import redis
import redis.exceptions as theirs
from redis.backoff import ExponentialWithJitterBackoff
from redis.client import Pipeline as PlainPipeline
from redis.retry import Retry

from worker.connect.address import STORE_VARIABLE
from worker.connect.trouble import NoPrimary, meaning, translated
from worker.errors import Permanent


class _FewRetries(Retry):
    """Retries a broken connection thrice within half a second; never a timeout, nor what only a person can mend."""

    def __init__(self) -> None:
        super().__init__(ExponentialWithJitterBackoff(base=0.05, cap=0.2), 3, (theirs.ConnectionError,))

    def call_with_retry(
        self,
        do: Callable[[], Any],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,
    ) -> Any:
        return super().call_with_retry(do, fail, is_retryable or _worth_a_retry, with_failure_count)


def _worth_a_retry(error: Exception) -> bool:
    if isinstance(error, theirs.MaxConnectionsError | NoPrimary):
        return False
    found = meaning(error)
    return found is None or found[0] is not Permanent


def options() -> dict[str, Any]:
    """RESP2, because nothing of RESP3 is used and its handshake costs two round trips a connection."""
    return {
        "protocol": 2,
        "retry": _FewRetries(),
        "socket_timeout": 10.0,  # a commit of 100 articles takes 0.1 s; loading a script on a busy server a second
        "socket_connect_timeout": 3.0,
        "decode_responses": False,
        "max_connections": 1000,
    }


class Redis(redis.Redis):
    """A thread-safe client, bytes in and out, whose commands raise ServerUnavailable or Permanent.

    WatchError, NOSCRIPT outside of pipelines, and what only a bug can cause (WRONGTYPE, an error of a script) come as
    redis-py has them.
    """

    url: str = ""
    variable: str = STORE_VARIABLE

    def execute_command(self, *args: Any, **options: Any) -> Any:
        with translated(self.url, self.variable):
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> "Pipeline":
        made = Pipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        made.url, made.variable = self.url, self.variable
        return made


class Pipeline(PlainPipeline):
    """A pipeline of such a client."""

    url: str = ""
    variable: str = STORE_VARIABLE

    def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        with translated(self.url, self.variable):
            return super().immediate_execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def load_scripts(self) -> None:
        """Not before they are missed: to ask each time whether they are there would double the round trips."""

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Send all; all of it again where the server has not the scripts (any more), as where a connection broke.

        That is seen where errors are raised: with `raise_on_error` off, NOSCRIPT is among the answers.
        """
        stack, scripts = list(self.command_stack), set(self.scripts)
        with translated(self.url, self.variable):
            try:
                return super().execute(raise_on_error)
            except theirs.NoScriptError:
                self.command_stack, self.scripts = stack, scripts
                super().load_scripts()  # type: ignore[no-untyped-call]
                return super().execute(raise_on_error)
