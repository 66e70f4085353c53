"""HTTP/1.1 on one connection, as uvicorn speaks it, under the deadlines of the guard."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec
from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from cab_registry.api.http.client_address import read_address
from cab_registry.api.http.connections import ConnectionGuard
from cab_registry.api.problem_kinds import HEADERS_TOO_LARGE, HEADERS_TOO_SLOW, OTHER, Kind
from cab_registry.api.problems import MEDIA_TYPE, show_kind

LARGEST_HEAD: Final = 32_768
MOST_HEADERS: Final = 100
MOST_PIPELINED: Final = 16
_STALL_SECONDS: Final = 10.0
_SLICE: Final = 8_192
"""Bytes read at once, by which the head of a request may pass its bound."""


class _HeadRefused(Exception):
    """The head of a request is longer than any that is read, or it is one of too many sent ahead."""


class GuardedProtocol(HttpToolsProtocol):
    """One connection; the application carries the guard as `state.connections`."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._guard: ConnectionGuard = config.loaded_app.state.connections
        self._refused = False
        self._in_head = self._began = False
        self._head = self._head_received = 0
        self._since = self.loop.time()
        self._deadline = self._guard.limits.header_seconds
        self._unsent = (self._since, 0)
        self._not_taken_since: float | None = None
        self._held: tuple[RequestResponseCycle, ASGI3Application] | None = None
        self.headers = []

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        """Begin, or refuse the connection at once."""
        super().connection_made(transport)
        address = read_address(self.client[0]) if self.client else None
        kind = self._guard.admit(self, address, self.loop)
        if kind is not None:
            self._refuse(kind)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._guard.forget(self)
        self._held = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; what comes after a refusal is not looked at."""
        for at in range(0, len(data), _SLICE):
            if self._refused or self.transport.is_closing():
                return
            part = data[at : at + _SLICE]
            self._began = False
            super().data_received(part)
            if self._in_head and not self._began:
                self._head_received += len(part)
            if self._in_head and self._head_received > LARGEST_HEAD and not self.transport.is_closing():
                self._refuse(HEADERS_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Begin a request; refuse it where too many wait behind another."""
        self._in_head = self._began = True
        self._head = self._head_received = 0
        if self.waits_since() is not None:
            self._since, self._deadline = self.loop.time(), self._guard.limits.header_seconds
        if len(self.pipeline) >= MOST_PIPELINED:
            raise _HeadRefused
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take a part of the address."""
        self._measure(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._measure(len(name) + len(value) + 4)
        if len(self.headers) >= MOST_HEADERS:
            raise _HeadRefused
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Pass the request to the application."""
        self._in_head = False
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._since, self._deadline = self.loop.time(), self._guard.limits.idle_seconds
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Note that the client does not take its answers as fast as they come."""
        self._not_taken_since = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        """Begin the request that waited until the answer before it was taken."""
        self._not_taken_since = None
        super().resume_writing()
        if self._held is not None:
            (cycle, app), self._held = self._held, None
            self._start_asgi_task(cycle, app)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        if self._not_taken_since is None:
            super()._start_asgi_task(cycle, app)
        else:
            self._held = (cycle, app)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, and heads that are too large, in the shape of every problem."""
        del msg
        self._refuse(HEADERS_TOO_LARGE if self._head > LARGEST_HEAD or self._is_crowded() else OTHER)

    def waits_since(self) -> float | None:
        """Return the instant since which the client has to send or to take something; none while one is worked on."""
        if self._not_taken_since is not None:
            return self._not_taken_since
        cycle: RequestResponseCycle | None = self.cycle
        return self._since if cycle is None or cycle.response_complete else None

    def overstays(self, now: float) -> bool:
        """Whether the client let a deadline pass, or does not take its answer."""
        unsent, (since, before) = self.unsent(), self._unsent
        if unsent == 0 or before == 0 or unsent > before:
            self._unsent = (now, unsent)
        elif now - since >= _STALL_SECONDS:
            if before - unsent < self._guard.limits.body_bytes_per_second * _STALL_SECONDS:
                return True
            self._unsent = (now, unsent)
        waiting = self.waits_since()
        return not unsent and waiting is not None and now - waiting > self._deadline

    def unsent(self) -> int:
        """Return how many bytes of answers the client has not taken."""
        return self.transport.get_write_buffer_size()

    def hang_up(self) -> None:
        """Close the connection; say why where a request had begun."""
        if self.unsent() or self.transport.is_closing():
            self.transport.abort()
        elif self._in_head:
            self._refuse(HEADERS_TOO_SLOW)
        else:
            self.transport.close()

    def abort(self) -> None:
        """Close the connection without waiting for what is unsent."""
        self.transport.abort()

    def _is_crowded(self) -> bool:
        return len(self.pipeline) >= MOST_PIPELINED or len(self.headers) >= MOST_HEADERS

    def _measure(self, length: int) -> None:
        self._head += length
        if self._head > LARGEST_HEAD:
            raise _HeadRefused

    def _refuse(self, kind: Kind) -> None:
        self._refused = True
        body = msgspec.json.encode(show_kind(kind))
        head = [
            STATUS_LINE[kind.status],
            f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\n".encode(),
            f"retry-after: {kind.retry_after}\r\n".encode() if kind.retry_after else b"",
            b"cache-control: no-store\r\nconnection: close\r\n\r\n",
        ]
        self.transport.write(b"".join([*head, body]))
        self.transport.close()
