"""Every operation of the API as the reference describes it."""

from __future__ import annotations

from typing import Final

from cab_registry.api import problem_kinds
from cab_registry.api.acceptance import PATH, Waiting
from cab_registry.api.health import Health, Readiness
from cab_registry.api.operation import Operation
from cab_registry.api.operations_of_accounts import list_account_operations
from cab_registry.api.operations_of_expiries import list_expiry_operations
from cab_registry.api.operations_of_history import list_history_operations
from cab_registry.api.operations_of_impact import list_impact_operations
from cab_registry.api.operations_of_submissions import list_submission_operations
from cab_registry.api.operations_of_watches import list_watch_operations
from cab_registry.api.records import SchemaList
from cab_registry.api.replies import NoParameters
from cab_registry.domain.answer import Answer
from cab_registry.domain.question import AskedQuestion
from cab_registry.services.collecting import RecordSearch
from cab_registry.services.reading import (
    AgreementFound,
    AgreementList,
    AuthorityList,
    BodyFound,
    BodyPage,
    BodySearch,
    BodyViewing,
    RecordFound,
    RecordPage,
)
from cab_registry.services.views import Paging, Viewing

_READING: Final = (
    problem_kinds.UNREADABLE,
    problem_kinds.WRONG_PARAMETERS,
    problem_kinds.NOT_LOADED,
    problem_kinds.REGISTER_DAMAGED,
    problem_kinds.UNAVAILABLE,
)
_LIST: Final = (*_READING, problem_kinds.NOT_REACHED)
_SINGLE: Final = (*_LIST, problem_kinds.NO_SUCH_RECORD)
_ASKING: Final = (*_LIST, problem_kinds.IMPOSSIBLE)

TAGS: Final = (
    ("Acceptance", "Is this result, from this body, accepted in that market, and why?"),
    ("Register", "Agreements, routes, bodies, authorities and requirements, as they are or as they were known."),
    ("Schemas", "JSON Schemas of questions, answers and records."),
    ("History", "What changed, when, why and by whom; and what waits for an authority."),
    ("Submissions", "Changes of the register: handed in, shown, approved, rejected or withdrawn."),
    ("Watches", "Who wants to be told when answers and records change, where, and what was sent."),
    ("Accounts", "Who asks, tokens, and, for registrars, principals and their roles. Reading needs no account."),
    ("Service", "For operators, and for programs that read this reference."),
)


def list_operations() -> tuple[Operation, ...]:
    """Return every operation, in the order of the reference."""
    return (
        *_acceptance(),
        *list_impact_operations(),
        *_lists(),
        *_singles(),
        *_bodies(),
        *list_expiry_operations(),
        *_schemas(),
        *list_history_operations(),
        *list_submission_operations(),
        *list_watch_operations(),
        *list_account_operations(),
        *_service(),
    )


def _acceptance() -> tuple[Operation, ...]:
    return (
        Operation(
            method="post",
            path=PATH,
            id="ask",
            tag="Acceptance",
            summary="Ask whether a result is accepted",
            description="Any well-formed question gets an answer, also one about an issuer that nobody knows. "
            "All faults of an impossible question are listed at once.",
            query=(Waiting,),
            body=AskedQuestion,
            gives=Answer,
            kinds=(*_ASKING, problem_kinds.TOO_LARGE, problem_kinds.BODY_TOO_SLOW, problem_kinds.WRONG_CONTENT),
        ),
        Operation(
            path=PATH,
            id="ask_by_address",
            tag="Acceptance",
            summary="Ask by an address that can be kept and shown",
            description="The same question in flat dotted names; it gives the same answer, byte for byte. State "
            "`presented_on` and a `known_at` that is past to get an address whose answer never changes. Of "
            "subcontractors, the first four have names here.",
            query=(AskedQuestion, Waiting),
            gives=Answer,
            tagged=True,
            kinds=_ASKING,
        ),
    )


def _lists() -> tuple[Operation, ...]:
    pages = "In order of id. A cursor keeps to the state of the register in which the first page was read."
    return (
        Operation(
            path="/v1/agreements",
            id="list_agreements",
            tag="Register",
            summary="List agreements",
            description=pages,
            query=(AgreementList,),
            gives=RecordPage,
            tagged=True,
            kinds=_LIST,
        ),
        Operation(
            path="/v1/authorities",
            id="list_authorities",
            tag="Register",
            summary="List authorities",
            description=pages,
            query=(AuthorityList,),
            gives=RecordPage,
            tagged=True,
            kinds=_LIST,
        ),
        Operation(
            path="/v1/requirements",
            id="list_requirements",
            tag="Register",
            summary="List requirements and standards",
            description=pages,
            query=(Paging,),
            gives=RecordPage,
            tagged=True,
            kinds=_LIST,
        ),
    )


def _singles() -> tuple[Operation, ...]:
    named = (
        ("agreements", "agreement", "Read an agreement with its routes", AgreementFound),
        ("routes", "route", "Read a route", RecordFound),
        ("authorities", "authority", "Read an authority", RecordFound),
        ("requirements", "requirement", "Read a requirement", RecordFound),
    )
    return tuple(
        Operation(
            path=f"/v1/{many}/{{record_id}}",
            id=f"read_{one}",
            tag="Register",
            summary=summary,
            query=(Viewing,),
            gives=gives,
            tagged=True,
            kinds=_SINGLE,
        )
        for many, one, summary, gives in named
    )


def _bodies() -> tuple[Operation, ...]:
    return (
        Operation(
            path="/v1/bodies",
            id="search_bodies",
            tag="Register",
            summary="Search bodies",
            description="By name, identifier, economy, sector, requirement, and status as of a day; all given "
            "parameters must be met. A cursor keeps to the state of the register in which the first page was read.",
            query=(BodySearch,),
            gives=BodyPage,
            tagged=True,
            kinds=_LIST,
        ),
        Operation(
            path="/v1/bodies/{record_id}",
            id="read_body",
            tag="Register",
            summary="Read a body with its rights",
            description="Each accreditation, designation and recognition with its status as of a day, item by item.",
            query=(BodyViewing,),
            gives=BodyFound,
            tagged=True,
            kinds=_SINGLE,
        ),
        Operation(
            path="/v1/records",
            id="list_records",
            tag="Register",
            summary="List records of every type",
            description="In order of id, for who wants them all. A cursor keeps to the state of the register in which "
            "the first page was read.",
            query=(RecordSearch,),
            gives=RecordPage,
            tagged=True,
            kinds=_LIST,
        ),
        Operation(
            path="/v1/records/{record_id}",
            id="read_record",
            tag="Register",
            summary="Read a record of any type",
            query=(Viewing,),
            gives=RecordFound,
            tagged=True,
            kinds=_SINGLE,
        ),
    )


def _schemas() -> tuple[Operation, ...]:
    unread = (problem_kinds.UNREADABLE, problem_kinds.WRONG_PARAMETERS)
    return (
        Operation(
            path="/v1/schemas",
            id="list_schemas",
            tag="Schemas",
            summary="List the schemas",
            query=(NoParameters,),
            gives=SchemaList,
            kinds=unread,
        ),
        Operation(
            path="/v1/schemas/{name}",
            id="read_schema",
            tag="Schemas",
            summary="Read a JSON Schema",
            query=(NoParameters,),
            kinds=(*unread, problem_kinds.NO_SUCH_RECORD),
        ),
    )


def _service() -> tuple[Operation, ...]:
    return (
        Operation(path="/health", id="health", tag="Service", summary="Whether the process lives", gives=Health),
        Operation(
            path="/ready",
            id="ready",
            tag="Service",
            summary="Whether the process should get requests",
            description="Not ready: the register is not loaded, the database does not answer, or the log could not be "
            "read for a while. Answers at the head go on all the same.",
            gives=Readiness,
        ),
        Operation(path="/openapi.json", id="openapi", tag="Service", summary="This reference as OpenAPI 3.1"),
    )
