"""Handing a submission in: checked as a whole, then entered at once, or kept until a second person approves it."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.services.acting import act_of_submission, append_submission_act
from cab_registry.services.deciding import approve, reject, withdraw
from cab_registry.services.desk import (
    Describe,
    Desk,
    Prepared,
    prepare,
    refuse_interference,
    refuse_moved,
    settle,
)
from cab_registry.services.policies import check_change, read_change
from cab_registry.services.refusals import KeyReused, MissingRole
from cab_registry.services.requests import (
    Evidence,
    GivenRecord,
    SubmissionRequest,
    hash_request,
    roles_that_submit,
    spell_content,
)
from cab_registry.services.submitted import (
    Receipt,
    SubmissionPage,
    SubmissionPrivate,
    SubmissionPublic,
    Submitted,
    VersionShown,
    list_shown,
    list_waiting,
    show_kept,
    show_stored,
    show_submission,
)
from cab_registry.services.tokens import Principal, hold_authority
from cab_registry.storage.acts.act import NewAct
from cab_registry.storage.acts.images import RowImage
from cab_registry.storage.canonical import sha256
from cab_registry.storage.engine import read_only
from cab_registry.storage.entries import NewSubmission, make_salt, private_hash
from cab_registry.storage.errors import operational_faults
from cab_registry.storage.log import append, lock_log
from cab_registry.storage.submissions import (
    NewStored,
    find_by_key,
    insert_submission,
    keep_private,
)

__all__ = [
    "Describe",
    "Desk",
    "Evidence",
    "GivenRecord",
    "SubmissionPage",
    "SubmissionPrivate",
    "SubmissionPublic",
    "SubmissionRequest",
    "Submitted",
    "approve",
    "list_shown",
    "list_waiting",
    "reject",
    "show_submission",
    "submit",
    "withdraw",
]


async def submit(
    desk: Desk, principal: Principal, request: SubmissionRequest, idempotency_key: str | None = None
) -> Submitted:
    """Check a submission, and enter it or keep it for approval; when this returns, it is so.

    With a dry run nothing is kept. With an idempotency key, a repetition of the same request gets the truth about the
    first: what became of it by now.

    Raises:
        OtherAuthority, MissingRole: the principal may not submit for this authority, or not any more.
        TokenRefused: the token ended since its bearer was let in, or the principal was disabled.
        KeyReused: the principal used the idempotency key for another request.
        Refusal: the submission is not well formed, or something stands against what it says; all faults are listed.
        NotOwner: it would write what is others'.
        StaleSubmission: its records moved since the submitter saw them; it says how.
        OperationalFault: the database cannot serve now. Where the connection was lost during commit, the submission
            is whole or absent; send it again with its idempotency key to learn which.
    """
    _require_submitter(principal, request)
    request_hash = await asyncio.to_thread(hash_request, request)
    key = None if request.dry_run else idempotency_key
    if key is not None:
        with operational_faults():
            async with read_only(desk.engine).connect() as connection:
                earlier = await _find_earlier(connection, principal, key, request_hash)
        if earlier is not None:
            return earlier
    if request.kind == "policy":
        return await _submit_policy(desk, principal, request, key, request_hash)
    if request.dry_run:
        return _show_dry(desk, principal, await prepare(desk, request))
    return await settle(desk, request, lambda prepared: _keep(desk, principal, prepared, key, request_hash))


def _require_submitter(principal: Principal, request: SubmissionRequest) -> None:
    principal.require(*roles_that_submit(request.kind), authority=request.authority)


async def _find_earlier(
    connection: AsyncConnection, principal: Principal, key: str | None, request_hash: bytes
) -> Submitted | None:
    if key is None:
        return None
    stored = await find_by_key(connection, principal.id, key)
    if stored is None:
        return None
    if stored.request_hash != request_hash:
        raise KeyReused(f"the idempotency key {key!r} belongs to another request")
    if stored.authority != principal.authority:
        raise MissingRole(str(stored.authority), ["submitter"])
    return msgspec.structs.replace(await show_stored(connection, stored, principal), repeated=True)


async def _keep(
    desk: Desk, principal: Principal, prepared: Prepared, key: str | None, request_hash: bytes
) -> Submitted:
    checked = prepared.checked
    with operational_faults():
        async with desk.engine.begin() as connection:
            # Compared under the lock: what is current stays so, and an idempotency key that is free stays free.
            await lock_log(connection)
            _require_submitter(await hold_authority(connection, principal, desk.clock), prepared.request)
            earlier = await _find_earlier(connection, principal, key, request_hash)
            if earlier is not None:
                return earlier
            await refuse_interference(connection, prepared)
            received = await _insert(
                desk,
                connection,
                principal,
                prepared.request,
                key=key,
                request_hash=request_hash,
                receipt=prepared.receipt,
                counterpart=checked.counterpart if prepared.four_eyes else None,
                four_eyes=prepared.four_eyes,
                state="submitted" if checked.planned else "approved",
                versions_read=checked.expected,
            )
            if checked.planned and not prepared.four_eyes:
                new = NewSubmission(
                    id=received.subject,
                    principal=principal.id,
                    public_reason=prepared.request.reason_on_record,
                    records=await asyncio.to_thread(checked.new_records, prepared.request.private()),
                    expected=checked.expected,
                    stored=True,
                    act=received,
                )
                await append(connection, new)
            else:
                await refuse_moved(connection, checked.expected)
                await append_submission_act(connection, received)
            shown = await show_kept(connection, received.subject, principal)
    return shown


async def _submit_policy(
    desk: Desk, principal: Principal, request: SubmissionRequest, key: str | None, request_hash: bytes
) -> Submitted:
    document = read_change(request)
    with operational_faults():
        async with desk.engine.begin() as connection:
            await lock_log(connection)
            _require_submitter(await hold_authority(connection, principal, desk.clock), request)
            earlier = await _find_earlier(connection, principal, key, request_hash)
            if earlier is not None:
                return earlier
            policy = await check_change(connection, request, document)
            words = () if policy is None else (f"four_eyes: {policy.four_eyes}, scope_wider: {policy.scope_wider}",)
            receipt = Receipt(
                unchanged=(f"policy of {request.authority}",) if policy is None else (), effect={"changes": words}
            )
            if request.dry_run:
                return Submitted(public=_public_dry(principal, request, receipt, None, desk.clock()))
            received = await _insert(
                desk,
                connection,
                principal,
                request,
                key=key,
                request_hash=request_hash,
                receipt=receipt,
                counterpart=None,
                four_eyes=policy is not None,
                state="submitted" if policy is not None else "approved",
                versions_read={},
            )
            await append_submission_act(connection, received)
            shown = await show_kept(connection, received.subject, principal)
    return shown


async def _insert(
    desk: Desk,
    connection: AsyncConnection,
    principal: Principal,
    request: SubmissionRequest,
    *,
    key: str | None,
    request_hash: bytes,
    receipt: Receipt,
    **more: Any,
) -> NewAct:
    """Keep a submission's row and its private part, and return the act of it; what else it holds is given by name."""
    submission_id = str(UUID(bytes=desk.random(16), version=4))
    private = request.private()
    salt = make_salt()
    hidden = None if private is None else private_hash(salt, private.content())
    content = await asyncio.to_thread(spell_content, request, more["counterpart"], hidden)
    new = NewStored(
        id=submission_id,
        kind=request.kind,
        authority=request.authority,
        principal=principal.id,
        public_reason=request.reason_on_record,
        content=content,
        digest=sha256(content),
        receipt=msgspec.to_builtins(receipt),
        idempotency_key=key,
        request_hash=request_hash,
        **more,
    )
    await insert_submission(connection, new)
    hidden_rows: tuple[RowImage, ...] = ()
    if private is not None:
        hidden_rows = (await keep_private(connection, submission_id, "request", salt, private.content()),)
    return act_of_submission(desk, principal, "submission_received", submission_id, hidden_rows)


def _show_dry(desk: Desk, principal: Principal, prepared: Prepared) -> Submitted:
    receipt = prepared.receipt
    counterpart = prepared.checked.counterpart
    return Submitted(public=_public_dry(principal, prepared.request, receipt, counterpart, desk.clock()))


def _public_dry(
    principal: Principal, request: SubmissionRequest, receipt: Receipt, counterpart: str | None, now: datetime
) -> SubmissionPublic:
    versions: tuple[VersionShown, ...] = receipt.versions
    return SubmissionPublic(
        id=None,
        kind=request.kind,
        state=None,
        authority=request.authority,
        counterpart=counterpart,
        principal=principal.id,
        public_reason=request.reason_on_record,
        although=request.although,
        created=now,
        versions=versions,
        unchanged=receipt.unchanged,
        warnings=receipt.warnings,
        effect=receipt.effect,
        records=request.records,
    )
