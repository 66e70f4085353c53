"""Admission: a request is let in where this process has room for it and its client has points left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from litestar import Request, Response
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from cab_registry.api.http.bodies import BodyMemory, Intake
from cab_registry.api.http.client_address import Address, client_key, client_of, is_trusted, peer_of
from cab_registry.api.http.rate_limits import RateLimits
from cab_registry.api.http.refusals import ClientBusy, Overloaded
from cab_registry.api.http.shares import Shares
from cab_registry.limits import Limits
from cab_registry.services.metrics import Metrics
from cab_registry.services.runtime.token_buckets import TooManyRequests
from cab_registry.settings import Network

Answer = Callable[[Request[Any, Any, Any], Exception], Response[bytes]]

_ASKED_BY_OPERATORS: Final = frozenset({"/health", "/ready"})
"""They have places of their own: a process that is full is neither restarted nor taken for lost."""


class Work:
    """One request and its place: held while it is worked on, and not while its client is waited for."""

    def __init__(self, places: Shares, client: str | None) -> None:
        self._places = places
        self._client = client

    def count(self, change: int) -> None:
        """Take the place, or give it back."""
        self._places.add(self._client, change)

    def sending(self, send: Send) -> Send:
        """Return what sends an answer, without a place while the client takes it."""

        async def send_on(message: Message) -> None:
            self.count(-1)
            try:
                await send(message)
            finally:
                self.count(1)

        return send_on


class Admission:
    """Stands before the application; what it refuses costs neither routing nor a body."""

    def __init__(
        self, app: ASGIApp, limits: Limits, rates: RateLimits, trusted: Network | None, answer: Answer, metrics: Metrics
    ) -> None:
        """Stand before an application.

        Args:
            app: what is let in goes there.
            limits: of this process.
            rates: of clients.
            trusted: the proxies whose X-Forwarded-For is believed.
            answer: makes the answer to a request that is refused.
            metrics: counts what is shed, and shows what is in use.
        """
        self._app = app
        self._limits = limits
        self._rates = rates
        self._trusted = trusted
        self._answer = answer
        self._metrics = metrics
        self._memory = BodyMemory(limits)
        self._places = Shares.of(limits.request_limit)
        self._operators = Shares.of(limits.request_limit)
        metrics.watch_use(
            lambda: self._places.all + self._operators.all, lambda: self._memory.bodies, lambda: self._memory.bytes
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        address = client_of(scope, self._trusted)
        client = self._limited(scope, address)
        scope["state"].update(client_address=address, client=client)
        places = self._operators if scope["path"] in _ASKED_BY_OPERATORS else self._places
        try:
            self._check(scope, places, client)
        except (ClientBusy, Overloaded, TooManyRequests) as fault:
            await self._refuse(scope, send, fault)
            return
        work = Work(places, client)
        intake = Intake(self._memory, client, receive, work.count)
        work.count(1)
        try:
            await self._app(scope, intake.receive if _has_body(scope) else receive, work.sending(send))
        finally:
            work.count(-1)
            intake.end()

    def _limited(self, scope: Scope, address: Address | None) -> str | None:
        """Name the client whose limits count: nobody's where a program on this machine asks without a proxy."""
        if address is None:
            return None
        peer = peer_of(scope)
        proxied = peer is not None and is_trusted(peer, self._trusted)
        return client_key(address) if proxied or not self._rates.spares(address) else None

    def _check(self, scope: Scope, places: Shares, client: str | None) -> None:
        if places.all >= self._limits.request_limit:
            raise Overloaded("this process works on as many requests as it takes at once")
        if not places.has_room(client):
            raise ClientBusy("as many requests of this client are worked on as one client may have at once")
        if client is not None:
            self._rates.enter(scope, client)

    async def _refuse(self, scope: Scope, send: Send, fault: Exception) -> None:
        shown = self._answer(Request(scope), fault)
        headers = [(name.lower().encode(), value.encode()) for name, value in shown.headers.items()]
        headers.append((b"content-type", (shown.media_type or "").encode()))
        headers.append((b"content-length", str(len(shown.content)).encode()))
        await send({"type": "http.response.start", "status": shown.status_code or 503, "headers": headers})
        await send({"type": "http.response.body", "body": shown.content, "more_body": False})


def _has_body(scope: Scope) -> bool:
    names = {name: value for name, value in scope["headers"] if name in (b"content-length", b"transfer-encoding")}
    return b"transfer-encoding" in names or names.get(b"content-length", b"0").strip() != b"0"
