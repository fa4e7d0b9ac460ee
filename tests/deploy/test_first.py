"""The very first start: an empty server, and whichever process meets it first."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.deploy.users import OURS, Guarded
from tests.servers import KINDS
from worker.config import load
from worker.runtime import open_runtime


@pytest.fixture(params=KINDS)
def guarded(request: pytest.FixtureRequest) -> Iterator[Guarded]:
    with closing(Guarded(request.param)) as server:
        yield server


def test_whoever_comes_first_begins_the_store(guarded: Guarded) -> None:
    """Which takes a look at all that a store of whatever version would have."""
    for user in OURS:
        with open_runtime(load({"STORYWIRE_REDIS_URL": guarded.url(user)}), carry_over=True) as runtime:
            assert (user, guarded.refusals()) == (user, set())
            assert guarded.keys() == ["sw:schema"], "so the next one would not look"
            runtime.redis.delete("sw:schema")
