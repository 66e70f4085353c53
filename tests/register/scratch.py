"""A small register made of documents: two economies, their authorities, one agreement, and whatever a test adds."""

from typing import Any

from cab_registry.domain.days import parse_day
from cab_registry.domain.records import read_record
from cab_registry.register.compiled import Register, Versioned, compile_register
from cab_registry.register.ending import Ending
from cab_registry.register.endings import find_endings
from tests.services.office import body, law, right

__all__ = ["body", "day", "endings_of", "keys_of", "law", "right", "scratch"]

day = parse_day


def scratch(*documents: dict[str, Any]) -> Register:
    """The law of the office with these records; one of the same id takes the place of the office's."""
    by_id = {document["id"]: document for document in (*law(), body(), *documents)}
    return compile_register([Versioned(read_record(document), 1) for document in by_id.values()])


def endings_of(*documents: dict[str, Any], kind: str | None = None) -> list[Ending]:
    """What ends because of these records, beside what ends in the law anyway."""
    known = {ending.key for ending in find_endings(scratch())}
    found = [ending for ending in find_endings(scratch(*documents)) if ending.key not in known]
    return [ending for ending in found if kind in (None, ending.kind)]


def keys_of(*documents: dict[str, Any], kind: str | None = None) -> list[str]:
    return [ending.key for ending in endings_of(*documents, kind=kind)]


def office(record_id: str, **more: Any) -> dict[str, Any]:
    """A record of the office's law, changed."""
    return {**next(document for document in law() if document["id"] == record_id), **more}


def busy() -> Register:
    """A register in which something of most kinds ends, seen from 21 November 2026."""
    by_law = {"source": "law"}
    scope = [
        {"key": "a", "requirement": "xb-rules", "from": "2018-01-01", "until": "2027-01-02"},
        {"key": "b", "requirement": "xb-rules", "from": "2018-01-01", "until": "2027-02-02", "product_classes": ["x"]},
    ]
    return scratch(
        office("standard-one", editions=[{"key": "2017", "from": "always", "until": "2027-03-01", **by_law}]),
        office("xb-rules", editions=[{"key": "1", "from": "always", "until": "2027-01-31", **by_law}]),
        office("xa-service", signatory=[{"arrangement": "world", "from": "2010-01-01", "until": "2026-12-31"}]),
        office("xa-xb", id="world", short="World", parties=[], family="accreditation", annexes={}),
        office(
            "xa-xb",
            instrument=[
                {"state": "in_force", "on": "2005-01-01", **by_law},
                {
                    "state": "terminated",
                    "on": {"not_before": "2027-01-01", "not_after": "2027-06-30"},
                    **by_law,
                },
            ],
            objection={"days": 30, "silence": "recognised", **by_law},
            reviews=[{"subject": "Phones, and routers; all", "on": "2026-11-21", **by_law}],
        ),
        body(2, names=[{"name": '=cmd("x")', "from": "2010-01-01"}]),
        body(3),
        right("designation", scope=scope),
        right("designation", 2, scope=scope, owner="xa-former", by="xa-former"),
        right("recognition", 2, scope=[{**scope[0], "until": "2027-03-21"}]),
        right("recognition", 3, timeline=[{"event": "notified", "on": "2026-11-01"}]),
        right("accreditation", scope=scope, validity="dated"),
        right("accreditation", 2, timeline=[{"event": "granted", "on": "2018-01-01"}]),
        right("accreditation", 3, sources={"list": {"title": "List", "read_on": "2026-11-01"}}),
    )
