"""The outermost layer: request ids, HEAD, security headers, and the access log, without query strings and secrets."""

from __future__ import annotations

import itertools
import secrets
from time import perf_counter
from typing import Any, Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from cab_registry.api.http.audit import Auditor, show_address
from cab_registry.api.http.rate_limits import rate_headers
from cab_registry.services.logs import make_logger
from cab_registry.services.metrics import Metrics

_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"geolocation=(), camera=(), microphone=()"),
)
_STRICTEST: Final = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Edge:
    """Wraps the whole application, so that errors of routing pass through it too."""

    def __init__(self, app: ASGIApp, metrics: Metrics, auditor: Auditor) -> None:
        self._app = app
        self._metrics = metrics
        self._auditor = auditor
        self._prefix = secrets.token_hex(4)
        self._numbers = itertools.count(1)
        self._log = make_logger("cab_registry.access")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        request_id = f"{self._prefix}-{next(self._numbers)}"
        scope["state"]["request_id"] = request_id
        method: str = scope["method"]
        bodiless = method == "HEAD"
        # A name with a NUL is the name of nothing; PostgreSQL could not even be asked for it.
        passed: Any = {**scope, "path": scope["path"].replace("\0", "\ufffd")}
        passed["method"] = "GET" if bodiless else method
        status = 500

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _harden(message["headers"], passed["state"])
            elif bodiless and message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        try:
            await self._app(passed, receive, send_on)
        finally:
            named = method if method in _METHODS else "other"
            self._metrics.count_response(named, status)
            if (problem := passed["state"].get("problem")) is not None:
                self._metrics.count_refusal(problem)
            self._auditor.see(passed, status)
            self._log.info(
                "request",
                method=named,
                path=show_address(passed),
                status=status,
                ms=round((perf_counter() - started) * 1000, 3),
                request_id=request_id,
            )


def _harden(headers: Any, state: Any) -> list[tuple[bytes, bytes]]:
    given = list(headers)
    for name, value in given:
        if name.lower() == b"location":
            state["location"] = value.decode("latin-1")
    if not any(name.lower() == _STRICTEST[0] for name, _ in given):
        given.append(_STRICTEST)
    if (balance := state.get("balance")) is not None:
        given += rate_headers(balance)
    return [*given, *_HEADERS, (b"x-request-id", state["request_id"].encode())]
