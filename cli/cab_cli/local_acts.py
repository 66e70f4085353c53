"""Acts at the machine itself, past the HTTP interface, for the audit log."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager

from cab_registry.settings import load_settings


@contextmanager
def recorded(operation: str, subject: str | None = None) -> Iterator[None]:
    """Write down that a command acted and how it ended, where the operator named an audit log.

    Args:
        operation: the command, such as `cab db upgrade`.
        subject: what it acted upon, where it names something.

    Raises:
        SettingsError: the file of the audit log cannot be written; nothing was done then.
    """
    settings = load_settings(os.environ)
    if settings.audit_log is None:
        yield
        return
    from cab_registry.services.runtime.audit_log import Act, AuditLog, configure_audit

    configure_audit(settings)
    outcome = "failed"
    try:
        yield
        outcome = "done"
    finally:
        act = Act(operation=operation, outcome=outcome, principal=f"local:{getpass.getuser()}", subject=subject)
        AuditLog().record(act)
