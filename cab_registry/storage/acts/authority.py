"""Whether who acted could: the token, the account, the role and the other person, as they stood before the act."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from cab_registry.storage.acts.act import Act

Values = Mapping[str, Any]
Find = Callable[[str, tuple[Any, ...]], Values | None]
"""Gives the values of a row as the acts before left it, by table and key; none where there is no such row."""

_SUBMIT: Final = ("submitter", "registrar")
_ASK_POLICY: Final = ("submitter", "approver", "registrar")
_DECIDE: Final = ("approver", "registrar")


class Roles:
    """Who holds which role, as the acts left it."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], set[str]] = {}

    def take(self, key: tuple[Any, ...], values: Values | None) -> None:
        """Follow a row of role_grant."""
        principal, authority, role, _ = key
        held = self._open.setdefault((principal, authority), set())
        if values is None or values["ended"] is not None:
            held.discard(role)
        else:
            held.add(role)

    def held(self, principal: str, authority: str) -> set[str]:
        """Return the roles that a principal holds at an authority."""
        return self._open.get((principal, authority), set())


def judge_receiving(act: Act, row: Values, find: Find, roles: Roles) -> Iterator[str]:
    """Yield what is wrong with who handed a submission in."""
    if row["principal"] != act.actor or row["authority"] != act.authority:
        yield "the submission names another principal or authority than the act that received it"
    yield from judge_token(act, find, roles, _ASK_POLICY if row["kind"] == "policy" else _SUBMIT)


def judge_deciding(act: Act, before: Values, row: Values, find: Find, roles: Roles) -> Iterator[str]:
    """Yield what is wrong with who decided on a submission."""
    changed = [name for name in _HANDED_IN if before[name] != row[name]]
    if changed:
        yield f"the decision changed what was handed in: {', '.join(changed)}"
    if row["decided_by"] != act.actor:
        yield "the submission names another who decided than the act of it"
    if row["state"] == "withdrawn":
        if row["principal"] != act.actor:
            yield "another than who handed it in withdrew it"
        yield from judge_token(act, find, roles, ())
        return
    if row["principal"] == act.actor:
        yield "who handed it in decided on it"
    if act.authority != (row["counterpart"] or row["authority"]):
        yield "another authority decided on it than the one at which it waited"
    yield from judge_token(act, find, roles, _DECIDE)


def judge_token(act: Act, find: Find, roles: Roles, wanted: tuple[str, ...]) -> Iterator[str]:
    """Yield what is wrong with the token of an act; with no role wanted, only whether it let the actor in."""
    token = None if act.token is None else find("token", (act.token,))
    if token is None or token["principal"] != act.actor:
        yield "no token that was issued to its actor let them in"
        return
    at = datetime.fromisoformat(act.details().get("at", ""))
    if token["revoked"] is not None or datetime.fromisoformat(token["expires"]) <= at:
        yield "the token of its actor was at an end"
    account = find("principal", (act.actor,))
    if account is None or account["disabled"] is not None:
        yield "the account of its actor was disabled"
    if token["authority"] != act.authority:
        yield "the token of its actor speaks for another authority"
    held = roles.held(act.actor, token["authority"]).intersection(token["roles"])
    if wanted and held.isdisjoint(wanted):
        yield f"its actor did not hold the role of {' or '.join(wanted)}"


_HANDED_IN: Final = (
    "received",
    "principal",
    "public_reason",
    "request_hash",
    "kind",
    "authority",
    "counterpart",
    "four_eyes",
    "digest",
    "idempotency_key",
)
