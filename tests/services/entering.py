"""Entering records past the door, as an authority of which no test needs to know: nothing is checked."""

from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.storage.entries import Appended, Change, NewRecord, NewSubmission
from cab_registry.storage.log import append, lock_log
from cab_registry.storage.records import latest_versions


class Entered(NamedTuple):
    """A record that is to become the next version; without a change it is new, or amends what is there."""

    document: dict[str, Any]
    change: Change | None = None


async def enter(
    engine: AsyncEngine, *records: Entered | dict[str, Any], principal: str = "p-1", public_reason: str = "as decided"
) -> Appended | None:
    """Append records together; those that are the same already are left out, and none are appended where all are."""
    wanted = [each if isinstance(each, Entered) else Entered(each) for each in records]
    async with engine.begin() as connection:
        await lock_log(connection)
        current = await latest_versions(connection, [str(each.document["id"]) for each in wanted])
        entering = []
        for each in wanted:
            before = current.get(str(each.document["id"]))
            new = NewRecord.of(each.document, each.change or ("new" if before is None else "amend"))
            if before is None or before.digest != new.digest or before.retired != (each.change == "retire"):
                entering.append(new)
        if not entering:
            return None
        submission = NewSubmission(
            id=str(uuid4()), principal=principal, public_reason=public_reason, records=tuple(entering)
        )
        return await append(connection, submission)
