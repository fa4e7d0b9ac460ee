"""A server that comes back without its last second gives lease and commit numbers out a second time: whoever holds one
of the lost ones writes nothing, and its batch is decided anew."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.conftest import NewServer
from tests.fault.scene import BATCH, EARLIER, Desk, article, as_member, check_replay, check_store
from tests.servers import KINDS, Server
from worker.cluster import place, prefetch
from worker.errors import LeaseLost
from worker.model import Article
from worker.store import keys
from worker.store.commits import Lease

LOST, INSTEAD, LATE = (each for each in BATCH if each.lang == "en" and each.revision == 1)


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest, new_server: NewServer) -> Server:
    return new_server(request.param, persistent=True)


@pytest.fixture
def desks(server: Server) -> Iterator[tuple[Desk, Desk]]:
    """Two workers' views of one store, in which something is already."""
    one, other = Desk(server.url(0)), Desk(server.url(0))
    one.ingest.run(one.publish(*EARLIER))
    yield one, other
    one.close()
    other.close()


class Crash:
    """Ends a server and starts it from its log as it was when this was made: what was written since is lost."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._log = next((server.folder / "appendonlydir").glob("*.incr.aof"))
        self._older = self._log.read_bytes()

    def happen(self) -> None:
        self._server.kill()
        self._log.write_bytes(self._older)
        self._server.start()


def commit(desk: Desk, lease: Lease, *articles: Article) -> None:
    """Decide on these and write what came of it, as `Ingest` does, under a lease that may be worth nothing by now."""
    view, members = lease.view(), [as_member(each) for each in articles]
    desk.commits.answer(view, prefetch(view, members), lease)
    for member in members:
        desk.commits.answer(view, place(view, member, member.time), lease)
    desk.commits.commit(lease, view)


def test_a_commit_under_a_lease_that_was_lost_is_refused_though_its_numbers_are_given_out_again(
    server: Server, desks: tuple[Desk, Desk]
) -> None:
    """The worker's connection heals within half a second, its lease and its last commit have the very numbers that
    another's have now: only the name behind them tells that the server is not the one on which this was decided."""
    late, other = desks
    refs = late.publish(LATE)
    crash = Crash(server)
    late.ingest.run(late.publish(LOST))
    with late.commits.lease("en") as lease:
        crash.happen()
        other.ingest.run(other.publish(INSTEAD))
        other.publish(LATE)
        with other.commits.lease("en") as theirs:
            assert (theirs.fence, theirs.seq) == (lease.fence, lease.seq), "the numbers alone do not tell"
            with pytest.raises(LeaseLost, match="came after"):
                commit(late, lease, LATE)
            assert late.assigned().keys() == {each.id for each in (*EARLIER, INSTEAD)}
            lease.taken -= 5
            with pytest.raises(LeaseLost, match="ran out"):
                late.commits.renew(lease)
            commit(other, theirs, article("beside", hour=5))
    late.ingest.run(refs)
    placed = [*EARLIER, INSTEAD, article("beside", hour=5), LATE]
    assert late.assigned().keys() == {each.id for each in placed}
    check_store(late)
    check_replay(late, placed)


def test_a_lease_that_was_lost_gives_nobody_s_back(server: Server, desks: tuple[Desk, Desk]) -> None:
    late, other = desks
    crash = Crash(server)
    with late.commits.lease("en") as lease:
        crash.happen()
        theirs = other.commits.lease("en")
        assert theirs.__enter__().fence == lease.fence
    assert other.redis.exists(keys.lease("en"))
    theirs.__exit__(None, None, None)
    assert not other.redis.exists(keys.lease("en"))


def test_a_commit_that_the_server_lost_is_written_again_where_its_lease_was_kept(
    server: Server, desks: tuple[Desk, Desk]
) -> None:
    """Its answer was lost with the server: the store stands where the batch was decided, so it comes again, once."""
    desk, _ = desks
    with desk.commits.lease("en") as lease:
        crash = Crash(server)
        commit(desk, replace(lease), LATE)  # its answer does not come, so the worker's own knows of no commit
        crash.happen()
        assert LATE.id not in desk.assigned()
        commit(desk, lease, LATE)
    check_store(desk)
    check_replay(desk, [*EARLIER, LATE])
