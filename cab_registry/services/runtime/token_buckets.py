"""Token buckets: how much each client may ask for, at once and on average."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import msgspec

from cab_registry.domain.errors import Refusal
from cab_registry.services.runtime.networks import NEIGHBOURS, network_of

MOST_KEPT: Final = 50_000


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How large a bucket is and how fast it fills.

    Attributes:
        name: as clients see it.
        points: how much may be spent at once.
        per_second: how much of that comes back each second.
    """

    name: str
    points: int
    per_second: float

    @property
    def window(self) -> int:
        """Whole seconds in which an empty bucket fills."""
        return math.ceil(self.points / self.per_second)


class Balance(msgspec.Struct, frozen=True):
    """What is left in a bucket, in whole points, and the whole seconds until it is full."""

    policy: Policy
    left: int
    full_in: int


class TooManyRequests(Refusal):
    """A client asked for more than it may; `retry_after` are the whole seconds until it may again."""

    def __init__(self, message: str, retry_after: int, balance: Balance) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.balance = balance


class TokenBuckets:
    """The buckets of many clients under one policy. Of those that asked least recently, none are kept."""

    def __init__(self, policy: Policy, clock: Callable[[], float], most: int = MOST_KEPT) -> None:
        """Make the buckets, all full.

        Args:
            policy: of each bucket.
            clock: gives seconds that never run backwards.
            most: how many buckets are kept.
        """
        self.policy = policy
        self._clock = clock
        self._most = most
        self._kept: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def spend(self, client: str, points: int = 1) -> Balance:
        """Spend points of a client; a price above the size of the bucket takes all of it.

        Args:
            client: whose.
            points: the price.

        Raises:
            TooManyRequests: there are fewer; nothing is spent.
        """
        left, price = self._left(client), min(points, self.policy.points)
        if left < price:
            wait = math.ceil((price - left) / self.policy.per_second)
            raise TooManyRequests(
                f"this costs {price} of {self.policy.points} points for each {self.policy.name}, and "
                f"{max(0, math.floor(left))} are left; there will be enough in {wait} s",
                wait,
                self._show(left),
            )
        return self._keep(client, left - price)

    def left(self, client: str) -> float:
        """Return how many points a client has."""
        return self._left(client)

    def give_back(self, client: str, points: int) -> None:
        """Give points back that were taken for nothing."""
        self._keep(client, min(float(self.policy.points), self._left(client) + points))

    def charge(self, client: str, points: float) -> Balance:
        """Take points from a client, whether there are so many or not: it may come to owe as many as a bucket holds."""
        return self._keep(client, max(-float(self.policy.points), self._left(client) - points))

    def _left(self, client: str) -> float:
        now = self._clock()
        left, then = self._kept.get(client, (float(self.policy.points), now))
        return min(float(self.policy.points), left + (now - then) * self.policy.per_second)

    def _keep(self, client: str, left: float) -> Balance:
        self._kept[client] = (left, self._clock())
        self._kept.move_to_end(client)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return self._show(left)

    def _show(self, left: float) -> Balance:
        lacking = self.policy.points - left
        return Balance(self.policy, max(0, math.floor(left)), math.ceil(lacking / self.policy.per_second))


class ClientBuckets(TokenBuckets):
    """The buckets of clients, who spend of those of their networks too: all of a network have what a few have."""

    def __init__(self, policy: Policy, clock: Callable[[], float], most: int = MOST_KEPT) -> None:
        super().__init__(policy, clock, most)
        wider = Policy(name=policy.name, points=policy.points * NEIGHBOURS, per_second=policy.per_second * NEIGHBOURS)
        self._networks = TokenBuckets(wider, clock, most)

    def _left(self, client: str) -> float:
        own, network = super()._left(client), network_of(client)
        return own if network is None else min(own, self._networks.left(network))

    def _keep(self, client: str, left: float) -> Balance:
        spent, network = self._left(client) - left, network_of(client)
        shown = super()._keep(client, super()._left(client) - spent)
        if network is None:
            return shown
        self._networks.charge(network, spent)
        return self._show(left)
