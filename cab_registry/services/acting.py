"""The acts of who hands in or decides, as the chain of acts keeps them."""

from __future__ import annotations

from typing import Literal

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.services.desk import Desk
from cab_registry.services.tokens import Principal
from cab_registry.storage.acts.act import NewAct
from cab_registry.storage.acts.append import append_act
from cab_registry.storage.acts.images import RowImage, read_image
from cab_registry.storage.canonical import spell_instant


def act_of_submission(
    desk: Desk,
    principal: Principal,
    kind: Literal["submission_received", "submission_decided"],
    submission_id: str,
    rows: tuple[RowImage, ...] = (),
) -> NewAct:
    """Return the act of handing in or deciding, without the row of the submission itself, which comes when it is kept.

    The detail `at` is the instant against which the token was held, by the clock of this process.
    """
    return NewAct(
        kind=kind,
        actor=principal.id,
        token=principal.token,
        authority=principal.authority,
        subject=submission_id,
        rows=rows,
        details={"at": spell_instant(desk.clock())},
    )


async def append_submission_act(connection: AsyncConnection, new: NewAct) -> None:
    """Append the act of a submission that enters nothing, with its row as it stands."""
    image = await read_image(connection, "submission", id=new.subject)
    await append_act(connection, msgspec.structs.replace(new, rows=(image, *new.rows)))
