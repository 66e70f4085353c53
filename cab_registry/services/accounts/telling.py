"""Telling a principal by mail what happens to its account, where it has an address that it confirmed."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.storage.canonical import canonical_bytes
from cab_registry.storage.endpoint_keeping import list_active_mail
from cab_registry.storage.outbox import NewNotice, add_notices

ACCOUNT: Final = "account.changed"
_ADVICE: Final = (
    "If you did not ask for this, tell another registrar at once. cab auth status shows your tokens and invitations; "
    "you can cancel and revoke them yourself."
)


async def tell_holder(connection: AsyncConnection, principal: str, about: str, words: str, now: datetime) -> None:
    """Write a notice to every mail address of a principal that is in use; called before the act of it is appended."""
    payload = {
        "type": ACCOUNT,
        "timestamp": now,
        "data": {
            "headline": f"Your account {principal}: a token",
            "sentences": [
                f"{words} ({about}).",
                _ADVICE,
            ],
            "links": [],
            "principal": principal,
        },
    }
    notices = [
        NewNotice(
            endpoint=each, cause=f"{ACCOUNT} {about}", kind=ACCOUNT, created=now, payload=canonical_bytes(payload)
        )
        for each in await list_active_mail(connection, principal)
    ]
    await add_notices(connection, notices)
