"""Side by side with the peers: the better clusters on every set; rates are printed, as others may use the machine."""

from pathlib import Path

import pytest

from tests.bench import peers
from tests.bench.labelled import available


@pytest.mark.slow
def test_storywire_clusters_better_than_every_peer(tmp_path: Path) -> None:
    if peers.missing():
        pytest.skip(f"not installed: {', '.join(peers.missing())}; pip install 'storywire[bench]'")
    sets = available(Path(__file__).parents[3] / "shared", tmp_path)
    results = list(peers.contest((peers.STORYWIRE, *peers.BEST), sets))
    print("\n" + peers.table(results))
    ours, *others = peers.bars(results)
    for other in others:
        for name, f1 in other.f1.items():
            assert ours.f1[name] > f1, f"{other.name} is better on {name}"
