"""Watches of mail addresses without an account: asked for, confirmed by who reads the mail, and stopped.

Each such watch has an endpoint of its own, so that nobody can add to what another confirmed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.domain.errors import Fault, Refusal
from cab_registry.register.compiled import Register
from cab_registry.services.delivery.addresses import AddressRefused, check_mail_address
from cab_registry.services.delivery.endpoint_keeping import may_be_asked
from cab_registry.services.delivery.endpoints import enable_endpoint, end_endpoint
from cab_registry.services.delivery.mail import UNSUBSCRIBING
from cab_registry.services.delivery.sealing import address_context
from cab_registry.services.naming import name_in
from cab_registry.services.watching.confirming import digest_confirmation, make_confirmation, tell_confirmation
from cab_registry.services.watching.targets import Target
from cab_registry.services.watching.watch_desk import NoSuchLink, WatchDesk, WatchLimits
from cab_registry.services.watching.watch_targets import WatchRequest, ask_targets, name_rows
from cab_registry.services.watching.watches import settled
from cab_registry.storage import endpoint_keeping as rows
from cab_registry.storage.endpoint_keeping import NewEndpoint
from cab_registry.storage.endpoints import StoredEndpoint, block_mail, is_blocked
from cab_registry.storage.engine import read_only
from cab_registry.storage.errors import operational_faults
from cab_registry.storage.outbox import add_notices
from cab_registry.storage.watch_keeping import count_kinds, detach_watches, list_watches_of
from cab_registry.storage.watches import NewWatch, NewWatched, end_watch, insert_watch, lock_cursor

Stopping = Literal["this", "all", "never"]
"""What is stopped: the one endpoint, all mail to its address, or that and any mail that is asked for later."""

_GONE: Final = "the link is none of ours, was used before, or is too old"
_NAMED: Final = 5


class Subscription(msgspec.Struct, frozen=True):
    """What somebody confirms or stops, in words that no stranger wrote."""

    state: str
    watches: tuple[str, ...]


async def request_watch(watches: WatchDesk, request: WatchRequest, client: str | None = None) -> None:
    """Keep a watch until its mail address confirms it, and ask for that.

    What is not kept because of the address - it refuses mail, was asked too often, or has as many watches as it may -
    is not told: it would tell a stranger that the address is known here.

    Args:
        watches: the desk.
        request: what is to be watched, and the mail address.
        client: who asks, as far as clients are limited: an IPv4 address, or a /64 of IPv6.

    Raises:
        NoSecretKeys: the operator set no key to seal addresses with.
        OverLimit: more is watched than any such address may.
        Refusal: something cannot be watched; every fault is listed.
        TooManyRequests: the client asked for as many such watches as it may.
        OperationalFault: register or database cannot serve now.
    """
    request, sealer = name_rows(request), watches.sealing
    address, faults = _check_request(watches, request)
    if watches.mail_limits is not None and not faults:
        watches.mail_limits.spend(client, address)
    register = watches.desk.heads.current().register
    prepared = await ask_targets(watches, register, request, watches.limits.mail_watched, faults)
    with operational_faults():
        async with watches.desk.engine.connect() as connection:
            digests = sealer.address_digests(address)
            may_ask = await may_be_asked(watches, connection, digests)
            # What is not kept is written all the same, so that the time that it takes tells nothing.
            fits = await _fits(watches, connection, digests, len(prepared))
            async with settled(watches, connection, request, prepared) as settled_rows:
                await _make_room(watches, connection)
                await _keep(watches, connection, register, request, settled_rows, address)
            if may_ask and fits:
                await connection.commit()
            else:
                await connection.rollback()


async def look_up_confirmation(watches: WatchDesk, token: str) -> Subscription:
    """Say what a token confirms; nothing changes, since programs that scan mail open links.

    Raises:
        NoSuchLink: nothing, or not any more.
        OperationalFault: the database cannot serve now.
    """
    with operational_faults():
        async with read_only(watches.desk.engine).connect() as connection:
            return await _describe(connection, await _find_unconfirmed(watches, connection, token))


async def confirm(watches: WatchDesk, token: str) -> Subscription:
    """Confirm an address; what was held for it is sent.

    Raises:
        NoSuchLink: the token confirms nothing, or not any more.
        OperationalFault: the database cannot serve now.
    """
    with operational_faults():
        async with watches.desk.engine.begin() as connection:
            found = await _find_unconfirmed(watches, connection, token)
            if await is_blocked(connection, await _digests_of(watches, connection, found)):
                raise NoSuchLink(_GONE)
            await enable_endpoint(connection, found.id, watches.now)
            return await _describe(connection, msgspec.structs.replace(found, state="active"))


async def look_up_stopping(watches: WatchDesk, endpoint_id: str, mark: str) -> Subscription:
    """Say what the way out of a mail stops; nothing changes.

    Raises:
        NoSuchLink: the link is none of ours.
        OperationalFault: the database cannot serve now.
    """
    with operational_faults():
        async with read_only(watches.desk.engine).connect() as connection:
            return await _describe(connection, await _find_marked(watches, connection, endpoint_id, mark))


async def stop(watches: WatchDesk, endpoint_id: str, mark: str, what: Stopping) -> Subscription:
    """Send no more mail: to the one endpoint, to its address, or to its address whatever is asked for later.

    Watches without an account end; those of accounts go on, to be read. It may be repeated.

    Raises:
        NoSuchLink: the link is none of ours.
        OperationalFault: the database cannot serve now.
    """
    with operational_faults():
        async with watches.desk.engine.begin() as connection:
            found = await _find_marked(watches, connection, endpoint_id, mark)
            digests = await _digests_of(watches, connection, found)
            await lock_cursor(connection, share=True)
            ending = [endpoint_id] if what == "this" else await rows.list_mail_endpoints(connection, digests)
            if what == "never":
                for digest in digests:
                    await block_mail(connection, digest, watches.now)
            await _end(connection, ending, watches.now)
            return Subscription("ended", ())


async def end_unconfirmed(connection: AsyncConnection, now: datetime, limits: WatchLimits) -> int:
    """Forget the addresses that were not confirmed in time, with their watches; give back how many.

    Args:
        connection: in a transaction.
        now: what time it is.
        limits: within how many hours an address is confirmed.
    """
    await lock_cursor(connection, share=True)
    late = await rows.list_unconfirmed(connection, now - timedelta(hours=limits.confirm_within_hours))
    await _end(connection, late, now)
    return len(late)


def _check_request(watches: WatchDesk, request: WatchRequest) -> tuple[str, list[Fault]]:
    faults: list[Fault] = []
    address = ""
    if not watches.sends_mail:
        raise Refusal("this registry sends no mail", (Fault("/mail", "its operator has set no mail server"),))
    if request.endpoint is not None:
        faults.append(Fault("/endpoint", "endpoints are for accounts"))
    try:
        address = check_mail_address(request.mail or "")
    except AddressRefused as refusal:
        faults.append(Fault("/mail", refusal.reason))
    return address, faults


async def _fits(watches: WatchDesk, connection: AsyncConnection, address_digests: tuple[bytes, ...], more: int) -> bool:
    """Whether an address may have more, and be asked to confirm it."""
    limits, since = watches.limits, _since(watches)
    has = await rows.count_of_mail(connection, address_digests, since)
    return (
        has.watches < limits.mail_watches
        and has.watched + more <= limits.mail_watched
        and has.unconfirmed < limits.mail_unconfirmed
    )


async def _make_room(watches: WatchDesk, connection: AsyncConnection) -> None:
    """Let the addresses go that wait longest, where too many wait: whoever filled the room shuts nobody out."""
    since = _since(watches)
    over = await rows.count_waiting(connection, since) - watches.limits.waiting + 1
    if over > 0:
        await _end(connection, await rows.list_waiting_longest(connection, since, over), watches.now)


async def _keep(
    watches: WatchDesk,
    connection: AsyncConnection,
    register: Register,
    request: WatchRequest,
    prepared: list[NewWatched],
    address: str,
) -> None:
    endpoint_id, watch_id = watches.make_id("e"), watches.make_id("w")
    token, digest = make_confirmation(watches.desk.random)
    endpoint = NewEndpoint(
        id=endpoint_id,
        kind="mail",
        principal=None,
        authority=None,
        address=watches.sealing.seal(address.encode(), address_context(endpoint_id)),
        address_digest=watches.sealing.address_digest(address),
        secret=None,
        state="unconfirmed",
        created=watches.now,
        confirmation_digest=digest,
    )
    watch = NewWatch(
        id=watch_id,
        endpoint=endpoint_id,
        principal=None,
        authority=None,
        kind=request.kind,
        target=prepared[0].target if len(prepared) == 1 else {},
        name=request.name,
        created=watches.now,
    )
    await rows.insert_endpoint(connection, endpoint)
    await insert_watch(connection, watch, prepared)
    wanted = ", ".join(_name_targets(request.targets, register))
    sentence = f"Somebody gave this address to be told of changes of: {wanted}."
    await add_notices(connection, [tell_confirmation(watches, endpoint_id, token, digest, [sentence])])


def _name_targets(targets: Iterable[Target], register: Register) -> list[str]:
    """Say what is to be watched, in words of the register alone: a stranger may have written the rest."""
    name_of = name_in(register)
    listed = list(targets)
    named = [f"{name_of(each.id)} ({each.kind})" for each in listed if each.id is not None]
    kinds = Counter[str](each.kind for each in listed if each.question is not None)
    more = len(named) - _NAMED
    return [*named[:_NAMED], *([f"{more} more records"] if more > 0 else []), *_count_kinds(kinds)]


def _count_kinds(kinds: Mapping[str, int]) -> list[str]:
    return [f"{count} {_KINDS[kind][count > 1]}" for kind, count in kinds.items()]


_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "body": ("body", "bodies"),
    "scope": ("scope of a body", "scopes of bodies"),
    "agreement": ("agreement", "agreements"),
    "authority": ("authority", "authorities"),
    "question": ("question", "questions"),
    "standing": ("standing question", "standing questions"),
}


async def _describe(connection: AsyncConnection, endpoint: StoredEndpoint) -> Subscription:
    found = await list_watches_of(connection, endpoint.id)
    kinds = await count_kinds(connection, [each.id for each in found])
    return Subscription(endpoint.state, tuple(_count_kinds(kinds)))


async def _find_unconfirmed(watches: WatchDesk, connection: AsyncConnection, token: str) -> StoredEndpoint:
    found = await rows.find_unconfirmed(connection, digest_confirmation(token), _since(watches))
    if found is None:
        raise NoSuchLink(_GONE)
    return found


async def _find_marked(watches: WatchDesk, connection: AsyncConnection, endpoint_id: str, mark: str) -> StoredEndpoint:
    if watches.sealer is None or not watches.sealer.is_marked(UNSUBSCRIBING, endpoint_id, mark):
        raise NoSuchLink(_GONE)
    found = await rows.find_endpoint(connection, endpoint_id)
    if found is None or found.kind != "mail":
        raise NoSuchLink(_GONE)
    return found


async def _digests_of(watches: WatchDesk, connection: AsyncConnection, endpoint: StoredEndpoint) -> tuple[bytes, ...]:
    """Return what finds an address that is kept: under every key while it is there, else as it was kept."""
    own = await rows.read_address_digest(connection, endpoint.id)
    if endpoint.address is None:
        return (own,)
    address = watches.sealing.open(endpoint.address, address_context(endpoint.id)).decode()
    return tuple(dict.fromkeys((*watches.sealing.address_digests(address), own)))


async def _end(connection: AsyncConnection, endpoints: Iterable[str], now: datetime) -> None:
    for endpoint_id in endpoints:
        await end_endpoint(connection, endpoint_id, now)
        for each in await list_watches_of(connection, endpoint_id):
            if each.principal is None:
                await end_watch(connection, each.id, now)
        await detach_watches(connection, endpoint_id)


def _since(watches: WatchDesk) -> datetime:
    return watches.now - timedelta(hours=watches.limits.confirm_within_hours)
