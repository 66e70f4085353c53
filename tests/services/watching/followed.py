"""A register with a route on which answers rest, and ways to follow them; for the tests of what is followed."""

from typing import Any

from cab_registry.domain.question import AskedQuestion, read_question
from cab_registry.services.watching.answer_history import PAGE, AnswerHistories, AnswerHistory, Following
from cab_registry.services.watching.targets import Target
from tests.services.office import Office, law, right

ROUTE: dict[str, Any] = {
    "type": "route",
    "id": "xa-xb-reports",
    "owner": "registrar",
    "title": "A-B, reports for B",
    "citation": "Article 1",
    "source": "law",
    "sources": {"law": {"title": "Gazette", "confidence": "high"}},
    "confidence": "high",
    "agreement": "xa-xb",
    "annex": "radio",
    "importer": ["XB"],
    "exporter": ["XA"],
    "result_kinds": ["test_report"],
    "requirements": [{"id": "xb-rules", "from": "always", "source": "law"}],
    "issuer": {"recognition": {"by": ["xb-office"], "on": ["performed"], "source": "law"}},
    "survival": [{"reason": "any", "effect": "survives", "source": "law"}],
    "duty": "must",
}


def law_with_route() -> list[dict[str, Any]]:
    return [*law(), ROUTE]


def recognition(*events: tuple[str, str], number: int = 1, **more: Any) -> dict[str, Any]:
    """A recognition of 2018 with the events that followed."""
    timeline = [{"event": "recognised", "on": "2018-01-01"}, *({"event": name, "on": on} for name, on in events)]
    return right("recognition", number, timeline=timeline, **more)


def asked(issuer: dict[str, Any] | None = None, **more: Any) -> AskedQuestion:
    """A question about a report of 2026, to be presented each day anew."""
    result = {"kind": "test_report", "issuer": issuer or {"id": "lab-1"}, "performed_on": "2026-10-01"}
    result |= {"issued_on": "2026-10-02", **more.pop("result", {})}
    subject = {"requirement": "xb-rules", "sector": "telecom_radio"}
    return read_question({"destination": "XB", "result": result, "subject": subject, **more})


def document(issuer: dict[str, Any] | None = None, **more: Any) -> Target:
    return Target(kind="question", question=asked(issuer, **more))


def standing(issuer: dict[str, Any] | None = None) -> Target:
    result = {"kind": "test_report", "issuer": issuer or {"id": "lab-1"}}
    subject = {"requirement": "xb-rules", "sector": "telecom_radio"}
    return Target(kind="standing", question=read_question({"destination": "XB", "result": result, "subject": subject}))


async def follow(office: Office, target: Target, after: int | None = None, limit: int = PAGE) -> AnswerHistory:
    """Read the history of an answer as of the office's day, with nothing kept from before."""
    held = await office.desk.heads.at_least(0)
    return await AnswerHistories(office.desk).read(held, Following(target, after, limit), office.desk.today)
