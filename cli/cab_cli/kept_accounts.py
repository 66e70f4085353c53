"""Whose token a profile keeps, so that nobody's is overwritten unasked."""

from typing import Any

from cab_cli.connecting import NotARegistry
from cab_cli.desk import Writer
from cab_cli.profiles import Profile, read_profile
from cab_registry.domain.errors import Fault, OperationalFault, Refusal

Me = dict[str, Any]


def refuse_overwriting(profile: str, new: Me | None, *, replace: bool) -> Profile | None:
    """Return the profile that a new token is going to replace, if that may be.

    A token that lets nobody in any more is replaced unasked, and so is one of the same account for the same authority.

    Args:
        profile: its name.
        new: whom the new token lets in; none where that is not known yet.
        replace: whether the user said that the kept token may go.

    Raises:
        Refusal: the profile keeps a token of another account, or one of which that cannot be learned.
    """
    kept = read_profile(profile)
    if kept is None or replace:
        return kept
    fault = Fault("--profile", "name another, or say --replace to overwrite this one")
    try:
        with Writer(kept.server, kept.token) as client:
            holder = client.get("/v1/me", {})
    except (NotARegistry, OperationalFault):
        raise Refusal(
            f"the profile {profile} keeps a token for {kept.server}, which cannot be asked", (fault,)
        ) from None
    except Refusal:
        return kept
    if new is not None and _identify(new) == _identify(holder):
        return kept
    other = "" if new is None else f", and the new one is of {_name(new)}"
    raise Refusal(f"the profile {profile} keeps a token of {_name(holder)}{other}", (fault,))


def _identify(me: Me) -> tuple[str, str]:
    return me["principal"]["id"], me["token"]["authority"]


def _name(me: Me) -> str:
    principal = me["principal"]
    return f"{principal['name'] or 'an account without a name'} ({principal['id']}) for {me['token']['authority']}"
