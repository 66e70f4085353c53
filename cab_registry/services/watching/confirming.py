"""Asking a mail address to confirm that it wants notices; of the token in the link only a digest is kept."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Final

from cab_registry.services.tokens import Random
from cab_registry.services.watching.watch_desk import WatchDesk
from cab_registry.storage.canonical import canonical_bytes
from cab_registry.storage.outbox import CONFIRMATION, NewNotice

DAY: Final = timedelta(days=1)
CONFIRM_PATH: Final = "/watches/confirm"
_LENGTH: Final = 32


def make_confirmation(random: Random) -> tuple[str, bytes]:
    """Make a token for a link, and the digest of it that is kept."""
    token = urlsafe_b64encode(random(_LENGTH)).decode().rstrip("=")
    return token, digest_confirmation(token)


def digest_confirmation(token: str) -> bytes:
    """Return what is kept of a token."""
    return sha256(token.encode(errors="replace")).digest()


def tell_confirmation(
    watches: WatchDesk, endpoint_id: str, token: str, digest: bytes, sentences: Sequence[str]
) -> NewNotice:
    """Write the mail that asks for the confirmation; it holds nothing that a stranger could have written."""
    hours, now = watches.limits.confirm_within_hours, watches.now
    payload = {
        "type": CONFIRMATION,
        "timestamp": now,
        "data": {
            "headline": "Please confirm that you want notices of this registry",
            "sentences": [
                *sentences,
                f"Nothing is sent to you until you confirm within {hours} hours.",
                "If you did not ask for this, do nothing: your address is forgotten then.",
            ],
            "links": [{"title": "To confirm", "address": f"{CONFIRM_PATH}?token={token}"}],
            "endpoint": endpoint_id,
        },
    }
    return NewNotice(
        endpoint=endpoint_id,
        cause=f"{CONFIRMATION} {digest.hex()[:16]}",
        kind=CONFIRMATION,
        created=now,
        payload=canonical_bytes(payload),
    )
