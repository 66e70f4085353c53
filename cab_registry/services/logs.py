"""Logging: one JSON object a line on standard error, through the standard library; silent until configured."""

from __future__ import annotations

import logging
import sys
from typing import Any, Final

import structlog

NAME: Final = "cab_registry"


def make_logger(name: str = NAME) -> Any:
    """Return a logger that takes an event and its values; what it writes goes where the process wants it."""
    return structlog.wrap_logger(
        logging.getLogger(name),
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def configure_logging(level: str) -> None:
    """Write this process's log to standard error; for the process that serves, called once.

    Servers write access logs of their own that hold query strings: start them without.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    root = logging.getLogger(NAME)
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    root.propagate = False
