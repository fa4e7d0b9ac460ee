"""An import whose server goes away at any command: it waits and goes on, and every article is in its story."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis.backoff

import worker.cli.loading
import worker.connect.single
import worker.patience
from tests.command import here
from tests.conftest import NewServer
from tests.fault.wire import Fault, Wire

LINES = '{"id": "1", "title": "Rain in Spain", "text": "It fell in the plain."}\n'
ASKED, LISTENED_FOR = 2, 40
"""Commands, from the start on: what the store is, and, of a run whose first had to be asked again, of the time in which
the worker's process begins."""


@pytest.fixture
def wire(new_server: NewServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    quick = redis.backoff.ExponentialWithJitterBackoff(base=0.001, cap=0.002)
    monkeypatch.setattr(worker.connect.single, "ExponentialWithJitterBackoff", lambda **_: quick)
    monkeypatch.setattr(worker.patience, "_AGAIN_S", 0.02)
    wire = Wire(new_server().socket)
    yield wire
    wire.close()


class Cutter:
    """Cuts the wire at these commands, counted from the cut before, and mends it when the import says that it waits."""

    def __init__(self, wire: Wire, *at: int) -> None:
        self._wire, self._at, self.cuts = wire, list(at), 0
        self._said = worker.cli.loading.away_told
        self._arm()

    def told(self, why: str) -> str:
        """In the place of what says it."""
        if why and self._wire.broke:
            self.cuts += 1
            self._wire.mend()
            self._arm()
        return self._said(why)

    def _arm(self) -> None:
        self._wire.arm(Fault(self._at.pop(0), hook=self._wire.drop_all, lasting=True) if self._at else None)


def imported(wire: Wire, folder: Path, monkeypatch: pytest.MonkeyPatch, *at: int) -> int:
    """Import an article, with cuts at these commands; how many there were. The article is there, as of one import."""
    file = folder / "a.jsonl"
    file.write_text(LINES)
    cutter = Cutter(wire, *at)
    with monkeypatch.context() as patch:
        patch.setattr(worker.cli.loading, "away_told", cutter.told)
        run = here("import", file, redis_url=wire.url(at[0]), data_dir=folder / "data")
    told = run.stdout.splitlines()[-1]  # a log is on standard output here
    assert (run.returncode, told) == (0, "the store now holds 1 article in 1 story"), run.stderr
    assert run.stderr.count("the server answers again") == cutter.cuts, run.stderr
    return cutter.cuts


def test_an_import_waits_for_a_server_that_goes_away_before_its_workers_listen(
    wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert imported(wire, tmp_path, monkeypatch, ASKED, LISTENED_FOR) == 2


@pytest.mark.slow
@pytest.mark.parametrize("at", range(1, 240, 5))
def test_an_import_waits_for_a_server_that_goes_away_at_any_command(
    wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """The last commands may come after all was done."""
    assert imported(wire, tmp_path, monkeypatch, at) == 1 or at > 150
