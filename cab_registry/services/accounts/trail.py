"""The trail: the chain of acts, as registrars, auditors and those concerned read it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.register.ownership import REGISTRAR
from cab_registry.services.tokens import Clock, Principal
from cab_registry.storage.accounts.acts import list_acts
from cab_registry.storage.accounts.invitations import StoredInvitation, list_invitations
from cab_registry.storage.accounts.proposals import StoredProposal, list_proposals
from cab_registry.storage.acts.act import Act
from cab_registry.storage.engine import read_only
from cab_registry.storage.errors import operational_faults

NEWS_FOR: Final = timedelta(days=30)
MOST_NEWS: Final = 20


class ActShown(msgspec.Struct, frozen=True, kw_only=True):
    """Something that somebody did, as the chain of acts holds it."""

    position: Annotated[int, Meta(description="Its place in the chain.")]
    recorded: datetime
    kind: Annotated[str, Meta(description="What was done, such as role_granted.")]
    actor: Annotated[str, Meta(description="Who did it: a principal, operator, catalogue, or jobs.")]
    token: Annotated[str | None, Meta(description="The token that let the actor in.")]
    authority: Annotated[str | None, Meta(description="For which authority.")]
    subject: Annotated[str, Meta(description="To what it was done: a principal, a submission, a job.")]
    details: Annotated[dict[str, Any], Meta(description="Further ids and words.")]
    act_hash: Annotated[str, Meta(description="Hash of the act and of all acts before it, in hexadecimal.")]


class News(msgspec.Struct, frozen=True, kw_only=True):
    """What a principal is told of its account whenever it asks who it is."""

    invitations: Annotated[
        tuple[StoredInvitation, ...], Meta(description="Open invitations for it; it may approve or cancel each.")
    ]
    proposals: Annotated[tuple[StoredProposal, ...], Meta(description="Roles that are proposed for it.")]
    acts: Annotated[
        tuple[ActShown, ...],
        Meta(description=f"What happened to its account within {NEWS_FOR.days} days, the newest last."),
    ]


async def list_trail(
    engine: AsyncEngine,
    acting: Principal,
    *,
    principal: str | None = None,
    after: int = 0,
    newest: bool = False,
    limit: int = 100,
) -> tuple[ActShown, ...]:
    """List acts in order of position.

    Registrars, and auditors of the registry, read all; auditors of another authority those for it, and everybody those
    about and by themselves.

    Args:
        engine: the database.
        acting: the caller.
        principal: only those about and by this one; others' for registrars and auditors of the registry.
        after: only those behind this position.
        newest: the last ones instead of the first.
        limit: how many at most.

    Raises:
        MissingRole: another's, and the caller may not read all.
        StorageBusy: the database cannot serve now.
    """
    reads_all = acting.authority == REGISTRAR and bool(acting.roles & {"registrar", "auditor"})
    if principal not in {None, acting.id} and not reads_all:
        acting.require("registrar", "auditor", authority=REGISTRAR)
    about, authority = principal, None
    if principal is None and not reads_all:
        about = acting.id
        authority = acting.authority if "auditor" in acting.roles else None
    with operational_faults():
        async with read_only(engine).connect() as connection:
            found = await list_acts(
                connection, principal=about, authority=authority, after=after, newest=newest, limit=limit
            )
    return tuple(show_act(each) for each in found)


async def read_news(engine: AsyncEngine, acting: Principal, clock: Clock) -> News:
    """Read what a principal should know of its own account.

    Raises:
        StorageBusy: the database cannot serve now.
    """
    since = clock() - NEWS_FOR
    with operational_faults():
        async with read_only(engine).connect() as connection:
            invitations = await list_invitations(
                connection, principal=acting.id, ended=False, after="", limit=MOST_NEWS
            )
            proposals = await list_proposals(connection, principal=acting.id, decided=False, after="", limit=MOST_NEWS)
            acts = await list_acts(connection, principal=acting.id, newest=True, limit=MOST_NEWS)
    recent = (each for each in acts if each.subject == acting.id and each.recorded >= since)
    return News(
        invitations=tuple(invitations), proposals=tuple(proposals), acts=tuple(show_act(each) for each in recent)
    )


def show_act(found: Act) -> ActShown:
    """Show an act, its rows left out."""
    return ActShown(
        position=found.position,
        recorded=found.recorded,
        kind=found.kind,
        actor=found.actor,
        token=found.token,
        authority=found.authority,
        subject=found.subject,
        details=found.details(),
        act_hash=found.act_hash.hex(),
    )
