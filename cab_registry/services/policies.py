"""How an authority wants its submissions handled; a change of that is a submission that another person approves."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cab_registry.domain.errors import Fault, Refusal
from cab_registry.services.refusals import Difference, NotOwner, StaleSubmission, VersionSeen
from cab_registry.services.requests import PolicyDocument, SubmissionRequest
from cab_registry.storage.acts.images import RowImage, read_image
from cab_registry.storage.engine import read_only
from cab_registry.storage.errors import Moved, StaleVersion, operational_faults
from cab_registry.storage.policies import StoredPolicy, current_policy, insert_policy
from cab_registry.storage.submissions import find_submission


async def read_policy(engine: AsyncEngine, authority: str) -> StoredPolicy:
    """Read the policy of an authority as it stands; the default where it never stated one.

    Raises:
        StorageBusy: the database cannot serve now.
    """
    with operational_faults():
        async with read_only(engine).connect() as connection:
            return await current_policy(connection, authority)


def read_change(request: SubmissionRequest) -> PolicyDocument:
    """Read the policy that a submission of kind `policy` asks for.

    Raises:
        Refusal: it holds no policy, or more than one; the fault is named.
        NotOwner: it is another authority's.
    """
    faults = []
    if len(request.records) != 1:
        faults.append(Fault("/records", "a change of policy holds one document"))
    elif request.records[0].change not in {None, "new", "amend"}:
        faults.append(Fault("/records/0/change", "a policy is new or amended"))
    if not request.public_reason:
        faults.append(Fault("/public_reason", "a change of policy needs a public reason"))
    if faults:
        raise Refusal("the change of policy is not well formed", tuple(faults))
    try:
        document = msgspec.convert(request.records[0].document, PolicyDocument)
    except msgspec.ValidationError as error:
        raise Refusal("the change of policy is not well formed", (Fault("/records/0/document", str(error)),)) from None
    if document.authority != request.authority:
        fault = Fault("/records/0/document/authority", f"this is the policy of {document.authority}")
        raise NotOwner([document.authority], [fault])
    return document


async def check_change(
    connection: AsyncConnection, request: SubmissionRequest, document: PolicyDocument
) -> StoredPolicy | None:
    """Return the next version of a policy, or none where it is as asked for already.

    Raises:
        StaleSubmission: the policy is not at the version that the submitter saw.
    """
    current = await current_policy(connection, request.authority)
    if (current.four_eyes, current.scope_wider) == (document.four_eyes, document.scope_wider):
        return None
    expected = request.records[0].expected_version
    if current.version != expected:
        name = f"policy of {request.authority}"
        difference = Difference(
            id=name, expected=expected, found=current.version, before=None, since=await _seen(connection, current)
        )
        raise StaleSubmission(StaleVersion([Moved(name, expected, current.version)]), [difference])
    return StoredPolicy(
        authority=request.authority,
        version=current.version + 1,
        four_eyes=document.four_eyes,
        scope_wider=document.scope_wider,
    )


async def enter_policy(
    connection: AsyncConnection, policy: StoredPolicy, submission_id: str, since: datetime
) -> RowImage:
    """Let the next version of a policy count, in the transaction that approves it; its act states what is returned."""
    await insert_policy(connection, msgspec.structs.replace(policy, since=since, submission=submission_id))
    return await read_image(connection, "authority_policy", authority=policy.authority, version=policy.version)


async def _seen(connection: AsyncConnection, policy: StoredPolicy) -> tuple[VersionSeen, ...]:
    entered = await find_submission(connection, policy.submission or "")
    if entered is None:
        return ()
    document = {"authority": policy.authority, "four_eyes": policy.four_eyes, "scope_wider": policy.scope_wider}
    seen = VersionSeen(
        version=policy.version,
        change="new" if policy.version == 1 else "amend",
        recorded=policy.since,
        principal=entered.principal,
        public_reason=entered.public_reason,
        document=document,
    )
    return (seen,)
