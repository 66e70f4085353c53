"""Limits of clients: what each operation costs, and whose points pay for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from cab_registry.api.http.client_address import Address
from cab_registry.limits import Limits
from cab_registry.services.runtime.token_buckets import (
    Balance,
    ClientBuckets,
    Policy,
    TokenBuckets,
    TooManyRequests,
)
from cab_registry.services.runtime.work import PAYER, Payer

PRICES: Final[Mapping[tuple[str, str], int]] = {
    ("GET", "/v1/acceptance/changes"): 40,
    ("GET", "/v1/acceptance/changes.atom"): 40,
    ("GET", "/v1/impact/{record_id}"): 40,
    ("GET", "/v1/submissions/{submission_id}/effect"): 40,
    ("GET", "/v1/expiries.ics"): 20,
    ("GET", "/v1/expiries.csv"): 10,
    ("GET", "/v1/expiries"): 5,
    ("POST", "/v1/submissions"): 20,
    ("POST", "/v1/submissions/{submission_id}/approve"): 20,
    ("POST", "/v1/watches"): 20,
    ("POST", "/v1/endpoints"): 10,
    ("POST", "/v1/endpoints/{endpoint_id}/test"): 10,
    ("POST", "/v1/endpoints/{endpoint_id}/replay"): 10,
    ("GET", "/v1/changes"): 5,
    ("GET", "/v1/changes.atom"): 5,
    ("GET", "/v1/bodies"): 2,
    ("GET", "/bodies"): 2,
    ("GET", "/openapi.json"): 2,
}
"""Points by operation; one that is not listed costs 1. A point stands for about 10 ms of one processor.

What a request takes beyond its price, in the threads where dear work is done, is paid for afterwards.
"""

_SECONDS: Final = 0.01
"""Processor time that a point pays for."""

REFUSED_TOKEN: Final = 10
"""Points that a refused token costs the address from which it came."""


class RateLimits:
    """The points of all clients of one process."""

    def __init__(self, limits: Limits, seconds: Callable[[], float]) -> None:
        """Make the buckets.

        Args:
            limits: their sizes.
            seconds: a clock that never runs backwards.
        """
        self._loopback = limits.limit_loopback
        by_client = Policy(name="client", points=limits.client_points, per_second=limits.client_points_per_second)
        by_token = Policy(name="token", points=limits.token_points, per_second=limits.token_points_per_second)
        self.clients = ClientBuckets(by_client, seconds)
        self.tokens = TokenBuckets(by_token, seconds)

    def spares(self, address: Address) -> bool:
        """Whether a client is not limited, since it is on this machine."""
        return address.is_loopback and not self._loopback

    def enter(self, scope: Scope, client: str) -> None:
        """Spend the one point that every request costs its address.

        Raises:
            TooManyRequests: it has none left.
        """
        _spend(scope, self.clients, client, 1)

    def pay(self, scope: Scope) -> Payer | None:
        """Spend what the operation costs: of the token where one was let in, else of the address.

        Returns:
            who pays for what the request takes beyond it.

        Raises:
            TooManyRequests: there are fewer points left.
        """
        client: str | None = scope["state"].get("client")
        if client is None:
            return None
        price = price_of(scope)
        payer = self._payer_of(scope, client)
        if payer.buckets is self.clients:
            # The one point of the way in is a part of the price: who cannot pay the price pays nothing.
            self.clients.give_back(client, 1)
        payer.demand(price)
        return payer

    def _payer_of(self, scope: Scope, client: str) -> _Payer:
        principal = scope["state"].get("principal")
        if principal is None:
            return _Payer(scope, self.clients, client, client)
        return _Payer(scope, self.tokens, principal.token, f"principal {principal.id}")

    def punish(self, scope: Scope) -> None:
        """Charge an address for a token that was refused."""
        if (client := scope["state"].get("client")) is not None:
            self.clients.charge(client, REFUSED_TOKEN)


class _Payer:
    """The bucket that pays for a request. What was paid before counts for what its work takes."""

    def __init__(self, scope: Scope, buckets: TokenBuckets, key: str, name: str) -> None:
        self._scope = scope
        self._key = key
        self._paid = 0.0
        self.buckets = buckets
        self.name = name

    def demand(self, points: int) -> None:
        _spend(self._scope, self.buckets, self._key, points)
        self._paid += points

    def charge(self, seconds: float) -> None:
        self._paid -= seconds / _SECONDS
        if self._paid < 0:
            self._scope["state"]["balance"] = self.buckets.charge(self._key, -self._paid)
            self._paid = 0.0


def _spend(scope: Scope, buckets: TokenBuckets, client: str, price: int) -> None:
    try:
        scope["state"]["balance"] = buckets.spend(client, price)
    except TooManyRequests as refused:
        scope["state"]["balance"] = refused.balance
        raise


class Charging(ASGIMiddleware):
    """Takes the price of an operation once it is known which one it is, and who asks."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, rates: RateLimits) -> None:
        self._rates = rates

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Take the price, and pass the request on."""
        before = PAYER.set(self._rates.pay(scope))
        try:
            await next_app(scope, receive, send)
        finally:
            PAYER.reset(before)


def price_of(scope: Any) -> int:
    """Return what a request costs, in points."""
    return PRICES.get((scope["method"], scope.get("path_template", "")), 1)


def rate_headers(balance: Balance) -> list[tuple[bytes, bytes]]:
    """Show a client what it may spend, as draft-ietf-httpapi-ratelimit-headers spells it."""
    policy = balance.policy
    return [
        (b"ratelimit-policy", f'"{policy.name}";q={policy.points};w={policy.window}'.encode()),
        (b"ratelimit", f'"{policy.name}";r={balance.left};t={balance.full_in}'.encode()),
    ]
