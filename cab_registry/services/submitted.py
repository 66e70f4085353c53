"""Submissions as they are shown: a part for everyone, and a part for the authority alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cab_registry.domain.errors import Defect, Fault, Refusal
from cab_registry.register.ownership import REGISTRAR
from cab_registry.services.refusals import MissingRole, NoSuchSubmission
from cab_registry.services.requests import GivenRecord
from cab_registry.services.tokens import Principal
from cab_registry.storage.engine import read_only
from cab_registry.storage.entries import Change
from cab_registry.storage.errors import operational_faults
from cab_registry.storage.log import read_entries
from cab_registry.storage.submissions import (
    Selection,
    StoredSubmission,
    SubmissionKind,
    SubmissionState,
    find_submission,
    list_submissions,
    read_private,
)

LARGEST_PAGE: Final = 200

Whose = Literal["mine", "authority", "waiting", "all"]


class VersionShown(msgspec.Struct, frozen=True, kw_only=True):
    """A record version that a submission enters."""

    type: str
    id: str
    version: int
    change: Change
    position: Annotated[int | None, Meta(description="In the log; null while the submission waits.")] = None


class Remark(msgspec.Struct, frozen=True):
    """Something to look at that is no fault."""

    pointer: str
    message: str
    record: str


class SubmissionPublic(msgspec.Struct, frozen=True, kw_only=True):
    """What everyone may see of a submission once it is approved, and its authority before."""

    id: Annotated[str | None, Meta(description="Null: a dry run.")]
    kind: SubmissionKind
    state: Annotated[SubmissionState | None, Meta(description="Null: a dry run.")]
    authority: Annotated[str | None, Meta(description="Null: the catalogue's own.")]
    counterpart: Annotated[str | None, Meta(description="Who has to approve a transfer.")]
    principal: Annotated[str, Meta(description="Opaque id of who handed it in.")]
    public_reason: str
    although: Annotated[
        str | None, Meta(description="Why it was entered although an agreement leaves open who may say it.")
    ] = None
    created: datetime
    decided_by: Annotated[str | None, Meta(description="Opaque id of who decided, where somebody had to.")] = None
    decided: datetime | None = None
    recorded: Annotated[datetime | None, Meta(description="The instant of its entries.")] = None
    first: Annotated[int | None, Meta(description="Position of its first entry.")] = None
    last: Annotated[int | None, Meta(description="Position of its last entry.")] = None
    digest: Annotated[str | None, Meta(description="SHA-256 of its content: what an approver approves.")] = None
    versions: Annotated[tuple[VersionShown, ...], Meta(description="What it enters, or would enter.")] = ()
    unchanged: Annotated[tuple[str, ...], Meta(description="Ids of records that were the same already.")] = ()
    warnings: tuple[Remark, ...] = ()
    effect: Annotated[Any, Meta(description="What changes in words, and which answers flip.")] = None
    records: Annotated[
        tuple[GivenRecord, ...] | None, Meta(description="The records handed in, where one submission is shown.")
    ] = None


class SubmissionPrivate(msgspec.Struct, frozen=True, kw_only=True):
    """What the authority and auditors alone may see; null where nothing was said, or it was erased."""

    private_reason: str | None = None
    evidence: tuple[dict[str, Any], ...] = ()
    decision_reason: str | None = None


class Submitted(msgspec.Struct, frozen=True, kw_only=True):
    """A submission for one who asks.

    Attributes:
        public: see there.
        private: none for who may not see it.
        repeated: whether it is the answer to a request that came before with the same idempotency key, or to a
            decision that was taken before.
    """

    public: SubmissionPublic
    private: SubmissionPrivate | None = None
    repeated: bool = False


class SubmissionPlace(NamedTuple):
    """Where a submission stands in a list."""

    received: datetime
    id: str


class SubmissionPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of submissions, and where it ended, if there is more."""

    items: tuple[Submitted, ...]
    next: SubmissionPlace | None = None


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept with a submission of what it was answered."""

    versions: tuple[VersionShown, ...] = ()
    unchanged: tuple[str, ...] = ()
    warnings: tuple[Remark, ...] = ()
    effect: Any = None


async def show_submission(engine: AsyncEngine, submission_id: str, principal: Principal | None = None) -> Submitted:
    """Show one submission with its records; without a principal, as everyone sees it.

    Raises:
        NoSuchSubmission: there is none, or none that the asker may see.
        StorageBusy: the database cannot serve now.
    """
    with operational_faults():
        async with read_only(engine).connect() as connection:
            stored = await find_submission(connection, submission_id)
            if stored is None or not may_see(stored, principal):
                raise no_such(submission_id)
            return (await _show_all(connection, [stored], principal, whole=True))[0]


async def list_shown(
    engine: AsyncEngine,
    principal: Principal,
    *,
    whose: Whose = "mine",
    states: Sequence[SubmissionState] = (),
    after: SubmissionPlace | None = None,
    limit: int = 50,
) -> SubmissionPage:
    """List submissions: one's own, those of one's authority, those that wait for oneself, or, as auditor, all.

    The newest come first, but of those that wait the oldest.

    Raises:
        MissingRole: all, and the caller is no auditor of the registry.
        Refusal: the limit is out of bounds.
        StorageBusy: the database cannot serve now.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise Refusal(f"a page has 1 to {LARGEST_PAGE} items", (Fault("/limit", f"1 to {LARGEST_PAGE}"),))
    selection = _select(principal, whose, tuple(states))
    if selection is None:
        return SubmissionPage(items=())
    with operational_faults():
        async with read_only(engine).connect() as connection:
            found = await list_submissions(
                connection, selection, before=after, limit=limit + 1, oldest_first=whose == "waiting"
            )
            page = found[:limit]
            shown = await _show_all(connection, page, principal, whole=False)
    more = len(found) > limit
    return SubmissionPage(items=shown, next=SubmissionPlace(page[-1].received, page[-1].id) if more else None)


async def list_waiting(engine: AsyncEngine, principal: Principal, *, limit: int = 50) -> tuple[Submitted, ...]:
    """List what waits for this principal's approval, the oldest first; nothing for who may not approve.

    Raises:
        StorageBusy: the database cannot serve now.
    """
    return (await list_shown(engine, principal, whose="waiting", limit=limit)).items


async def show_kept(connection: AsyncConnection, submission_id: str, principal: Principal) -> Submitted:
    """Show a submission that this transaction has kept or moved."""
    stored = await find_submission(connection, submission_id)
    if stored is None:
        raise Defect(f"the submission {submission_id} is gone")
    return await show_stored(connection, stored, principal)


async def show_stored(connection: AsyncConnection, stored: StoredSubmission, principal: Principal) -> Submitted:
    """Show a submission within a transaction."""
    return (await _show_all(connection, [stored], principal, whole=False))[0]


def may_see(stored: StoredSubmission, principal: Principal | None) -> bool:
    """Whether a submission is there for one who asks: once it is approved for all, before for those concerned."""
    if stored.state == "approved" and stored.kind != "policy":
        return True
    if principal is None:
        return False
    concerned = principal.authority in {stored.authority, stored.counterpart} and bool(principal.roles)
    return concerned or _audits_all(principal)


def no_such(submission_id: str) -> NoSuchSubmission:
    """Return the refusal that tells nobody whether a submission is there."""
    return NoSuchSubmission(f"there is no submission {submission_id} that you may see")


def _may_see_private(stored: StoredSubmission, principal: Principal | None) -> bool:
    if principal is None or not principal.roles:
        return False
    return principal.authority == stored.authority or _audits_all(principal)


def _audits_all(principal: Principal) -> bool:
    return principal.authority == REGISTRAR and "auditor" in principal.roles


def _select(principal: Principal, whose: Whose, states: tuple[SubmissionState, ...]) -> Selection | None:
    if whose == "mine":
        return Selection(principal=principal.id, authority=principal.authority, states=states)
    if whose == "all":
        if not _audits_all(principal):
            raise MissingRole(REGISTRAR, ["auditor"])
        return Selection(states=states)
    if whose == "authority":
        return Selection(authority=principal.authority, states=states) if principal.roles else None
    if not principal.roles & {"approver", "registrar"}:
        return None
    return Selection(waiting_for=principal.authority, other_than=principal.id, states=states)


async def _show_all(
    connection: AsyncConnection, found: Sequence[StoredSubmission], principal: Principal | None, *, whole: bool
) -> tuple[Submitted, ...]:
    # Private parts are read for those only who may see them: nothing else can show what was never read.
    permitted = [each.id for each in found if _may_see_private(each, principal)]
    private = await read_private(connection, permitted) if permitted else {}
    shown = []
    for each in found:
        versions = await _versions_of(connection, each)
        public = _public(each, versions, whole=whole)
        hidden = _private(each, private) if each.id in permitted else None
        shown.append(Submitted(public=public, private=hidden))
    return tuple(shown)


async def _versions_of(connection: AsyncConnection, stored: StoredSubmission) -> tuple[VersionShown, ...]:
    if stored.content is not None or stored.first_position is None or stored.last_position is None:
        versions = _receipt_of(stored).versions
        first = stored.first_position
        if first is None:
            return versions
        return tuple(msgspec.structs.replace(each, position=first + index) for index, each in enumerate(versions))
    count = min(stored.last_position - stored.first_position + 1, LARGEST_PAGE)
    entries = await read_entries(connection, stored.first_position - 1, count)
    return tuple(
        VersionShown(type=each.type, id=each.id, version=each.version, change=each.change, position=each.position)
        for each in entries
    )


def _public(stored: StoredSubmission, versions: tuple[VersionShown, ...], *, whole: bool) -> SubmissionPublic:
    receipt = _receipt_of(stored)
    return SubmissionPublic(
        id=stored.id,
        kind=stored.kind,
        state=stored.state,
        authority=stored.authority,
        counterpart=stored.counterpart,
        principal=stored.principal,
        public_reason=stored.public_reason,
        although=_although_of(stored),
        created=stored.received,
        decided_by=stored.decided_by,
        decided=stored.decided,
        recorded=stored.recorded,
        first=stored.first_position,
        last=stored.last_position,
        digest=None if stored.digest is None else stored.digest.hex(),
        versions=versions,
        unchanged=receipt.unchanged,
        warnings=receipt.warnings,
        effect=receipt.effect,
        records=_records_of(stored) if whole else None,
    )


def _records_of(stored: StoredSubmission) -> tuple[GivenRecord, ...] | None:
    if stored.content is None:
        return None
    return msgspec.convert(msgspec.json.decode(stored.content)["records"], tuple[GivenRecord, ...])


def _although_of(stored: StoredSubmission) -> str | None:
    if stored.content is None:
        return None
    said = msgspec.json.decode(stored.content).get("although")
    return said if isinstance(said, str) else None


def _private(stored: StoredSubmission, parts: Mapping[tuple[str, str], bytes]) -> SubmissionPrivate:
    request, decision = parts.get((stored.id, "request")), parts.get((stored.id, "decision"))
    asked: dict[str, Any] = {} if request is None else msgspec.json.decode(request)
    decided: dict[str, Any] = {} if decision is None else msgspec.json.decode(decision)
    return SubmissionPrivate(
        private_reason=asked.get("reason"),
        evidence=tuple(asked.get("evidence", ())),
        decision_reason=decided.get("reason"),
    )


def _receipt_of(stored: StoredSubmission) -> Receipt:
    # The catalogue's own submissions have receipts of another shape, which their entries tell better.
    if stored.content is None or stored.receipt is None:
        return Receipt()
    return msgspec.convert(stored.receipt, Receipt)


def show_remarks(faults: Iterable[Fault]) -> tuple[Remark, ...]:
    """Return faults that hinder nothing, as they are shown."""
    return tuple(Remark(each.pointer, each.message, each.place) for each in faults)
