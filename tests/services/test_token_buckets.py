"""Token buckets: spent, filled again with time, and never more of them than are kept."""

import pytest

from cab_registry.services.runtime.networks import NEIGHBOURS
from cab_registry.services.runtime.token_buckets import ClientBuckets, Policy, TokenBuckets, TooManyRequests


class Seconds:
    """A clock that a test turns on."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


def test_points_are_spent_and_come_back(seconds: Seconds) -> None:
    buckets = TokenBuckets(Policy(name="client", points=10, per_second=2), seconds)
    assert buckets.spend("a", 8).left == 2
    with pytest.raises(TooManyRequests, match="5 of 10 points") as refused:
        buckets.spend("a", 5)
    assert refused.value.retry_after == 2
    assert buckets.spend("b").left == 9
    seconds.now = 1.5
    balance = buckets.spend("a", 5)
    assert (balance.left, balance.full_in) == (0, 5)
    seconds.now = 1000
    assert buckets.spend("a").left == 9


def test_slow_buckets_fill_however_often_they_are_asked(seconds: Seconds) -> None:
    buckets = TokenBuckets(Policy(name="client", points=2, per_second=0.1), seconds)
    given = 0
    for _ in range(100):
        try:
            buckets.spend("a")
            given += 1
        except TooManyRequests:
            pass
        seconds.now += 0.5
    assert given in (6, 7)


def test_a_price_above_the_bucket_takes_all_of_it(seconds: Seconds) -> None:
    buckets = TokenBuckets(Policy(name="client", points=10, per_second=1), seconds)
    assert buckets.spend("a", 500).left == 0
    assert buckets.charge("a", 7).left == 0


def test_who_took_more_than_there_was_owes_it_but_no_more_than_a_bucket(seconds: Seconds) -> None:
    buckets = TokenBuckets(Policy(name="client", points=10, per_second=1), seconds)
    assert buckets.charge("a", 14).left == 0
    seconds.now = 4.5
    with pytest.raises(TooManyRequests, match="0 are left; there will be enough in 1 s"):
        buckets.spend("a")
    buckets.charge("a", 5_000)
    seconds.now = 14.5
    with pytest.raises(TooManyRequests):
        buckets.spend("a")
    buckets.give_back("a", 500)
    assert buckets.spend("a").left == 9


def test_no_more_buckets_are_kept_than_may_be(seconds: Seconds) -> None:
    buckets = TokenBuckets(Policy(name="client", points=10, per_second=1), seconds, most=100)
    for number in range(1000):
        buckets.spend(str(number))
    assert len(buckets) == 100


def test_all_clients_of_a_network_have_as_much_as_a_few(seconds: Seconds) -> None:
    buckets = ClientBuckets(Policy(name="client", points=10, per_second=1), seconds)
    for each in range(NEIGHBOURS):
        assert buckets.spend(f"2001:db8:0:{each}::/64", 10).left == 0
    for other in ("2001:db8:0:ff::/64", "2001:db8:0:fe::/64"):
        with pytest.raises(TooManyRequests, match="0 are left"):
            buckets.spend(other)
    assert buckets.spend("2001:db8:1::/64").left == 9
    assert buckets.spend("192.0.2.1").left == 9
    seconds.now = 1
    assert buckets.spend("2001:db8:0:ff::/64", 4).left == 1
