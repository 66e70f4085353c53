"""Deciding on a submission that waits: another person approves or rejects it, or its submitter withdraws it."""

from __future__ import annotations

from hmac import compare_digest

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.domain.errors import Fault, Refusal
from cab_registry.services.acting import act_of_submission, append_submission_act
from cab_registry.services.desk import Desk, Prepared, refuse_interference, settle
from cab_registry.services.policies import check_change, enter_policy, read_change
from cab_registry.services.refusals import AlreadyDecided, MissingRole, OtherContent, OwnSubmission, SubmitterGone
from cab_registry.services.requests import LONGEST_REASON, SubmissionRequest, read_content, roles_that_submit
from cab_registry.services.submitted import Submitted, may_see, no_such, show_kept
from cab_registry.services.tokens import Principal, hold_authority
from cab_registry.storage.acts.images import RowImage
from cab_registry.storage.canonical import canonical_bytes
from cab_registry.storage.engine import read_only
from cab_registry.storage.entries import NewSubmission, make_salt
from cab_registry.storage.errors import operational_faults
from cab_registry.storage.log import append, lock_log
from cab_registry.storage.principals import current_grants, find_principal
from cab_registry.storage.submissions import (
    StoredSubmission,
    SubmissionState,
    decide,
    find_submission,
    keep_private,
    keep_receipt,
    read_private,
)


async def approve(desk: Desk, principal: Principal, submission_id: str, digest: str) -> Submitted:
    """Approve a submission that was seen with this digest: it is checked anew, and entered.

    Approving again what one has approved tells that it is so.

    Raises:
        NoSuchSubmission: there is none that the principal may see.
        MissingRole: the principal is no approver where it waits, or not any more.
        TokenRefused: the token ended since its bearer was let in, or the principal was disabled.
        OwnSubmission: the principal handed it in.
        SubmitterGone: who handed it in is disabled or lost the role by now; it can be rejected.
        OtherContent: the digest is another.
        AlreadyDecided: it does not wait any more.
        StaleSubmission: its records moved since it was handed in; it goes on waiting, to be rejected or withdrawn.
        Refusal, NotOwner: something stands against it by now; likewise.
        OperationalFault: the database cannot serve now.
    """
    stored, request = await _read(desk, principal, submission_id)
    _require_other(principal, stored)
    if not compare_digest((stored.digest or b"").hex(), digest.strip().lower()):
        raise OtherContent("this is not the content that waits; look at it again", (Fault("/digest", "another"),))
    if _is_repeated(stored, principal, "approved"):
        return await _show_repeated(desk, principal, submission_id)
    if request.kind == "policy":
        return await _approve_policy(desk, principal, stored, request)
    return await settle(desk, request, lambda prepared: _approve_records(desk, principal, stored, prepared))


async def reject(desk: Desk, principal: Principal, submission_id: str, reason: str) -> Submitted:
    """Reject a submission that another handed in, with a reason for its authority.

    Raises:
        NoSuchSubmission, MissingRole, TokenRefused, OwnSubmission, AlreadyDecided: as approve.
        Refusal: there is no reason, or it is too long.
        OperationalFault: the database cannot serve now.
    """
    stored, _ = await _read(desk, principal, submission_id)
    _require_other(principal, stored)
    return await _end(desk, principal, stored, "rejected", reason)


async def withdraw(desk: Desk, principal: Principal, submission_id: str, reason: str) -> Submitted:
    """Withdraw a submission of one's own that waits, with a reason for its authority.

    Raises:
        NoSuchSubmission: there is none that the principal may see.
        MissingRole: another handed it in, or the principal holds no role there any more.
        TokenRefused: as approve.
        AlreadyDecided: it does not wait any more.
        Refusal: there is no reason, or it is too long.
        OperationalFault: the database cannot serve now.
    """
    stored, _ = await _read(desk, principal, submission_id)
    _require_own(principal, stored)
    return await _end(desk, principal, stored, "withdrawn", reason)


async def _read(desk: Desk, principal: Principal, submission_id: str) -> tuple[StoredSubmission, SubmissionRequest]:
    with operational_faults():
        async with read_only(desk.engine).connect() as connection:
            stored = await find_submission(connection, submission_id)
            if stored is None or stored.content is None or not may_see(stored, principal):
                raise no_such(submission_id)
            private = await read_private(connection, [submission_id])
    return stored, read_content(stored.content, private.get((submission_id, "request")))


def _require_other(principal: Principal, stored: StoredSubmission) -> None:
    principal.require("approver", "registrar", authority=stored.counterpart or stored.authority)
    if principal.id == stored.principal:
        raise OwnSubmission("nobody decides on their own submission; withdraw it instead")


async def _require_submitter(connection: AsyncConnection, stored: StoredSubmission) -> None:
    """Hold that who handed a submission in could hand it in now; nobody changes that until the transaction ends.

    Raises:
        SubmitterGone: it is not so.
    """
    account = await find_principal(connection, stored.principal)
    if account is None or account.disabled is not None:
        raise SubmitterGone(f"the account {stored.principal} that handed it in is shut out; reject it")
    held = await current_grants(connection, [stored.principal])
    able = roles_that_submit(stored.kind)
    if not any(each.authority == stored.authority and each.role in able for each in held):
        raise SubmitterGone(f"{stored.principal} handed it in and is no longer {able[0]} there; reject it")


def _require_own(principal: Principal, stored: StoredSubmission) -> None:
    own = stored.principal == principal.id and stored.authority == principal.authority
    if not (own and principal.roles):
        raise MissingRole(str(stored.authority), ["submitter of this submission"])


def _is_repeated(stored: StoredSubmission, principal: Principal, state: SubmissionState) -> bool:
    if stored.state == "submitted":
        return False
    if stored.state == state and stored.decided_by == principal.id:
        return True
    raise AlreadyDecided(stored.id, stored.state)


async def _approve_records(desk: Desk, principal: Principal, stored: StoredSubmission, prepared: Prepared) -> Submitted:
    checked = prepared.checked
    with operational_faults():
        async with desk.engine.begin() as connection:
            await lock_log(connection)
            await _lock(connection, stored.id)
            _require_other(await hold_authority(connection, principal, desk.clock), stored)
            await _require_submitter(connection, stored)
            await refuse_interference(connection, prepared)
            await keep_receipt(connection, stored.id, msgspec.to_builtins(prepared.receipt))
            if checked.planned:
                new = NewSubmission(
                    id=stored.id,
                    principal=stored.principal,
                    public_reason=stored.public_reason,
                    records=checked.new_records(prepared.request.private()),
                    expected=checked.expected,
                    stored=True,
                    decided_by=principal.id,
                    act=act_of_submission(desk, principal, "submission_decided", stored.id),
                )
                await append(connection, new)
            else:
                await decide(connection, stored.id, "approved", principal.id)
                decision = act_of_submission(desk, principal, "submission_decided", stored.id)
                await append_submission_act(connection, decision)
            shown = await show_kept(connection, stored.id, principal)
    return shown


async def _approve_policy(
    desk: Desk, principal: Principal, stored: StoredSubmission, request: SubmissionRequest
) -> Submitted:
    with operational_faults():
        async with desk.engine.begin() as connection:
            await lock_log(connection)
            await _lock(connection, stored.id)
            _require_other(await hold_authority(connection, principal, desk.clock), stored)
            await _require_submitter(connection, stored)
            policy = await check_change(connection, request, read_change(request))
            decided = await decide(connection, stored.id, "approved", principal.id)
            rows: tuple[RowImage, ...] = ()
            if policy is not None and decided is not None:
                rows = (await enter_policy(connection, policy, stored.id, decided),)
            decision = act_of_submission(desk, principal, "submission_decided", stored.id, rows)
            await append_submission_act(connection, decision)
            shown = await show_kept(connection, stored.id, principal)
    return shown


async def _end(
    desk: Desk, principal: Principal, stored: StoredSubmission, state: SubmissionState, reason: str
) -> Submitted:
    plain = reason.strip()
    if not plain or len(plain) > LONGEST_REASON:
        raise Refusal("this needs a reason", (Fault("/reason", f"1 to {LONGEST_REASON} characters"),))
    if _is_repeated(stored, principal, state):
        return await _show_repeated(desk, principal, stored.id)
    with operational_faults():
        async with desk.engine.begin() as connection:
            await _lock(connection, stored.id)
            held = await hold_authority(connection, principal, desk.clock)
            if state == "rejected":
                _require_other(held, stored)
            else:
                _require_own(held, stored)
            await decide(connection, stored.id, state, principal.id)
            content = canonical_bytes({"reason": plain})
            reasons = await keep_private(connection, stored.id, "decision", make_salt(), content)
            decision = act_of_submission(desk, principal, "submission_decided", stored.id, (reasons,))
            await append_submission_act(connection, decision)
            shown = await show_kept(connection, stored.id, principal)
    return shown


async def _lock(connection: AsyncConnection, submission_id: str) -> None:
    """Hold that a submission still waits, and that nobody else decides it before this transaction ends."""
    stored = await find_submission(connection, submission_id, for_decision=True)
    if stored is None:
        raise no_such(submission_id)
    if stored.state != "submitted":
        raise AlreadyDecided(stored.id, stored.state)


async def _show_repeated(desk: Desk, principal: Principal, submission_id: str) -> Submitted:
    with operational_faults():
        async with read_only(desk.engine).connect() as connection:
            return msgspec.structs.replace(await show_kept(connection, submission_id, principal), repeated=True)
