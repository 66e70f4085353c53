"""A small world of two accreditation bodies, one of which succeeded another, and of laboratories that rest on them."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from cab_registry.domain.records import read_record
from cab_registry.register.compiled import Register, Versioned, compile_register

TODAY = date(2026, 11, 21)
ARRANGEMENT = "world-mra"
STANDARD = "Standard One"
MARKETS = ("XB", "XC", "XD")
KINDS = ("test_report", "certificate")
RULES = ("xb-rules", "xc-rules")
SOURCE = {"law": {"title": "Gazette", "confidence": "high"}}


def day(offset: int) -> str:
    return (TODAY + timedelta(days=offset)).isoformat()


def authority(key: str, economy: str, role: str, **more: Any) -> dict[str, Any]:
    return {"type": "authority", "id": key, "economy": economy, "names": {"en": key.title()}, "roles": [role], **more}


def signatory(since: str = "2010-01-01", until: str | None = None) -> dict[str, Any]:
    end = {} if until is None else {"until": until}
    return {"arrangement": ARRANGEMENT, "from": since, "source": "law", **end}


def route(key: str, importer: str, rule: str, kind: str, **issuer: Any) -> dict[str, Any]:
    return {
        "type": "route",
        "id": key,
        "citation": key,
        "source": "law",
        "agreement": "xa-all",
        "importer": [importer],
        "exporter": ["XA"],
        "result_kinds": [kind],
        "sectors": ["telecom_radio"],
        "requirements": [{"id": rule, "from": "always", "source": "law"}],
        "issuer": {"kinds": ["testing_laboratory"], **issuer},
        "operation": [{"state": "operational", "on": "2006-01-01", "source": "law"}],
        "survival": [{"reason": "any", "effect": "survives", "source": "law"}],
        "duty": "must",
    }


def asked(**more: Any) -> dict[str, Any]:
    return {"need": "required", "standards": [STANDARD], "source": "law", **more}


BY_NAME = asked(by=["ab-one"])
BY_STATUS = asked(signatory_of=[ARRANGEMENT], signatory_on=["presented"])
BY_OFFICE = {"by": ["xc-office"], "source": "law"}


def law(statuses: Iterable[dict[str, Any]] = (signatory(),)) -> list[dict[str, Any]]:
    followed = [{"authority": "ab-former", "on": "2015-01-01", "source": "law"}]
    forced = [{"state": "in_force", "on": "2005-01-01", "source": "law"}]
    return [
        *({"type": "economy", "id": code.lower(), "code": code, "names": {"en": code}} for code in ("XA", *MARKETS)),
        authority("registrar", "XA", "registrar"),
        authority("ab-former", "XA", "accrediting", signatory=[signatory()]),
        authority("ab-one", "XA", "accrediting", signatory=list(statuses), succeeds=followed),
        authority("ab-two", "XA", "accrediting", signatory=[signatory()]),
        authority("xc-office", "XC", "regulating"),
        *(
            {
                "type": "requirement",
                "id": rule,
                "economy": rule[:2].upper(),
                "sector": "telecom_radio",
                "citation": rule.title(),
                "editions": [{"key": "1", "from": "always", "source": "law"}],
            }
            for rule in RULES
        ),
        {
            "type": "agreement",
            "id": ARRANGEMENT,
            "short": "World MRA",
            "family": "accreditation",
            "parties": [],
            "instrument": forced,
        },
        {
            "type": "agreement",
            "id": "xa-all",
            "short": "A with all",
            "family": "technical",
            "parties": ["XA", *MARKETS],
            "instrument": forced,
        },
        route("by-name", "XB", "xb-rules", "test_report", accreditation=BY_NAME),
        route("by-status", "XC", "xc-rules", "test_report", accreditation=BY_STATUS),
        route("by-status-too", "XD", "xb-rules", "certificate", accreditation={**BY_STATUS, "need": "supports"}),
        route("by-office", "XC", "xc-rules", "certificate", recognition=BY_OFFICE),
        route("by-both", "XD", "xc-rules", "test_report", recognition=BY_OFFICE, accreditation=asked()),
    ]


def body(key: str) -> dict[str, Any]:
    return {
        "type": "body",
        "id": key,
        "economy": "XA",
        "names": [{"name": f"Laboratory {key}", "from": "2010-01-01"}],
        "kinds": ["testing_laboratory"],
        "sites": [{"key": "main", "economy": "XA"}],
    }


def right(kind: str, key: str, of: str, by: str, *rules: str, **more: Any) -> dict[str, Any]:
    scope = [{"key": rule, "requirement": rule, "from": "2018-01-01"} for rule in rules]
    ground = {"standard": STANDARD, "validity": "open_ended"} if kind == "accreditation" else {"agreement": "xa-all"}
    return {"type": kind, "id": key, "body": of, "by": by, "scope": scope, "from": "2018-01-01", **ground, **more}


def laboratory(key: str, by: str = "ab-one") -> list[dict[str, Any]]:
    """A laboratory with an accreditation and a recognition for both rules."""
    return [
        body(key),
        right("accreditation", f"{key}-a", key, by, *RULES),
        right("recognition", f"{key}-r", key, "xc-office", *RULES),
    ]


def compiled(*documents: dict[str, Any], of: Iterable[dict[str, Any]] | None = None) -> Register:
    every = [*(law() if of is None else of), *documents]
    records = (read_record({"owner": "registrar", "sources": SOURCE, **document}) for document in every)
    return compile_register(Versioned(record, 1) for record in records)
