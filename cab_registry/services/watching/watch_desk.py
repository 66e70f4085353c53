"""Where watches and endpoints are kept: what keeping them needs, and how much of it one owner may have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, get_args

import msgspec
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.domain.errors import Fault, Refusal
from cab_registry.services.delivery.addresses import Resolver, resolve
from cab_registry.services.delivery.sealing import NoSecretKeys, Sealer
from cab_registry.services.desk import Desk
from cab_registry.services.runtime.work import SURVEYS_WAITING, WorkRoom
from cab_registry.services.tokens import Principal, hold_authority
from cab_registry.services.watching.mail_limits import MailLimits
from cab_registry.services.watching.targets import MOST_ROWS
from cab_registry.settings import Network
from cab_registry.storage.principals import Role


class WatchLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much may be kept; an owner is a principal for an authority, or a mail address without an account."""

    watches: Annotated[int, Meta(description="Watches of an owner.")] = 200
    watched: Annotated[int, Meta(description="Questions and records watched by an owner, in all its watches.")] = 20_000
    rows: Annotated[int, Meta(description="Rows of one portfolio.")] = MOST_ROWS
    endpoints: Annotated[int, Meta(description="Endpoints of an owner.")] = 20
    mail_watches: Annotated[int, Meta(description="Watches of a mail address without an account.")] = 20
    mail_watched: Annotated[int, Meta(description="Questions and records watched by such an address.")] = 200
    mail_unconfirmed: Annotated[int, Meta(description="Watches of such an address that wait to be confirmed.")] = 3
    mail_confirmations: Annotated[int, Meta(description="Confirmations asked of a mail address within 24 hours.")] = 5
    confirm_within_hours: Annotated[int, Meta(description="Hours within which an address is confirmed.")] = 48
    steps: Annotated[int, Meta(description="Steps of work for one watch, for each row that it has.")] = 20
    least_steps: Annotated[int, Meta(description="Steps of work for one watch, however few rows it has.")] = 2_000
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


class TooMuchAsked(OverLimit):
    """The questions of one watch take more work than it may."""

    def __init__(self, row: int) -> None:
        Refusal.__init__(
            self,
            "these questions take too much work for one watch; watch fewer at once, name issuers by id, and say for "
            "which requirement",
            (Fault(f"/targets/{row}", "the work that one watch may take ended here"),),
        )


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
        vetting_seconds: what refusing the address of a webhook takes, whatever its host leads to.
        mail_limits: how often a client may ask for mail without an account; none where nobody is limited.
        room: where portfolios are asked for the first time.
    """

    desk: Desk
    sealer: Sealer | None = None
    sends_mail: bool = False
    resolver: Resolver = resolve
    networks: Sequence[Network] = ()
    limits: WatchLimits = field(default_factory=WatchLimits)
    vetting_seconds: float = 2.0
    mail_limits: MailLimits | None = None
    room: WorkRoom = field(default_factory=lambda: WorkRoom("watches", waiting=SURVEYS_WAITING))

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

    def may_be_ended_by(self, acting: Principal) -> bool:
        """Whether the caller may end it: the owner, and a registrar where it is an account's."""
        return self.is_of(acting) or ("registrar" in acting.roles and self.principal is not None)


def choose_owner(acting: Principal, principal: str | None, *, everyone: bool) -> tuple[str | None, str | None]:
    """Choose whose things are listed, for which authority: the caller's, everyone's there, or a principal's anywhere.

    Raises:
        MissingRole: of everyone, and the caller is no auditor; of another, and the caller is not a registrar.
    """
    if principal is not None and principal != acting.id:
        acting.require("registrar")
        return principal, None
    if everyone:
        acting.require("auditor")
    return None if everyone else acting.id, acting.authority


async def hold_keeper(watches: WatchDesk, connection: AsyncConnection, acting: Principal) -> Principal:
    """Hold, until the transaction ends, that a caller may keep something for an authority: in any role there.

    It is called before all other locks of the transaction.

    Raises:
        MissingRole: the caller holds no role at the authority any more, or none yet.
        TokenRefused: the token ended since its bearer was let in, or the principal was disabled.
    """
    held = await hold_authority(connection, acting, watches.desk.clock)
    held.require(*get_args(Role))
    return held
