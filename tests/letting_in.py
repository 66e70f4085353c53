"""Letting people in, quickly: accounts with roles that two registrars agreed to, and tokens for them."""

from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.register.ownership import REGISTRAR
from cab_registry.services.accounts.invitations import invite, redeem
from cab_registry.services.accounts.roles import approve_role, propose_role
from cab_registry.services.accounts.tokens import LONGEST_LIFETIME
from cab_registry.services.principals import authenticate, init_registrar, make_principal
from cab_registry.services.tokens import Clock, Random
from cab_registry.storage.principals import Role


class Registrars(NamedTuple):
    """The tokens of the first two registrars."""

    first: str
    second: str


class LetIn(NamedTuple):
    """Somebody with an account: the id, and the text of the token."""

    principal: str
    token: str


async def open_registry(engine: AsyncEngine, clock: Clock, random: Random) -> Registrars:
    """Make two registrars: the first on the server, the second by the first, as long as that is alone."""
    first = await init_registrar(engine, "First Registrar", clock, random)
    second = await let_in(engine, Registrars(first, first), REGISTRAR, "registrar", clock=clock, random=random)
    return Registrars(first, second.token)


async def let_in(
    engine: AsyncEngine,
    registrars: Registrars,
    authority: str,
    *roles: Role,
    clock: Clock,
    random: Random,
    name: str = "Ana Example",
) -> LetIn:
    """Make a principal with roles at an authority, and a token for it that works for a year."""
    first, second = [await authenticate(engine, each, clock) for each in registrars]
    means: dict[str, Any] = {"clock": clock, "random": random}
    made = await make_principal(engine, first, name=name, kind="person", **means)
    asked = {"principal": made.id, "authority": authority}
    proposed = [await propose_role(engine, first, **asked, role=role, **means) for role in roles]
    invited = await invite(engine, first, **asked, roles=roles, **means)
    issued = await redeem(engine, invited.code, name="desk", lifetime=LONGEST_LIFETIME, **means)
    for each in proposed:
        if each.outcome is None:
            await approve_role(engine, second, proposal=each.id, clock=clock)
    return LetIn(made.id, issued.text)
