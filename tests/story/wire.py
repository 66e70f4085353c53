"""HTTP as bytes: a client that sends whatever it is given, over connections that it keeps."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Self

BODILESS = {204, 304}
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Sent:
    """A request, as it goes over the wire but for its framing."""

    method: str
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes | None = None
    chunked: bool = False

    def spell(self) -> bytes:
        lines = [b"%s %s HTTP/1.1" % (self.method.encode(), self.target), b"host: register.test"]
        lines += [b"%s: %s" % pair for pair in self.headers]
        body = self.body or b""
        if self.chunked:
            lines.append(b"transfer-encoding: chunked")
            body = (b"%x\r\n%s\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
        elif self.body is not None:
            lines.append(b"content-length: %d" % len(body))
        return b"\r\n".join(lines) + b"\r\n\r\n" + body

    def __str__(self) -> str:
        """Show what it takes to send it again."""
        names = [f"-H {name.decode()!r}: {value!r}" for name, value in self.headers if name != b"authorization"]
        told = " with a token" if any(name == b"authorization" for name, _ in self.headers) else ""
        shown = f"{self.method} {self.target[:600].decode('latin-1')}{told} {' '.join(names)}"
        return shown if self.body is None else f"{shown} body ({len(self.body)} bytes) {self.body[:600]!r}"


@dataclass(frozen=True)
class Got:
    """An answer, or that none came; headers by their lower-case names."""

    status: int
    seconds: float
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Wire:
    """One connection to a server at a time, made again where the server closed it."""

    def __init__(self, host: str, port: int) -> None:
        self._place = host, port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._close()

    async def send(self, sent: Sent) -> Got:
        """Send a request and read the answer; status 0 says that the connection ended without one, twice."""
        for _ in range(2):
            began = time.monotonic()
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    got = await self._exchange(sent, began)
            except (OSError, asyncio.IncompleteReadError, TimeoutError):
                self._close()
                continue
            if got.headers.get("connection", "").lower() == "close":
                self._close()
            return got
        return Got(0, time.monotonic() - began)

    async def _exchange(self, sent: Sent, began: float) -> Got:
        if self._writer is None or self._reader is None:
            self._reader, self._writer = await asyncio.open_connection(*self._place, limit=2**20)
        self._writer.write(sent.spell())
        status, headers = await self._read_head(self._reader)
        body = b"" if sent.method == "HEAD" or status in BODILESS else await self._read_body(self._reader, headers)
        return Got(status, time.monotonic() - began, headers, body)

    async def _read_head(self, reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
        while True:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            status = int(lines[0].split(" ")[1])
            if status >= 200:
                pairs = (line.partition(":") for line in lines[1:] if line)
                return status, {name.lower(): value.strip() for name, _, value in pairs}

    async def _read_body(self, reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            parts = []
            while size := int((await reader.readline()).split(b";")[0], 16):
                parts.append((await reader.readexactly(size + 2))[:-2])
            await reader.readline()
            return b"".join(parts)
        if "content-length" in headers:
            return await reader.readexactly(int(headers["content-length"]))
        self._close_after(headers)
        return await reader.read()

    def _close_after(self, headers: dict[str, str]) -> None:
        headers["connection"] = "close"

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None
