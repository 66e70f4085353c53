"""Endpoints of notices: opened, closed, and given up with a notice of it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.storage.canonical import canonical_bytes
from cab_registry.storage.endpoints import (
    StoredEndpoint,
    find_owners_mail,
    hold_pending,
    lock_endpoint,
    release_held,
    set_state,
)
from cab_registry.storage.outbox import NewNotice, add_notices

DISABLED: Final = "endpoint.disabled"
_NAMED: Final = {"webhook": "Your webhook", "mail": "The mail to your address"}


async def disable_endpoint(connection: AsyncConnection, endpoint_id: str, reason: str, now: datetime) -> bool:
    """Send nothing more to an endpoint: what waits is held until it is enabled, and its owner is told.

    The owner is told by mail at an active address of theirs. Without one, the notice is held for the endpoint itself:
    its owner reads it, and gets it when the endpoint is enabled.

    Returns:
        False, and nothing is changed, where there is no such endpoint or it is not active.
    """
    found = await lock_endpoint(connection, endpoint_id)
    if found is None or found.state != "active":
        return False
    await set_state(connection, endpoint_id, "disabled", reason, now)
    await hold_pending(connection, endpoint_id)
    told_at = await find_owners_mail(connection, found) or endpoint_id
    await add_notices(connection, [_tell_disabled(found, told_at, reason, now)])
    return True


async def enable_endpoint(connection: AsyncConnection, endpoint_id: str, now: datetime) -> int | None:
    """Send to an endpoint from now on, and first what was held for it; this also confirms an unconfirmed one.

    Returns:
        how many held notices are sent; None, and nothing is changed, where there is no such endpoint or it ended.
    """
    found = await lock_endpoint(connection, endpoint_id)
    if found is None or found.state == "ended":
        return None
    if found.state != "active":
        await set_state(connection, endpoint_id, "active", "", now)
    return await release_held(connection, endpoint_id, now)


async def end_endpoint(connection: AsyncConnection, endpoint_id: str, now: datetime) -> bool:
    """Send nothing more to an endpoint, ever, and forget its address and its secrets.

    Returns:
        False where there is no such endpoint or it ended before.
    """
    found = await lock_endpoint(connection, endpoint_id)
    if found is None or found.state == "ended":
        return False
    await set_state(connection, endpoint_id, "ended", "", now)
    await hold_pending(connection, endpoint_id)
    return True


def _tell_disabled(about: StoredEndpoint, told_at: str, reason: str, now: datetime) -> NewNotice:
    payload = {
        "type": DISABLED,
        "timestamp": now,
        "data": {
            "headline": f"{_NAMED[about.kind]} ({about.id}) was disabled",
            "sentences": [
                f"Reason: {reason}.",
                "Notices for it are held. They are sent when you enable it again, and until then you can read them.",
            ],
            "links": [],
            "endpoint": about.id,
            "reason": reason,
        },
    }
    return NewNotice(
        endpoint=told_at,
        cause=f"{DISABLED} {about.id} {now.isoformat()}",
        kind=DISABLED,
        created=now,
        payload=canonical_bytes(payload),
    )
