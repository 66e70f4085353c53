"""Cursors: nobody but the registry writes them, and each is good for its own list and reader, for a while."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import date, timedelta

import msgspec
import pytest

from cab_registry.services.snapshots.cursors import LIFE, CursorSigner, WrongCursor

TODAY = date(2026, 12, 1)
KEY = bytes(range(32))


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    name: str | None = None
    limit: int = 10
    cursor: str | None = None


class OtherListing(Listing, frozen=True):
    pass


ASKED = Listing(name="a")


def signer(today: date = TODAY, key: bytes = KEY) -> CursorSigner:
    return CursorSigner(key, lambda: today)


def refuse(text: str, asked: msgspec.Struct = ASKED, reader: str = "", **other: date | bytes) -> str:
    with pytest.raises(WrongCursor) as refused:
        signer(**other).read(text, asked, str, reader=reader)  # type: ignore[arg-type]
    (fault,) = refused.value.faults
    assert fault.pointer == "/cursor"
    assert "without `cursor`" in fault.message
    return fault.message


def test_a_cursor_leads_on_in_every_process_with_the_key() -> None:
    text = signer().write(ASKED, "lab-7")
    assert signer(TODAY + LIFE).read(text, Listing(name="a", limit=500, cursor=text), str) == "lab-7"


def test_every_altered_byte_is_seen() -> None:
    text = signer().write(ASKED, "lab-7")
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    for place in range(len(raw)):
        altered = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        assert "not a cursor from this list" in refuse(urlsafe_b64encode(altered).decode())
    for cut in (raw[:16], raw[:-1], raw[16:], b"", raw + b" "):
        refuse(urlsafe_b64encode(cut).decode())
    for wrong in ("é", "\ud800", "\0", "=", "a", "[" * 5000):
        refuse(wrong)


def test_a_cursor_of_elsewhere_is_refused() -> None:
    text = signer().write(ASKED, "lab-7", reader="p-1 us-fcc")
    assert "other parameters" in refuse(text, Listing(name="b"), "p-1 us-fcc")
    assert "other parameters" in refuse(text, OtherListing(name="a"), "p-1 us-fcc")
    assert "other parameters" in refuse(text, ASKED, "p-2 us-fcc")
    assert "not a cursor from this list" in refuse(text, ASKED, "p-1 us-fcc", key=bytes(32))


def test_a_cursor_ends_some_days_later() -> None:
    text = signer().write(ASKED, "lab-7")
    assert "has expired" in refuse(text, today=TODAY + LIFE + timedelta(days=1))
