"""Where watches and endpoints are kept: what keeping them needs, and how much of it one owner may have."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from cab_registry.domain.errors import Fault, Refusal
from cab_registry.services.delivery.addresses import Resolver, resolve
from cab_registry.services.delivery.sealing import NoSecretKeys, Sealer
from cab_registry.services.desk import Desk
from cab_registry.services.tokens import Principal
from cab_registry.services.watching.mail_limits import MailLimits
from cab_registry.settings import Network


class WatchLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much may be kept; an owner is a principal for an authority, or a mail address without an account."""

    watches: Annotated[int, Meta(description="Watches of an owner.")] = 200
    watched: Annotated[int, Meta(description="Questions and records watched by an owner, in all its watches.")] = 20_000
    rows: Annotated[int, Meta(description="Rows of one portfolio.")] = 5_000
    endpoints: Annotated[int, Meta(description="Endpoints of an owner.")] = 20
    mail_watches: Annotated[int, Meta(description="Watches of a mail address without an account.")] = 20
    mail_watched: Annotated[int, Meta(description="Questions and records watched by such an address.")] = 200
    mail_unconfirmed: Annotated[int, Meta(description="Watches of such an address that wait to be confirmed.")] = 3
    mail_confirmations: Annotated[int, Meta(description="Confirmations asked of a mail address within 24 hours.")] = 5
    confirm_within_hours: Annotated[int, Meta(description="Hours within which an address is confirmed.")] = 48
    waiting: Annotated[
        int,
        Meta(description="Addresses that wait to be confirmed, in all; the oldest gives way."),
    ] = 5_000


class NoSuchWatch(Refusal):
    """There is no such watch or endpoint, or it is another's."""


class NoSuchLink(Refusal):
    """The link is not one that this registry gave out, was used before, or is too old."""


class OverLimit(Refusal):
    """That is more than one owner may keep."""

    def __init__(self, what: str, most: int, *, kept: int | None = None, pointer: str = "") -> None:
        more = "" if kept is None else f"; {kept} are kept now"
        super().__init__(f"there may be {most} {what} at most{more}", (Fault(pointer, f"{most} {what} at most"),))


@dataclass(frozen=True, slots=True)
class WatchDesk:
    """What keeping watches and endpoints needs.

    Attributes:
        desk: database, register, clock and chance.
        sealer: seals addresses and secrets; none where the operator set no key.
        sends_mail: whether a mail server is set.
        resolver: finds the IP addresses of a host.
        networks: that are not public and may be sent to all the same.
        limits: how much one owner may keep.
        mail_limits: how often a client may ask for mail without an account; none where nobody is limited.
        gate: lets so many portfolios of this process be asked at once.
    """

    desk: Desk
    sealer: Sealer | None = None
    sends_mail: bool = False
    resolver: Resolver = resolve
    networks: Sequence[Network] = ()
    limits: WatchLimits = field(default_factory=WatchLimits)
    mail_limits: MailLimits | None = None
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    @property
    def now(self) -> datetime:
        """The instant that it is."""
        return self.desk.clock()

    @property
    def sealing(self) -> Sealer:
        """What seals addresses and secrets.

        Raises:
            NoSecretKeys: the operator set no key.
        """
        if self.sealer is None:
            raise NoSecretKeys
        return self.sealer

    def make_id(self, letter: str) -> str:
        """Make an opaque id that begins with a letter."""
        return f"{letter}-{self.desk.random(8).hex()}"


class Owned(msgspec.Struct, frozen=True):
    """Whose something is."""

    principal: str | None
    authority: str | None

    def is_of(self, acting: Principal) -> bool:
        """Whether it is the caller's, for the authority for which the token speaks."""
        return (self.principal, self.authority) == (acting.id, acting.authority)

    def may_be_read_by(self, acting: Principal) -> bool:
        """Whether the caller may see it: the owner, and an auditor of the authority for which it is kept."""
        audited = self.authority == acting.authority and "auditor" in acting.roles
        return self.is_of(acting) or audited
