"""Which requests act, what the audit log says of them, and what of an address may stand in a log."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from cab_registry.api.http.refusals import NotTrailed
from cab_registry.services.runtime.audit_log import Act, AuditLog

_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_ASKING: Final = frozenset({"/v1/acceptance"})
_REFUSED: Final = frozenset({"token-refused", "plain-http"})
_SECRET: Final = frozenset({"mark"})
_PART: Final = re.compile(r"\{([^}:]*)[^}]*\}")
# Ids and names of files; whatever is longer without a hyphen, or has other signs, may be a secret.
_ID: Final = re.compile(r"[a-z0-9]{1,31}([._-][a-z0-9]{1,31})*", re.ASCII)
_CODE: Final = re.compile(r"[A-Z]{2,5}(-[A-Z]{2,3})?", re.ASCII)
_LONGEST: Final = 120
_LEFT_OUT: Final = "..."


class Auditor:
    """Writes down every write, every use of a token, and every token that was refused."""

    def __init__(self, log: AuditLog) -> None:
        self._log = log

    def see(self, scope: Any, status: int) -> None:
        """Look at a request that was answered, as the application left it."""
        state = scope["state"]
        template = scope.get("path_template")
        problem, principal = state.get("problem"), state.get("principal")
        if not (_writes(scope) or principal is not None or problem in _REFUSED):
            return
        address = state.get("client_address")
        self._log.record(
            Act(
                operation=f"{scope['method']} {template or '(no such address)'}",
                outcome=problem or "done",
                status=status,
                reason=state.get("reason"),
                request_id=state["request_id"],
                client=None if address is None else str(address),
                principal=None if principal is None else principal.id,
                token=state.get("token") if principal is None else principal.token,
                authority=None if principal is None else principal.authority,
                subject=_subject_of(scope),
                concerns=state.get("concerns"),
            )
        )


class Trailing(ASGIMiddleware):
    """Refuses what acts while the audit log cannot be written, so that nothing is done without a trace."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, log: AuditLog) -> None:
        self._log = log

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Pass a request on, unless it acts and could not be written down."""
        if _writes(scope) and not self._log.works():
            raise NotTrailed("the audit log cannot be written, so nothing is changed until it can")
        await next_app(scope, receive, send)


def note_subject(scope: Any, subject: str | None = None, **concerns: str) -> None:
    """Say for the audit log upon what a request acts, where its address does not; what may be a secret is left out.

    Args:
        scope: of the request.
        subject: id.
        concerns: ids and roles; several roles with a comma between them.
    """
    if subject is not None:
        scope["state"]["subject"] = show_segment(subject)
    said: Mapping[str, str] = scope["state"].get("concerns") or {}
    shown = {name: ",".join(map(show_segment, value.split(","))) for name, value in concerns.items()}
    scope["state"]["concerns"] = {**said, **shown}


def show_address(scope: Any) -> str:
    """Show where a request went: the address with ids of known form, and nothing that may be a secret."""
    template: str | None = scope.get("path_template")
    if template is None:
        return "/".join(show_segment(each) for each in scope["path"].split("/"))
    values = scope.get("path_params", {})

    def fill(part: re.Match[str]) -> str:
        name = part[1]
        return _LEFT_OUT if name in _SECRET or name not in values else _show_value(values[name])

    return _PART.sub(fill, template)


def show_segment(text: str) -> str:
    """Show a part of an address as it is where it has the form of an id or of an economy's code."""
    known = not text or _ID.fullmatch(text) or _CODE.fullmatch(text)
    return text if known and len(text) <= _LONGEST else _LEFT_OUT


def _show_value(value: object) -> str:
    return "/".join(show_segment(each) for each in str(value).split("/"))


def _writes(scope: Any) -> bool:
    template = scope.get("path_template")
    return scope["method"] not in _READING and template is not None and template not in _ASKING


def _subject_of(scope: Any) -> str | None:
    state = scope["state"]
    if (subject := state.get("subject")) is not None:
        return str(subject)
    location: str | None = state.get("location")
    if location is not None:
        return show_segment(location.rpartition("/")[2])
    named = [_show_value(value) for name, value in scope.get("path_params", {}).items() if name not in _SECRET]
    return "/".join(named)[:200] or None
