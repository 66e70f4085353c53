"""Records and short ways to append them, for the tests of storage and of its services."""

from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.storage.entries import INITIAL_SUBMISSION, Appended, Change, NewRecord, NewSubmission, Private
from cab_registry.storage.log import append


def body(number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "type": "body",
        "id": f"fcc-tw{number:04d}",
        "owner": "us-fcc",
        "names": [{"name": f"Prüfstelle Łódź Ø {number}", "from": "always"}],
        "kinds": ["testing_laboratory"],
        "sites": [{"key": "a", "economy": "TW"}],
        "identifiers": [{"scheme": "fcc-designation", "value": f"TW {number:04d}", "from": "always"}],
        **more,
    }


def requirement(sector: str = "telecom_radio", **more: Any) -> dict[str, Any]:
    return {"type": "requirement", "id": "us-47cfr-15c", "owner": "us-fcc", "economy": "US", "sector": sector, **more}


def agreement(*sectors: str) -> dict[str, Any]:
    annexes = {"phase-1": {"sectors": list(sectors)}}
    return {"type": "agreement", "id": "apec-tel-us-tw", "owner": "us-fcc", "annexes": annexes}


def recognition(number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "type": "recognition",
        "id": f"recognition-fcc-fcc-tw{number:04d}-1",
        "owner": "us-fcc",
        "body": f"fcc-tw{number:04d}",
        "scope": [{"key": "a", "requirement": "us-47cfr-15c", "from": "2018-06-01"}],
        **more,
    }


def notice(number: int = 1) -> dict[str, Any]:
    about = {"body": f"fcc-tw{number:04d}"}
    return {"type": "notice", "id": f"notice-us-fcc-tw{number:04d}-1", "owner": "us-fcc", "about": about}


def submission(*documents: dict[str, Any], change: Change = "new", **more: Any) -> NewSubmission:
    private = more.pop("private", None)
    records = tuple(NewRecord.of(document, change, private) for document in documents)
    given = {"id": str(uuid4()), "principal": "p-1", "public_reason": "as decided", **more}
    if given.get("initial"):
        given["id"] = INITIAL_SUBMISSION
    return NewSubmission(records=records, **given)


async def put(engine: AsyncEngine, *documents: dict[str, Any], change: Change = "new", **more: Any) -> Appended:
    async with engine.begin() as connection:
        return await append(connection, submission(*documents, change=change, **more))


async def put_history(engine: AsyncEngine) -> Appended:
    """Append a log with every kind of change, two private parts, and the initial load; seven entries."""
    await put(engine, requirement(), body(1), body(2, known_from="2020-05-01"), initial=True)
    await put(engine, recognition(1), private=Private("a person's name", ({"file": "minutes"},)))
    await put(engine, body(1, note="moved"), body(2, note="moved"), change="amend", private=Private("internal"))
    return await put(engine, recognition(1), change="retire")
