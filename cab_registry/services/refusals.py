"""Why a submission, or a decision on one, is refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from cab_registry.domain.errors import Fault, Refusal
from cab_registry.storage.errors import StaleVersion


class TokenRefused(Refusal):
    """The token does not let its bearer in; which of the reasons it is, only who knows the secret is told.

    Attributes:
        reason: `malformed`, `unknown`, `revoked`, `expired`, `disabled` or `retired`.
        token: its id, where it has the form of one.
    """

    def __init__(self, message: str, reason: str = "malformed", token: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.token = token


class KeyReused(Refusal):
    """An idempotency key came again with another request."""


class MissingRole(Refusal):
    """The principal does not hold the role, at the authority, that the step needs."""

    def __init__(self, authority: str, roles: Sequence[str], *, whose: str | None = None) -> None:
        lacking = "" if whose is None else f", which {whose} does not hold"
        super().__init__(f"this needs the role {' or '.join(roles)} at {authority}{lacking}")
        self.authority = authority
        self.roles = tuple(roles)


class OtherAuthority(Refusal):
    """The token speaks for one authority, and the request is another's."""

    def __init__(self, spoken: str, asked: str) -> None:
        super().__init__(f"this token speaks for {spoken}, not for {asked}")
        self.spoken = spoken
        self.asked = asked


class NotOwner(Refusal):
    """Records belong to others.

    Attributes:
        owners: whose they are, each named once.
    """

    def __init__(self, owners: Sequence[str], faults: Sequence[Fault]) -> None:
        self.owners = tuple(dict.fromkeys(owners))
        super().__init__(f"this belongs to {', '.join(self.owners)}", tuple(faults))


class OwnSubmission(Refusal):
    """Nobody decides on what they handed in themselves; it can be withdrawn."""


class SubmitterGone(Refusal):
    """Who handed the submission in may not any more, so it is not entered in their name; it can be rejected."""


class OtherContent(Refusal):
    """The digest that the approver saw is not the one of the submission."""


class AlreadyDecided(Refusal):
    """The submission does not wait any more.

    Attributes:
        state: where it stands.
    """

    def __init__(self, submission: str, state: str) -> None:
        super().__init__(f"the submission {submission} is {state} already")
        self.state = state


class NoSuchSubmission(Refusal):
    """There is no such submission, or none that the asker may see."""


class NoSuchPrincipal(Refusal):
    """There is no such principal."""


class NoSuchToken(Refusal):
    """There is no such token, or none that the asker may touch."""


class NoSuchProposal(Refusal):
    """There is no such proposed role."""


class NoSuchInvitation(Refusal):
    """There is no such invitation, or none that the asker may see."""


class InvitationRefused(Refusal):
    """The code does not let its bearer in; which of the reasons it is, only who knows the code is told.

    Attributes:
        reason: `unknown`, `redeemed`, `cancelled`, `expired`, `waits` or `overtaken`.
        invitation: its id, where the code has the form of one.
    """

    def __init__(self, message: str, reason: str, invitation: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.invitation = invitation


class OwnProposal(Refusal):
    """Nobody gives something to themselves, or agrees to what they proposed: another registrar does."""


class TooMany(Refusal):
    """More records than one submission may hold."""


class VersionSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a record, as who was overtaken by it wants to see it."""

    version: int
    change: Annotated[str | None, Meta(description="new, amend, correction or retire.")]
    recorded: Annotated[datetime | None, Meta(description="Null: before everything.")]
    principal: str
    public_reason: str
    document: dict[str, Any]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A record that moved since the submitter read it."""

    id: str
    expected: Annotated[int, Meta(description="The version that the submission rests on; 0: there was none.")]
    found: Annotated[int, Meta(description="The version that stands; 0: there is none.")]
    before: Annotated[dict[str, Any] | None, Meta(description="The document of the expected version.")]
    since: Annotated[tuple[VersionSeen, ...], Meta(description="The versions after it, the oldest first.")]


class StaleSubmission(StaleVersion):
    """Records moved since the submitter read them; `differences` says how."""

    def __init__(self, stale: StaleVersion, differences: Sequence[Difference]) -> None:
        super().__init__(stale.moved)
        self.differences = tuple(differences)
