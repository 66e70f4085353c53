"""Endpoints of accounts: made, listed, tested, given another secret, enabled, sent to again, and ended."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.domain.errors import Defect, Fault, Refusal
from cab_registry.services.accounts.acts import Change, note_act
from cab_registry.services.delivery.addresses import check_mail_address, vet_alike
from cab_registry.services.delivery.endpoints import enable_endpoint as open_endpoint
from cab_registry.services.delivery.endpoints import end_endpoint as close_endpoint
from cab_registry.services.delivery.sealing import Unsealable, address_context, secret_context
from cab_registry.services.delivery.webhooks import join_secrets, make_secret, split_secrets
from cab_registry.services.tokens import Principal
from cab_registry.services.watching.confirming import DAY, make_confirmation, tell_confirmation
from cab_registry.services.watching.watch_desk import (
    NoSuchWatch,
    OverLimit,
    Owned,
    WatchDesk,
    choose_owner,
    hold_keeper,
)
from cab_registry.storage import deliveries
from cab_registry.storage import endpoint_keeping as rows
from cab_registry.storage.canonical import canonical_bytes
from cab_registry.storage.deliveries import Delivery
from cab_registry.storage.endpoint_keeping import NewEndpoint
from cab_registry.storage.endpoints import EndpointKind, EndpointState, StoredEndpoint, is_blocked, lock_endpoint
from cab_registry.storage.engine import read_only
from cab_registry.storage.errors import operational_faults
from cab_registry.storage.outbox import NewNotice, add_notices
from cab_registry.storage.watch_keeping import detach_watches, lock_owner
from cab_registry.storage.watches import lock_cursor

TEST: Final = "endpoint.test"


class EndpointRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An endpoint that is asked for."""

    kind: Annotated[EndpointKind, Meta(description="webhook: signed POST requests; mail: messages in plain text.")]
    address: Annotated[
        str, Meta(min_length=1, max_length=2048, description="Of a webhook its https address, else a mail address.")
    ]


class EndpointShown(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint; neither its whole address nor its secret is ever shown again."""

    id: str
    kind: EndpointKind
    hint: Annotated[str | None, Meta(description="So much of the address that its owner knows it; null: it ended.")]
    principal: Annotated[str | None, Meta(description="Whose it is.")]
    authority: Annotated[str | None, Meta(description="For which authority it is kept.")]
    state: Annotated[
        EndpointState,
        Meta(description="unconfirmed: its address was not confirmed yet; disabled: notices for it are held."),
    ]
    reason: Annotated[str, Meta(description="Why it is disabled.")]
    created: datetime
    changed: Annotated[datetime, Meta(description="When its state changed last.")]
    failing_since: Annotated[datetime | None, Meta(description="Since when no delivery succeeds, if the last failed.")]


class EndpointIssued(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint, and what signs the notices to a webhook."""

    endpoint: EndpointShown
    secret: Annotated[str | None, Meta(description="Of a webhook; it is shown this once.")]


class Sent(msgspec.Struct, frozen=True):
    """How many notices are sent, or will be once the endpoint is enabled."""

    notices: int


async def create_endpoint(watches: WatchDesk, acting: Principal, request: EndpointRequest) -> EndpointIssued:
    """Keep an endpoint for its owner; one that is a mail address is asked to confirm first.

    Whether a mail address refuses mail from here, or was asked too often today, is not told; nothing is sent then.

    Raises:
        NoSecretKeys: the operator set no key to seal addresses with.
        AddressRefused: nothing is sent there; of what its host leads to, nothing is told.
        OverLimit: there would be more than an owner may keep.
        MissingRole, TokenRefused: as hold_keeper.
        OperationalFault: the database cannot serve now.
    """
    sealer, now, endpoint_id = watches.sealing, watches.now, watches.make_id("e")
    address = await _check_address(watches, request)
    secret = make_secret(watches.desk.random) if request.kind == "webhook" else None
    token, digest = make_confirmation(watches.desk.random)
    mail = request.kind == "mail"
    new = NewEndpoint(
        id=endpoint_id,
        kind=request.kind,
        principal=acting.id,
        authority=acting.authority,
        address=sealer.seal(address.encode(), address_context(endpoint_id)),
        address_digest=sealer.address_digest(address),
        secret=None if secret is None else sealer.seal(join_secrets([secret]), secret_context(endpoint_id)),
        state="unconfirmed" if mail else "active",
        created=now,
        confirmation_digest=digest if mail else None,
    )
    with operational_faults():
        async with watches.desk.engine.begin() as connection:
            await hold_keeper(watches, connection, acting)
            await lock_owner(connection, f"{acting.id} {acting.authority}")
            if await rows.count_endpoints(connection, acting.id, acting.authority) >= watches.limits.endpoints:
                raise OverLimit("endpoints of one owner", watches.limits.endpoints)
            may_ask = mail and await may_be_asked(watches, connection, sealer.address_digests(address))
            await rows.insert_endpoint(connection, new)
            if may_ask:
                asking = f"Somebody who works for {acting.authority} wants notices of this registry sent to you."
                await add_notices(connection, [tell_confirmation(watches, endpoint_id, token, digest, [asking])])
            shown = await _show(watches, connection, endpoint_id)
    return EndpointIssued(endpoint=shown, secret=secret)


async def may_be_asked(watches: WatchDesk, connection: AsyncConnection, address_digests: tuple[bytes, ...]) -> bool:
    """Whether a mail address may be asked to confirm: it wants mail, and was not asked too often within a day."""
    await lock_owner(connection, address_digests[0].hex())
    asked = await rows.count_confirmations(connection, address_digests, watches.now - DAY)
    return asked < watches.limits.mail_confirmations and not await is_blocked(connection, address_digests)


async def list_endpoints(
    watches: WatchDesk,
    acting: Principal,
    *,
    everyone: bool = False,
    ended: bool = False,
    principal: str | None = None,
) -> list[EndpointShown]:
    """List endpoints for the authority for which the caller's token speaks: the caller's own or, for auditors, all.

    Args:
        watches: the desk.
        acting: the caller.
        everyone: those of all its principals, for auditors; else the caller's own.
        ended: those that ended, too.
        principal: those of this one, for whatever authority, for registrars.

    Raises:
        MissingRole: of everyone, and the caller is no auditor; of another, and the caller is not a registrar.
        OperationalFault: the database cannot serve now, or what it holds cannot be opened.
    """
    owner, authority = choose_owner(acting, principal, everyone=everyone)
    with operational_faults():
        async with read_only(watches.desk.engine).connect() as connection:
            found = await rows.list_endpoints(connection, principal=owner, authority=authority, ended=ended)
    return [show_endpoint(watches, each) for each in found]


async def show_own_endpoint(watches: WatchDesk, acting: Principal, endpoint_id: str) -> EndpointShown:
    """Show an endpoint.

    Raises:
        NoSuchWatch: there is none that the caller may see.
        OperationalFault: the database cannot serve now, or what it holds cannot be opened.
    """
    with operational_faults():
        async with read_only(watches.desk.engine).connect() as connection:
            return show_endpoint(watches, await _find(connection, acting, endpoint_id))


async def rotate_secret(watches: WatchDesk, acting: Principal, endpoint_id: str) -> EndpointIssued:
    """Give a webhook another secret; until the next rotation notices are signed with the one before it, too.

    Raises:
        NoSuchWatch: the caller has no such endpoint.
        MissingRole, TokenRefused: as hold_keeper.
        Refusal: it is no webhook, or ended.
        OperationalFault: the database cannot serve now, or what it holds cannot be opened.
    """
    secret, place = make_secret(watches.desk.random), secret_context(endpoint_id)
    with operational_faults():
        async with watches.desk.engine.begin() as connection:
            await hold_keeper(watches, connection, acting)
            found = await _lock_own(connection, acting, endpoint_id)
            if found.secret is None:
                raise Refusal("there is no secret: it is no webhook, or it ended")
            before = split_secrets(watches.sealing.open(found.secret, place))
            await rows.set_secret(connection, endpoint_id, watches.sealing.seal(join_secrets([secret, *before]), place))
    return EndpointIssued(endpoint=show_endpoint(watches, found), secret=secret)


async def enable_own_endpoint(watches: WatchDesk, acting: Principal, endpoint_id: str) -> Sent:
    """Send to an endpoint again, and first what was held for it.

    Raises:
        NoSuchWatch: the caller has no such endpoint.
        MissingRole, TokenRefused: as hold_keeper.
        Refusal: its address was not confirmed, or it ended.
        OperationalFault: the database cannot serve now.
    """
    with operational_faults():
        async with watches.desk.engine.begin() as connection:
            await hold_keeper(watches, connection, acting)
            await _lock_open(connection, acting, endpoint_id)
            return Sent(await open_endpoint(connection, endpoint_id, watches.now) or 0)


async def end_own_endpoint(watches: WatchDesk, acting: Principal, endpoint_id: str) -> EndpointShown:
    """Send nothing more to an endpoint, and forget its address and secret; its watches go on, to be read.

    Raises:
        NoSuchWatch: the caller has no such endpoint; a registrar ends every account's.
        MissingRole, TokenRefused: as hold_keeper.
        OperationalFault: the database cannot serve now.
    """
    with operational_faults():
        async with watches.desk.engine.begin() as connection:
            held = await hold_keeper(watches, connection, acting)
            await lock_cursor(connection, share=True)
            found = await lock_endpoint(connection, endpoint_id)
            if found is None or not Owned(found.principal, found.authority).may_be_ended_by(held):
                raise NoSuchWatch(f"you have no endpoint {endpoint_id}")
            ended = await close_endpoint(connection, endpoint_id, watches.now)
            await detach_watches(connection, endpoint_id)
            if ended and found.principal is not None and found.principal != acting.id:
                change = Change("endpoint_ended", found.principal, {"endpoint": endpoint_id})
                await note_act(connection, acting, change, authority=found.authority)
            return await _show(watches, connection, endpoint_id)


async def send_test(watches: WatchDesk, acting: Principal, endpoint_id: str) -> Sent:
    """Send a notice to an endpoint that tells nothing but that it arrives.

    Raises:
        NoSuchWatch: the caller has no such endpoint.
        MissingRole, TokenRefused: as hold_keeper.
        Refusal: it is not active.
        OperationalFault: the database cannot serve now.
    """
    now = watches.now
    payload = {
        "type": TEST,
        "timestamp": now,
        "data": {
            "headline": "A test of this endpoint",
            "sentences": ["Notices of this registry arrive here."],
            "links": [],
            "endpoint": endpoint_id,
        },
    }
    notice = NewNotice(
        endpoint=endpoint_id,
        cause=f"{TEST} {watches.desk.random(8).hex()}",
        kind=TEST,
        created=now,
        payload=canonical_bytes(payload),
    )
    with operational_faults():
        async with watches.desk.engine.begin() as connection:
            await hold_keeper(watches, connection, acting)
            found = await _lock_open(connection, acting, endpoint_id)
            if found.state != "active":
                raise Refusal(f"the endpoint is {found.state}: enable it first")
            return Sent(await add_notices(connection, [notice]))


async def replay(watches: WatchDesk, acting: Principal, endpoint_id: str, *, after: int) -> Sent:
    """Send again what was delivered, or given up, after a position of the log, exclusive; notices keep their ids.

    Raises:
        NoSuchWatch: the caller has no such endpoint.
        MissingRole, TokenRefused: as hold_keeper.
        Refusal: its address was not confirmed, or it ended.
        OperationalFault: the database cannot serve now.
    """
    with operational_faults():
        async with watches.desk.engine.begin() as connection:
            await hold_keeper(watches, connection, acting)
            await _lock_open(connection, acting, endpoint_id)
            again = await deliveries.replay(connection, watches.now, endpoint_id=endpoint_id, after_position=after)
            return Sent(again)


async def list_deliveries(
    watches: WatchDesk,
    acting: Principal,
    endpoint_id: str,
    *,
    before: tuple[int, int] | None = None,
    limit: int = 100,
) -> list[Delivery]:
    """List attempts to deliver to an endpoint, of the newest notice first.

    Raises:
        NoSuchWatch: there is none that the caller may see.
        OperationalFault: the database cannot serve now.
    """
    with operational_faults():
        async with read_only(watches.desk.engine).connect() as connection:
            await _find(connection, acting, endpoint_id)
            return await deliveries.list_deliveries(connection, endpoint_id=endpoint_id, before=before, limit=limit)


def show_endpoint(watches: WatchDesk, found: StoredEndpoint) -> EndpointShown:
    """Show an endpoint, with so much of its address that its owner knows it."""
    return EndpointShown(
        id=found.id,
        kind=found.kind,
        hint=_hint(watches, found),
        principal=found.principal,
        authority=found.authority,
        state=found.state,
        reason=found.reason,
        created=found.created,
        changed=found.changed,
        failing_since=found.failing_since,
    )


def _hint(watches: WatchDesk, found: StoredEndpoint) -> str | None:
    """Return the host of a webhook, or the first letter and the domain of a mail address."""
    if found.address is None:
        return None
    try:
        address = watches.sealing.open(found.address, address_context(found.id)).decode()
    except Unsealable:
        return "(the key that sealed it is missing)"
    if found.kind == "webhook":
        parts = urlsplit(address)
        return f"{parts.scheme}://{parts.hostname}/..."
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}...@{domain}"


async def _check_address(watches: WatchDesk, request: EndpointRequest) -> str:
    if request.kind == "webhook":
        vetted = await vet_alike(request.address, watches.resolver, watches.networks, watches.vetting_seconds)
        return vetted.url
    if not watches.sends_mail:
        raise Refusal("this registry sends no mail", (Fault("/kind", "its operator has set no mail server"),))
    return check_mail_address(request.address)


async def _find(connection: AsyncConnection, acting: Principal, endpoint_id: str) -> StoredEndpoint:
    found = await rows.find_endpoint(connection, endpoint_id)
    if found is None or not Owned(found.principal, found.authority).may_be_read_by(acting):
        raise NoSuchWatch(f"you have no endpoint {endpoint_id}")
    return found


async def _lock_own(connection: AsyncConnection, acting: Principal, endpoint_id: str) -> StoredEndpoint:
    found = await lock_endpoint(connection, endpoint_id)
    if found is None or not Owned(found.principal, found.authority).is_of(acting):
        raise NoSuchWatch(f"you have no endpoint {endpoint_id}")
    return found


async def _lock_open(connection: AsyncConnection, acting: Principal, endpoint_id: str) -> StoredEndpoint:
    found = await _lock_own(connection, acting, endpoint_id)
    if found.state in ("unconfirmed", "ended"):
        why = "its address was not confirmed yet" if found.state == "unconfirmed" else "it ended"
        raise Refusal(f"nothing is sent to this endpoint: {why}")
    return found


async def _show(watches: WatchDesk, connection: AsyncConnection, endpoint_id: str) -> EndpointShown:
    found = await rows.find_endpoint(connection, endpoint_id)
    if found is None:
        raise Defect(f"the endpoint {endpoint_id} is gone")
    return show_endpoint(watches, found)
