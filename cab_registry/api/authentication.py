"""Who asks: bearer tokens, looked up where an address wants an account, and never taken where others can listen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from cab_registry.api.http.client_address import peer_of
from cab_registry.api.http.rate_limits import RateLimits
from cab_registry.api.problems import PlainHttp, Unauthenticated
from cab_registry.api.replies import AnyRequest
from cab_registry.services.principals import Principal
from cab_registry.services.refusals import TokenRefused
from cab_registry.settings import Network

NEEDED: Final[dict[str, Any]] = {"account": "needed"}
"""Option of a handler that serves nobody without an account."""

WELCOME: Final[dict[str, Any]] = {"account": "welcome"}
"""Option of a handler that serves everyone, and shows more to some."""

SECRET: Final[dict[str, Any]] = {"secret": True}
"""Option of a handler that needs no account, and takes or gives a secret in its body."""

_PROXIED: Final = ("x-forwarded-proto", "x-forwarded-for", "x-forwarded-host", "forwarded")


class Authentication(ASGIMiddleware):
    """Sets the principal of a request.

    A token that comes over plain http is refused on every address, so that nobody gets used to sending it so.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(
        self, look_up: Callable[[str], Awaitable[Principal]], trusted: Network | None, rates: RateLimits
    ) -> None:
        self._look_up = look_up
        self._rates = rates
        self._trusted = trusted

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Refuse what is unsafe, look the token up where it matters, and pass the request on."""
        headers = Headers.from_scope(scope)
        shown = headers.getall("authorization", [])
        opt = scope["route_handler"].opt
        if (shown or opt.get("secret")) and not is_private(scope, headers, self._trusted):
            raise PlainHttp("tokens and codes are taken over https only; over plain http, from this machine only")
        wanted = opt.get("account")
        if wanted is not None and shown:
            try:
                scope["state"]["principal"] = await self._look_up(_read_token(shown))
            except TokenRefused as refusal:
                scope["state"].update(reason=refusal.reason, token=refusal.token)
                self._rates.punish(scope)
                raise
        elif wanted == "needed":
            raise Unauthenticated("this address needs a token: Authorization: Bearer cab_...")
        await next_app(scope, receive, send)


def principal_of(request: AnyRequest) -> Principal:
    """Return who asks, at an address that needs an account."""
    found = visitor_of(request)
    if found is None:
        raise Unauthenticated("this address needs a token: Authorization: Bearer cab_...")
    return found


def visitor_of(request: AnyRequest) -> Principal | None:
    """Return who asks, or nothing for someone who showed no token."""
    found: Principal | None = request.scope["state"].get("principal")
    return found


def is_private(scope: Scope, headers: Headers, trusted: Network | None) -> bool:
    """Whether nobody can listen between the client and this process.

    What a proxy says counts only where the proxy is trusted. A request that came through another proxy is not taken
    for one of this machine, even though the proxy may run there.
    """
    if scope["scheme"] == "https":
        return True
    address = peer_of(scope)
    if any(name in headers for name in _PROXIED):
        if trusted is None or address is None or address not in trusted:
            return False
        stated = headers.getall("x-forwarded-proto", [])
        return bool(stated) and all(part.strip() == "https" for each in stated for part in each.lower().split(","))
    return address is not None and address.is_loopback


def _read_token(shown: list[str]) -> str:
    scheme, _, text = shown[0].partition(" ")
    if len(shown) != 1 or scheme.lower() != "bearer" or not text.strip():
        raise TokenRefused("the header is to be: Authorization: Bearer cab_...")
    return text.strip()
