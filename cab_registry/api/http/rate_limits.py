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
"""Points by operation; one that is not listed costs 1. A point stands for about 10 ms of one processor."""

PAST: Final = 5
"""Points more for a question about the past, which is put together from the database."""

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

    def pay(self, scope: Scope) -> None:
        """Spend what the operation costs: of the token where one was let in, else of the address.

        Raises:
            TooManyRequests: there are fewer points left.
        """
        client: str | None = scope["state"].get("client")
        if client is None:
            return
        price = price_of(scope)
        principal = scope["state"].get("principal")
        if principal is not None:
            _spend(scope, self.tokens, principal.token, price)
        elif price > 1:
            _spend(scope, self.clients, client, price, paid=1)

    def punish(self, scope: Scope) -> None:
        """Charge an address for a token that was refused."""
        if (client := scope["state"].get("client")) is not None:
            self.clients.charge(client, REFUSED_TOKEN)


def _spend(scope: Scope, buckets: TokenBuckets, client: str, price: int, *, paid: int = 0) -> None:
    try:
        scope["state"]["balance"] = buckets.spend(client, price, paid=paid)
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
        self._rates.pay(scope)
        await next_app(scope, receive, send)


def price_of(scope: Any) -> int:
    """Return what a request costs, in points."""
    price = PRICES.get((scope["method"], scope.get("path_template", "")), 1)
    return price + (PAST if b"known_at" in scope["query_string"] else 0)


def rate_headers(balance: Balance) -> list[tuple[bytes, bytes]]:
    """Show a client what it may spend, as draft-ietf-httpapi-ratelimit-headers spells it."""
    policy = balance.policy
    return [
        (b"ratelimit-policy", f'"{policy.name}";q={policy.points};w={policy.window}'.encode()),
        (b"ratelimit", f'"{policy.name}";r={balance.left};t={balance.full_in}'.encode()),
    ]
