"""What is done to accounts, written into the chain of acts in the transaction in which it is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.storage.acts.act import ActKind, NewAct
from cab_registry.storage.acts.append import append_act
from cab_registry.storage.acts.images import read_image

if TYPE_CHECKING:
    from cab_registry.services.tokens import Principal


class Change(msgspec.Struct, frozen=True):
    """A change of an account.

    Attributes:
        kind: what was done.
        principal: to whose account.
        details: ids and words; no names and no secrets.
        rows: the rows that were written, each a table and its key.
    """

    kind: ActKind
    principal: str
    details: Mapping[str, Any] = {}
    rows: tuple[tuple[str, Mapping[str, Any]], ...] = ()

    def on(self, table: str, *keys: Mapping[str, Any]) -> Self:
        """Return it with further rows of a table that were written."""
        return msgspec.structs.replace(self, rows=(*self.rows, *((table, key) for key in keys)))


async def note_act(
    connection: AsyncConnection, acting: Principal | str, change: Change, *, authority: str | None = None
) -> None:
    """Append a change to the chain of acts; its lock is the last of a transaction.

    Args:
        connection: in the transaction of the change, after its rows were written.
        acting: who does it: a principal that was let in, or the name of an actor without a token.
        change: what is done, with the rows that were written.
        authority: for which authority, where it is about one.
    """
    actor, token = (acting, None) if isinstance(acting, str) else (acting.id, acting.token)
    new = NewAct(
        kind=change.kind,
        actor=actor,
        token=token,
        authority=authority,
        subject=change.principal,
        rows=tuple([await read_image(connection, table, **key) for table, key in change.rows]),
        details=change.details,
    )
    await append_act(connection, new)
