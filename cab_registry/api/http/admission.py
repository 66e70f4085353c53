"""Admission: a request is let in where this process has room for it and its client has points left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from litestar import Request, Response
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from cab_registry.api.http.bodies import BodyMemory, Intake
from cab_registry.api.http.client_address import client_key, client_of
from cab_registry.api.http.rate_limits import RateLimits
from cab_registry.api.http.refusals import Overloaded
from cab_registry.limits import Limits
from cab_registry.services.metrics import Metrics
from cab_registry.services.runtime.token_buckets import TooManyRequests
from cab_registry.settings import Network

Answer = Callable[[Request[Any, Any, Any], Exception], Response[bytes]]

_ALWAYS: Final = frozenset({"/health"})
"""Answered also by a process that is full, so that nobody restarts it for that."""


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
        self._working = 0
        metrics.watch_use(lambda: self._working, lambda: self._memory.bodies, lambda: self._memory.bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        address = client_of(scope, self._trusted)
        client = None if address is None or self._rates.spares(address) else client_key(address)
        scope["state"].update(client_address=address, client=client)
        try:
            self._check(scope, client)
        except (Overloaded, TooManyRequests) as fault:
            await self._refuse(scope, send, fault)
            return
        intake = Intake(self._memory, client, receive, self._count)
        self._count(1)
        try:
            await self._app(scope, intake.receive if _has_body(scope) else receive, send)
        finally:
            self._count(-1)
            intake.end()

    def _check(self, scope: Scope, client: str | None) -> None:
        if self._working >= self._limits.request_limit and scope["path"] not in _ALWAYS:
            raise Overloaded("this process works on as many requests as it takes at once")
        if client is not None:
            self._rates.enter(scope, client)

    def _count(self, change: int) -> None:
        self._working += change

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
