"""An operation of the API as the reference describes it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from cab_registry.api.problem_kinds import Kind


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation: its address, what it takes, what it gives, and how it can fail.

    Attributes:
        path: with parameters in braces.
        id: operation id.
        query: Structs whose fields are the query parameters.
        body: the Struct of the JSON body.
        body_required: whether a request without a body is refused.
        gives: the Struct of the JSON answer; none for a plain object.
        tagged: it gives an entity tag and answers If-None-Match.
        account: whether it needs a token, or shows more with one.
        keyed: it takes an Idempotency-Key.
        statuses: of success.
        otherwise: the Struct of the JSON answer in another case, with the first of the statuses.
        examples: bodies that can be sent.
        kinds: problems beside those that every operation has.
    """

    method: str = "get"
    path: str
    id: str
    tag: str
    summary: str
    description: str = ""
    query: tuple[type[msgspec.Struct], ...] = ()
    body: type[msgspec.Struct] | None = None
    body_required: bool = True
    gives: type[msgspec.Struct] | None = None
    media_type: str = "application/json"
    tagged: bool = False
    account: Literal["needed", "welcome"] | None = None
    keyed: bool = False
    statuses: tuple[int, ...] = (200,)
    otherwise: type[msgspec.Struct] | None = None
    examples: tuple[Any, ...] = ()
    kinds: tuple[Kind, ...] = ()
