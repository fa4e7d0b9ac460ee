"""How often one client may ask: a burst, then one each so long; what is kept is bounded."""

import pytest

from worker.web.limits import Buckets, Rate, client_at


class Time:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_then_one_each_so_long() -> None:
    time = Time()
    buckets = Buckets(Rate(3, 2.0), time)
    assert [buckets.wait_s("a") for _ in range(4)] == [0, 0, 0, 2.0]
    assert buckets.wait_s("b") == 0, "another client has a bucket of its own"
    time.now += 1.5
    assert buckets.wait_s("a") == pytest.approx(0.5)
    time.now += 0.5
    assert [buckets.wait_s("a") for _ in range(2)] == [0, 2.0]
    time.now += 1_000
    assert [buckets.wait_s("a") for _ in range(4)] == [0, 0, 0, 2.0], "more than a burst is never saved"


def test_who_was_refused_waits_no_longer_for_it() -> None:
    time = Time()
    buckets = Buckets(Rate(1, 10.0), time)
    assert buckets.wait_s("a") == 0
    assert {buckets.wait_s("a") for _ in range(50)} == {10.0}
    time.now += 10
    assert buckets.wait_s("a") == 0


def test_many_clients_take_no_more_room() -> None:
    buckets = Buckets(Rate(1, 10.0), Time(), most=3)
    assert [buckets.wait_s(str(number)) for number in range(100)] == [0.0] * 100
    assert [bool(buckets.wait_s(str(number))) for number in (99, 98, 97)] == [True] * 3


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "client"),
    [
        ("192.0.2.1", "", 0, "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", 0, "192.0.2.1"),
        ("127.0.0.1", "198.51.100.7", 1, "198.51.100.7"),
        ("127.0.0.1", "203.0.113.9, 198.51.100.7", 1, "198.51.100.7"),
        ("127.0.0.1", "203.0.113.9, 198.51.100.7, 192.0.2.4", 2, "198.51.100.7"),
        ("127.0.0.1", "198.51.100.7", 2, "127.0.0.1"),
        ("127.0.0.1", "", 1, "127.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "", 0, "2001:0db8:0001:0002"),
        ("::ffff:192.0.2.1", "", 0, "192.0.2.1"),
        ("127.0.0.1", "x" * 500, 1, "x" * 50),
    ],
)
def test_a_client_is_its_address_and_what_it_says_of_itself_counts_only_behind_proxies(
    peer: str, forwarded: str, proxies: int, client: str
) -> None:
    assert client_at(peer, forwarded, proxies) == client
