"""Fixtures of the tests of the store: a client of an empty database, on Valkey and on Redis, and what works with it."""

import signal
from collections.abc import Iterator

import pytest

from worker.connect import Redis, connect
from worker.store.feeds import Feeds
from worker.store.outbox import Outbox


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    client = connect(redis_url)
    yield client
    client.close()


@pytest.fixture
def outbox(redis: Redis) -> Outbox:
    return Outbox(redis)


@pytest.fixture
def feeds(redis: Redis) -> Feeds:
    return Feeds(redis)


@pytest.fixture
def signals_given_back() -> Iterator[None]:
    """A worker takes over SIGTERM and SIGINT."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
