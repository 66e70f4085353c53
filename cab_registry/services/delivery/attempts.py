"""What came of one attempt to deliver a notice."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Outcome = Literal[
    "delivered",
    "gone",
    "redirected",
    "refused",
    "timeout",
    "unreachable",
    "forbidden_address",
    "certificate",
    "not_sent",
]


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one attempt.

    `not_sent` is the fault of this registry or of its mail server, for which no receiver is given up.
    """

    outcome: Annotated[Outcome, Meta(description="What came of it.")]
    words: Annotated[str, Meta(description="The same in words.")]
    status: Annotated[int | None, Meta(description="What the receiver answered: a status of HTTP or SMTP.")] = None
    retry_after: Annotated[timedelta | None, Meta(description="How long the receiver asked to be left alone.")] = None
