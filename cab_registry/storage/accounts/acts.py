"""Acts as those concerned read them."""

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.storage.acts.act import Act
from cab_registry.storage.acts.append import COLUMNS, act_of
from cab_registry.storage.acts.tables import act


async def list_acts(
    connection: AsyncConnection,
    *,
    principal: str | None = None,
    authority: str | None = None,
    after: int = 0,
    newest: bool = False,
    limit: int = 100,
) -> list[Act]:
    """Read acts in order of position: all, or those about or by a principal, and those for an authority.

    Args:
        connection: where to read.
        principal: those about it and by it.
        authority: those for it; with a principal, these too.
        after: only those behind this position.
        newest: the last ones instead of the first.
        limit: how many at most.
    """
    wanted = [act.c.position > after]
    concerned = []
    if principal is not None:
        concerned += [act.c.subject == principal, act.c.actor == principal]
    if authority is not None:
        concerned.append(act.c.authority == authority)
    if concerned:
        wanted.append(or_(*concerned))
    order = act.c.position.desc() if newest else act.c.position
    found = await connection.execute(
        select(*(act.c[name] for name in COLUMNS)).where(*wanted).order_by(order).limit(limit)
    )
    return sorted((act_of(row) for row in found), key=lambda each: each.position)
