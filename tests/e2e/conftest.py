"""What tests of whole processes begin with: a server of feeds, a poller's store."""

from collections.abc import Iterator

import pytest

from tests.e2e.feed_server import FeedServer
from tests.e2e.polling import Bench, bench


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with FeedServer() as server:
        yield server


@pytest.fixture
def store(valkey_url: str) -> Bench:
    return bench(valkey_url)
