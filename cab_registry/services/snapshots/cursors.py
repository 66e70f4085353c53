"""Cursors of lists: opaque, signed, bound to the list, its filters and, where it is private, its reader."""

from __future__ import annotations

import asyncio
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from hashlib import blake2b, sha256
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.domain.errors import Fault, OperationalFault, Refusal
from cab_registry.services.tokens import Principal
from cab_registry.storage.cursor_key import read_cursor_key
from cab_registry.storage.engine import read_only
from cab_registry.storage.errors import operational_faults

LIFE: Final = timedelta(days=7)
"""How long a cursor is good after the day on which it was given."""

VERSION: Final = 1
_SIGNATURE: Final = 16
_OF_PAGES: Final = frozenset({"cursor", "limit", "at_least"})
_AGAIN: Final = "start the list again without `cursor`"
Place = TypeVar("Place")


class WrongCursor(Refusal):
    """A cursor that this list did not give, or not any more."""

    def __init__(self, reason: str) -> None:
        super().__init__("the query parameters cannot be taken", (Fault("/cursor", reason),))


class _Signed(msgspec.Struct, frozen=True, array_like=True):
    version: int
    bound: str
    last_day: date
    place: msgspec.Raw


class CursorSigner:
    """Writes and reads cursors with a key."""

    def __init__(self, key: bytes, today: Callable[[], date]) -> None:
        self._key = hmac.digest(key, b"cursors of lists", sha256)
        self._today = today

    def write(self, asked: object, place: object, *, reader: str = "") -> str:
        """Write the cursor of the page after a place.

        Args:
            asked: the parameters of the list; what only chooses the page does not bind.
            place: where the page ended, in plain values.
            reader: whose the list is, where it is not for everyone.
        """
        signed = _Signed(VERSION, _bind(asked, reader), self._today() + LIFE, msgspec.Raw(msgspec.json.encode(place)))
        raw = msgspec.json.encode(signed)
        return urlsafe_b64encode(self._sign(raw) + raw).decode().rstrip("=")

    def read(self, text: str, asked: object, kind: type[Place], *, reader: str = "") -> Place:
        """Read where the page before ended.

        Raises:
            WrongCursor: it was altered, is another list's or another reader's, or has expired.
        """
        foreign = f"is not a cursor from this list: pass on `next` as it was given, or {_AGAIN}"
        try:
            whole = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        except ValueError:
            raise WrongCursor(foreign) from None
        signature, raw = whole[:_SIGNATURE], whole[_SIGNATURE:]
        if not hmac.compare_digest(signature, self._sign(raw)):
            raise WrongCursor(foreign)
        signed = msgspec.json.decode(raw, type=_Signed)
        if signed.version != VERSION or signed.last_day < self._today():
            raise WrongCursor(f"has expired: {_AGAIN}")
        if signed.bound != _bind(asked, reader):
            raise WrongCursor(f"belongs to a list with other parameters: repeat them all, or {_AGAIN}")
        return msgspec.json.decode(signed.place, type=kind)

    def _sign(self, raw: bytes) -> bytes:
        return hmac.digest(self._key, raw, sha256)[:_SIGNATURE]


class Cursors:
    """Gives the signer of a process, whose key is read from the database once."""

    def __init__(self, read_key: Callable[[], Awaitable[bytes]], today: Callable[[], date]) -> None:
        self._read_key = read_key
        self._today = today
        self._signer: CursorSigner | None = None
        self._lock = asyncio.Lock()

    async def signer(self) -> CursorSigner:
        """Return what signs.

        Raises:
            OperationalFault: the key was not read yet, and the database is unavailable.
        """
        async with self._lock:
            if self._signer is None:
                self._signer = CursorSigner(await self._read_key(), self._today)
            return self._signer

    async def prepare(self) -> None:
        """Read the key where the database can be reached, so that lists go on when it cannot be any more."""
        try:
            await self.signer()
        except OperationalFault:
            return


def read_key_from(engine: AsyncEngine) -> Callable[[], Awaitable[bytes]]:
    """Return what reads the key from a database."""

    async def read() -> bytes:
        with operational_faults():
            async with read_only(engine).connect() as connection:
                return await read_cursor_key(connection)

    return read


def name_reader(acting: Principal) -> str:
    """Name who reads a private list, so that nobody goes on with another's."""
    return f"{acting.id} {acting.authority}"


def _bind(asked: object, reader: str) -> str:
    """Name the list, its filters and its reader."""
    given: dict[str, Any] = {key: value for key, value in msgspec.to_builtins(asked).items() if key not in _OF_PAGES}
    return blake2b(msgspec.json.encode((type(asked).__name__, given, reader)), digest_size=8).hexdigest()
