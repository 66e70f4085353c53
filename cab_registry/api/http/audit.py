"""Which requests act, and what the audit log says of them."""

from __future__ import annotations

import re
from typing import Any, Final

from cab_registry.services.runtime.audit_log import Act, AuditLog

_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_ASKING: Final = frozenset({"/v1/acceptance"})
_REFUSED: Final = frozenset({"token-refused", "plain-http"})
_SECRET: Final = frozenset({"mark"})
_TOKEN: Final = re.compile(r"cab_[0-9a-f]{16}_[^/]*", re.IGNORECASE)


class Auditor:
    """Writes down every write, every use of a token, and every token that was refused."""

    def __init__(self, log: AuditLog) -> None:
        self._log = log

    def see(self, scope: Any, status: int) -> None:
        """Look at a request that was answered, as the application left it."""
        state = scope["state"]
        template = scope.get("path_template")
        problem, principal = state.get("problem"), state.get("principal")
        writes = scope["method"] not in _READING and template is not None and template not in _ASKING
        if not (writes or principal is not None or problem in _REFUSED):
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
            )
        )


def hide_tokens(path: str) -> str:
    """Leave out what looks like a token, which some send as a part of the address."""
    return _TOKEN.sub("cab_...", path)


def _subject_of(scope: Any) -> str | None:
    location: str | None = scope["state"].get("location")
    if location is not None:
        return location.rpartition("/")[2]
    named = [str(value) for name, value in scope.get("path_params", {}).items() if name not in _SECRET]
    return hide_tokens("/".join(named))[:200] or None
