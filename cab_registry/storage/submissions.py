"""Rows of submissions beside the log: what was handed in, how it was decided, and the receipt that was given."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

import msgspec
from sqlalchemy import ColumnElement, Row, and_, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.domain.schemes import canonise
from cab_registry.storage.acts.images import RowImage, image_of
from cab_registry.storage.tables import body_identifier, record_version, submission, submission_private

SubmissionKind = Literal["records", "policy", "transfer"]
SubmissionState = Literal["submitted", "approved", "rejected", "withdrawn"]
PrivatePart = Literal["request", "decision"]


async def keep_receipt(connection: AsyncConnection, submission_id: str, receipt: dict[str, Any]) -> None:
    """Keep the receipt of a submission that was appended in this transaction."""
    await connection.execute(submission.update().where(submission.c.id == submission_id).values(receipt=receipt))


class StoredSubmission(msgspec.Struct, frozen=True, kw_only=True):
    """A submission as it is kept, private parts apart.

    Attributes:
        id: opaque.
        received: when it came in.
        kind: record versions, a change of policy, or records that go to another owner.
        state: where it stands.
        authority: for which authority it was handed in; none for the catalogue's own.
        counterpart: who must approve a transfer.
        four_eyes: whether somebody else had or has to approve it.
        principal: opaque id of who handed it in.
        public_reason: as given.
        content: what was handed in, as canonical bytes.
        digest: its SHA-256.
        decided_by: opaque id of who decided, where somebody had to.
        decided: when.
        recorded: the one instant of its entries.
        first_position: of its entries.
        last_position: likewise, inclusive.
        receipt: what was answered.
        request_hash: tells a repetition from another request with the same idempotency key.
    """

    id: str
    received: datetime
    kind: SubmissionKind
    state: SubmissionState
    authority: str | None
    counterpart: str | None
    four_eyes: bool
    principal: str
    public_reason: str
    content: bytes | None
    digest: bytes | None
    decided_by: str | None
    decided: datetime | None
    recorded: datetime | None
    first_position: int | None
    last_position: int | None
    receipt: dict[str, Any] | None
    request_hash: bytes | None


class NewStored(msgspec.Struct, frozen=True, kw_only=True):
    """A submission that is to be kept."""

    id: str
    kind: SubmissionKind
    state: SubmissionState
    authority: str
    counterpart: str | None
    four_eyes: bool
    principal: str
    public_reason: str
    content: bytes
    digest: bytes
    receipt: dict[str, Any]
    versions_read: Mapping[str, int]
    idempotency_key: str | None
    request_hash: bytes


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which submissions are wanted; each attribute that is given narrows it.

    Attributes:
        principal: handed in by this principal.
        authority: handed in for, or to be approved by, this authority.
        waiting_for: to be approved by this authority, and not handed in by `other_than`.
        other_than: see there.
        states: in one of these states; empty for all.
    """

    principal: str | None = None
    authority: str | None = None
    waiting_for: str | None = None
    other_than: str | None = None
    states: tuple[SubmissionState, ...] = ()


_STORED: Final = select(*(submission.c[name] for name in StoredSubmission.__struct_fields__))


async def insert_submission(connection: AsyncConnection, new: NewStored) -> None:
    """Keep a submission.

    Raises:
        sqlalchemy.exc.IntegrityError: the principal used the idempotency key before.
    """
    await connection.execute(submission.insert().values(**msgspec.structs.asdict(new)))


async def find_submission(
    connection: AsyncConnection, submission_id: str, *, for_decision: bool = False
) -> StoredSubmission | None:
    """Read a submission; for a decision, nobody else decides it until the end of the transaction."""
    statement = _STORED.where(submission.c.id == submission_id)
    if for_decision:
        statement = statement.with_for_update()
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else _stored_of(row)


async def find_by_key(connection: AsyncConnection, principal: str, idempotency_key: str) -> StoredSubmission | None:
    """Read the submission for which a principal used an idempotency key."""
    statement = _STORED.where(submission.c.principal == principal, submission.c.idempotency_key == idempotency_key)
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else _stored_of(row)


async def list_submissions(
    connection: AsyncConnection,
    selection: Selection,
    *,
    before: tuple[datetime, str] | None,
    limit: int,
    oldest_first: bool = False,
) -> list[StoredSubmission]:
    """Read submissions, the newest first unless told otherwise, from behind a received instant and id."""
    key = tuple_(submission.c.received, submission.c.id)
    statement = _STORED.where(*_wanted(selection)).limit(limit)
    if before is not None:
        statement = statement.where(key > before if oldest_first else key < before)
    order = (submission.c.received, submission.c.id)
    statement = statement.order_by(*(order if oldest_first else (each.desc() for each in order)))
    return [_stored_of(row) for row in await connection.execute(statement)]


async def decide(
    connection: AsyncConnection, submission_id: str, state: SubmissionState, decided_by: str
) -> datetime | None:
    """Move a waiting submission without entries on; none if it does not wait any more."""
    moved = await connection.scalar(
        submission.update()
        .where(submission.c.id == submission_id, submission.c.state == "submitted")
        .values(state=state, decided_by=decided_by, decided=func.clock_timestamp())
        .returning(submission.c.decided)
    )
    return moved if isinstance(moved, datetime) else None


async def keep_private(
    connection: AsyncConnection, submission_id: str, part: PrivatePart, salt: bytes, content: bytes
) -> RowImage:
    """Keep a private part with the salt that was hashed with it, and return what an act says of it."""
    row = {"submission": submission_id, "part": part, "salt": salt, "content": content}
    await connection.execute(submission_private.insert().values(**row))
    return image_of("submission_private", row)


async def read_private(connection: AsyncConnection, ids: Iterable[str]) -> dict[tuple[str, str], bytes]:
    """Read the private parts of submissions, by id and part; one that was erased is not there."""
    found = await connection.execute(
        select(submission_private.c.submission, submission_private.c.part, submission_private.c.content).where(
            submission_private.c.submission == func.any(sorted(ids))
        )
    )
    return {(submission_id, part): content for submission_id, part, content in found}


async def changed_about(
    connection: AsyncConnection,
    after: int,
    *,
    bodies: Collection[str],
    identifiers: Sequence[tuple[str, str]],
) -> dict[str, int]:
    """Give the current versions of records that changed after a position and are about bodies, or bear an identifier.

    Retired ones count as version zero.
    """
    about: list[ColumnElement[bool]] = [record_version.c.body == func.any(sorted(bodies))]
    if identifiers:
        folded = [(scheme, canonise(scheme, value)) for scheme, value in identifiers]
        bearers = select(body_identifier.c.body).where(
            tuple_(body_identifier.c.scheme, body_identifier.c.value).in_(folded)
        )
        about.append(and_(record_version.c.type == "body", record_version.c.id.in_(bearers)))
    found = await connection.execute(
        select(record_version.c.id, record_version.c.version, record_version.c.retired).where(
            record_version.c.until_position.is_(None), record_version.c.from_position > after, or_(*about)
        )
    )
    return {record_id: 0 if retired else version for record_id, version, retired in found}


def _wanted(selection: Selection) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if selection.principal is not None:
        wanted.append(submission.c.principal == selection.principal)
    if selection.authority is not None:
        mine = (submission.c.authority == selection.authority, submission.c.counterpart == selection.authority)
        wanted.append(or_(*mine))
    if selection.waiting_for is not None:
        wanted.append(submission.c.state == "submitted")
        wanted.append(func.coalesce(submission.c.counterpart, submission.c.authority) == selection.waiting_for)
    if selection.other_than is not None:
        wanted.append(submission.c.principal != selection.other_than)
    if selection.states:
        wanted.append(submission.c.state == func.any(list(selection.states)))
    return wanted


def _stored_of(row: Row[Any]) -> StoredSubmission:
    return StoredSubmission(**dict(zip(StoredSubmission.__struct_fields__, row, strict=True)))
