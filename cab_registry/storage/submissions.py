"""Rows of submissions beside the log: receipts by idempotency key."""

from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.storage.tables import submission


class Stored(msgspec.Struct, frozen=True):
    """What is kept of an earlier submission: the hash of what was asked, and the receipt that was given."""

    id: str
    request_hash: bytes | None
    receipt: dict[str, Any] | None


async def find_repeated(connection: AsyncConnection, principal: str, idempotency_key: str) -> Stored | None:
    """Find the submission for which a principal used an idempotency key."""
    row = (
        await connection.execute(
            select(submission.c.id, submission.c.request_hash, submission.c.receipt).where(
                submission.c.principal == principal, submission.c.idempotency_key == idempotency_key
            )
        )
    ).one_or_none()
    return None if row is None else Stored(row.id, row.request_hash, row.receipt)


async def keep_receipt(connection: AsyncConnection, submission_id: str, receipt: dict[str, Any]) -> None:
    """Keep the receipt of a submission that was appended in this transaction."""
    await connection.execute(submission.update().where(submission.c.id == submission_id).values(receipt=receipt))


async def keep_unchanging(
    connection: AsyncConnection,
    *,
    submission_id: str,
    principal: str,
    public_reason: str,
    idempotency_key: str,
    request_hash: bytes,
    receipt: dict[str, Any],
) -> None:
    """Keep a submission that changed nothing, so that its repetition gets the same receipt.

    Raises:
        sqlalchemy.exc.IntegrityError: the key was used meanwhile.
    """
    await connection.execute(
        submission.insert().values(
            id=submission_id,
            principal=principal,
            public_reason=public_reason,
            state="approved",
            idempotency_key=idempotency_key,
            request_hash=request_hash,
            receipt=receipt,
        )
    )
