"""The audit log: one line for each act, with ids and never with secrets, queries or bodies."""

from __future__ import annotations

import logging
from typing import Any, Final

import msgspec

from cab_registry.limits import Limits
from cab_registry.services.logs import make_logger

NAME: Final = "cab_registry.audit"


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what, from where, and what became of it.

    Attributes:
        operation: method and address with the names of its parts, or the command.
        status: of the HTTP answer; none for a command.
        outcome: `done`, or the kind of problem.
        reason: why a token was refused, or did not permit the act.
        request_id: as in the access log.
        client: IP address; none for a command.
        principal: id; of a command, `local:` and the user of the machine.
        token: id.
        authority: for which the token speaks.
        subject: id of what was acted upon.
    """

    operation: str
    outcome: str
    status: int | None = None
    reason: str | None = None
    request_id: str | None = None
    client: str | None = None
    principal: str | None = None
    token: str | None = None
    authority: str | None = None
    subject: str | None = None


class AuditLog:
    """Writes acts; where they go is configured for the process."""

    def __init__(self) -> None:
        self._log: Any = make_logger(NAME)

    def record(self, act: Act) -> None:
        """Write an act down."""
        self._log.info("act", **msgspec.structs.asdict(act))


def configure_audit(limits: Limits) -> None:
    """Send this process's audit log to its file, which several processes may share; without one, to standard error.

    Raises:
        OSError: the file cannot be written.
    """
    logger = logging.getLogger(NAME)
    logger.setLevel(logging.INFO)
    if limits.audit_log is None:
        return
    # Slow to import, and needed by processes that keep a file only.
    from concurrent_log_handler import ConcurrentRotatingFileHandler  # noqa: PLC0415

    with limits.audit_log.open("a"):
        limits.audit_log.chmod(0o600)
    handler = ConcurrentRotatingFileHandler(
        str(limits.audit_log), maxBytes=limits.audit_log_bytes, backupCount=limits.audit_log_files, chmod=0o600
    )
    handler.setFormatter(logging.Formatter("%(message)s"))
    for former in logger.handlers[:]:
        logger.removeHandler(former)
        former.close()
    logger.addHandler(handler)
    logger.propagate = False
