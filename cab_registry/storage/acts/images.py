"""Rows that decide who may do what, and what became of what was handed in: what of each an act commits to.

An image holds every column of a row that decides something. A verification replays the images of all acts and compares
the last one of each row with the row as it stands, so that a row that is altered, deleted or slipped in shows.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

import msgspec
from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.storage.accounts.tables import invitation, role_proposal
from cab_registry.storage.canonical import sha256, spell_instant
from cab_registry.storage.tables import authority_policy, principal, role_grant, submission, submission_private, token
from cab_registry.storage.watch_tables import job_run


class RowImage(msgspec.Struct, frozen=True):
    """A row as it stands after an act: its table, its key, and what it commits to; without values it is gone."""

    table: str
    key: tuple[str | int | bool, ...]
    values: dict[str, Any] | None

    def plain(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"key": list(self.key), "table": self.table, "values": self.values}


class Committed(msgspec.Struct, frozen=True, kw_only=True):
    """What of a table acts commit to.

    Attributes:
        table: the table.
        key: columns of its primary key, in order.
        values: columns that are committed to as they are.
        hidden: columns of which only the SHA-256 is.
        sealed: columns that are hashed together as one value, `seal`: a salt and what it hides.
        apart: columns that are not committed to, each with the reason.
    """

    table: Table
    key: tuple[str, ...]
    values: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    sealed: tuple[str, ...] = ()
    apart: Mapping[str, str] = {}

    @property
    def read(self) -> tuple[str, ...]:
        """The columns that make an image."""
        return (*self.key, *self.values, *self.hidden, *self.sealed)


COMMITTED: Final[Mapping[str, Committed]] = MappingProxyType(
    {
        "submission": Committed(
            table=submission,
            key=("id",),
            values=(
                "received",
                "recorded",
                "principal",
                "public_reason",
                "state",
                "request_hash",
                "first_position",
                "last_position",
                "kind",
                "authority",
                "counterpart",
                "four_eyes",
                "digest",
                "decided_by",
                "decided",
            ),
            hidden=("idempotency_key",),
            apart={
                "content": "the digest stands for it, which a constraint holds and verification computes anew",
                "receipt": "what was answered, in words; what was entered stands in the content and in the log",
                "versions_read": "told apart what moved while it waited; an approval checks anew",
            },
        ),
        "submission_private": Committed(
            table=submission_private, key=("submission", "part"), sealed=("salt", "content")
        ),
        "principal": Committed(
            table=principal,
            key=("id",),
            values=("kind", "created", "disabled"),
            apart={"name": "a person's name, which can be erased; the opaque id is what acts"},
        ),
        "role_grant": Committed(
            table=role_grant,
            key=("principal", "authority", "role", "granted"),
            values=("granted_by", "approved_by", "ended", "ended_by"),
        ),
        "token": Committed(
            table=token,
            key=("id",),
            values=(
                "principal",
                "authority",
                "roles",
                "created",
                "expires",
                "revoked",
                "caused_by",
                "invitation",
                "parent",
                "family",
                "replaced",
                "renewable_until",
            ),
            hidden=("secret_hash", "name"),
            apart={"last_used": "moves with every use and decides nothing"},
        ),
        "invitation": Committed(
            table=invitation,
            key=("id",),
            values=(
                "principal",
                "authority",
                "roles",
                "created",
                "created_by",
                "expires",
                "needs_approval",
                "approved",
                "approved_by",
                "ended",
                "ended_by",
                "outcome",
            ),
            hidden=("code_hash",),
        ),
        "role_proposal": Committed(
            table=role_proposal,
            key=("id",),
            values=(
                "principal",
                "authority",
                "role",
                "proposed",
                "proposed_by",
                "decided",
                "decided_by",
                "outcome",
            ),
        ),
        "authority_policy": Committed(
            table=authority_policy,
            key=("authority", "version"),
            values=("four_eyes", "scope_wider", "since", "submission"),
        ),
        "job_run": Committed(
            table=job_run,
            key=("job", "due_on"),
            values=("state", "attempts", "began", "ended", "faults"),
            hidden=("report",),
        ),
    }
)


def image_of(table: str, row: Mapping[str, Any]) -> RowImage:
    """Make the image of a row, given by its columns."""
    committed = COMMITTED[table]
    values = {name: _plain(row[name]) for name in committed.values}
    values |= {name: _hide(row[name]) for name in committed.hidden}
    if committed.sealed:
        values["seal"] = sha256(b"".join(row[name] for name in committed.sealed)).hex()
    return RowImage(table, key_of(table, row), values)


def key_of(table: str, row: Mapping[str, Any]) -> tuple[str | int | bool, ...]:
    """Spell the key of a row."""
    return tuple(_plain(row[name]) for name in COMMITTED[table].key)


def gone(table: str, **key: Any) -> RowImage:
    """Make the image of a row that an act deletes."""
    return RowImage(table, key_of(table, key), None)


async def read_image(connection: AsyncConnection, table: str, **key: Any) -> RowImage:
    """Read a row that this transaction has written, as the image that its act commits to.

    Raises:
        KeyError: acts do not commit to this table, or the key lacks a column.
        sqlalchemy.exc.NoResultFound: there is no such row.
    """
    committed = COMMITTED[table]
    statement = select(*(committed.table.c[name] for name in committed.read)).where(
        *(committed.table.c[name] == key[name] for name in committed.key)
    )
    return image_of(table, dict((await connection.execute(statement)).mappings().one()))


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return spell_instant(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(each) for each in value]
    return value


def _hide(value: str | bytes | None) -> str | None:
    if value is None:
        return None
    return sha256(value.encode() if isinstance(value, str) else value).hex()
