"""The audit log: one line for each act, with ids and never with secrets, queries or bodies."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from cab_registry.limits import Limits
from cab_registry.services.logs import make_logger
from cab_registry.settings import SettingsError

if TYPE_CHECKING:
    from cab_registry.services.runtime.audit_file import AuditFile

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
        concerns: whom and what it concerns besides: ids of a principal, an authority, a token, and roles.
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
    concerns: Mapping[str, str] | None = None


class AuditLog:
    """Writes acts; where they go is configured for the process."""

    def __init__(self) -> None:
        self._log: Any = make_logger(NAME)

    def record(self, act: Act) -> None:
        """Write an act down."""
        self._log.info("act", **msgspec.structs.asdict(act))

    @property
    def fault(self) -> str | None:
        """Why the last act could not be written down; none where it was, and where no file was asked for."""
        return None if (file := _file()) is None else file.fault

    @property
    def unwritten(self) -> int:
        """How many acts of this process are not in the file."""
        return 0 if (file := _file()) is None else file.unwritten

    def works(self) -> bool:
        """Whether an act that is done now will be written down, as far as can be known."""
        return (file := _file()) is None or file.works()


def configure_audit(limits: Limits) -> None:
    """Send this process's audit log to its file, which several processes may share; without one, to standard error.

    Raises:
        SettingsError: the file cannot be written, or is not a plain file.
    """
    logger = logging.getLogger(NAME)
    logger.setLevel(logging.INFO)
    if limits.audit_log is None:
        return
    handler = _open(limits, limits.audit_log)
    handler.setFormatter(logging.Formatter("%(message)s"))
    for former in logger.handlers[:]:
        logger.removeHandler(former)
        former.close()
    logger.addHandler(handler)
    logger.propagate = False


def check_audit(limits: Limits) -> None:
    """Try the file of the audit log, before anything else is begun.

    Raises:
        SettingsError: it cannot be written, or is not a plain file.
    """
    if limits.audit_log is not None:
        _open(limits, limits.audit_log).close()


def _open(limits: Limits, path: Path) -> AuditFile:
    # Slow to import, and needed by processes that keep a file only.
    from cab_registry.services.runtime.audit_file import AuditFile  # noqa: PLC0415

    try:
        return AuditFile(path, most_bytes=limits.audit_log_bytes, files=limits.audit_log_files)
    except OSError as fault:
        reason = fault.strerror or str(fault)
        raise SettingsError((f"CAB_AUDIT_LOG: {path} cannot be written: {reason}.",)) from None


def _file() -> AuditFile | None:
    """Find the file of this process, without importing what writes it."""
    handlers = logging.getLogger(NAME).handlers
    return next((cast("AuditFile", each) for each in handlers if hasattr(each, "unwritten")), None)
