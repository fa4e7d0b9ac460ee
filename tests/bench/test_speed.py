"""The bounds on speed that docs/quality.md states; each prints its table, with the method in its module."""

from pathlib import Path

import pytest

from tests.bench import fingerprints, latency, newswire, worker_path, workers, workers_alone

pytestmark = pytest.mark.slow


def test_fingerprints_take_a_quarter_of_the_simhash_package_s_time() -> None:
    articles = newswire.generated(fingerprints.WARM + fingerprints.ARTICLES)
    speed = fingerprints.measure("generated", articles)
    fingerprints.report([speed])
    assert speed.ratio >= fingerprints.LEAST_RATIO


def test_fingerprints_of_real_texts_do_too(shared: Path) -> None:
    articles = newswire.real(shared / "stories", fingerprints.WARM + fingerprints.ARTICLES)
    speed = fingerprints.measure("real", articles)
    fingerprints.report([speed])
    assert speed.ratio >= fingerprints.LEAST_RATIO


def test_two_workers_do_all_work_as_fast_as_simhash_alone_and_five_hundred_a_second() -> None:
    path = worker_path.measure("generated", newswire.generated(worker_path.WARM + worker_path.ARTICLES))
    worker_path.report([path])
    assert path.ratio >= worker_path.LEAST_RATIO
    assert path.run.rate >= worker_path.LEAST_RATE


def test_two_workers_do_so_on_real_texts(shared: Path) -> None:
    path = worker_path.measure("real", newswire.real(shared / "stories", worker_path.WARM + worker_path.ARTICLES))
    worker_path.report([path])
    assert path.ratio >= worker_path.LEAST_RATIO
    assert path.run.rate >= worker_path.LEAST_RATE


def test_an_article_is_visible_within_a_second_at_a_hundred_a_second() -> None:
    measured = latency.measure(newswire.generated(latency.WARM + latency.RATE * latency.SECONDS))
    latency.report(measured)
    assert measured.in_time >= latency.LEAST_SHARE


def test_more_workers_never_make_it_slower() -> None:
    articles = newswire.generated(worker_path.WARM + workers.ARTICLES)
    runs = workers.measure(articles)
    workers.report(workers.scales([runs], 1), [workers_alone.measure(articles, worker_path.WARM)])
    one, two, *_ = runs
    assert two.rate >= one.rate
