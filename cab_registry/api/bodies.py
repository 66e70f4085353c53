"""Bodies of requests: JSON read into Structs, with everything that is wrong said at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

import msgspec
from jsonschema import Draft202012Validator
from litestar.exceptions.http_exceptions import RequestEntityTooLarge

from cab_registry.api.replies import AnyRequest, check_json
from cab_registry.domain.errors import Fault, Refusal
from cab_registry.register.schema_faults import list_wrong
from cab_registry.services.flat import Unreadable
from cab_registry.services.runtime.work import WorkRoom

Body = TypeVar("Body", bound=msgspec.Struct)
_SHORT: Final = 16_384
"""Bytes that are decoded in a moment."""

_DIGITS: Final = 19


class BodyReader(Generic[Body]):
    """Reads JSON bodies into a Struct; lists every fault."""

    def __init__(self, kind: type[Body], tidy: Callable[[Any], Any] | None = None) -> None:
        """Make a reader.

        Args:
            kind: the Struct.
            tidy: brings a document that the Struct refuses to the spelling that it takes.
        """
        self._kind = kind
        self._tidy = tidy
        self._decoder = msgspec.json.Decoder(kind)
        _, parts = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
        self._validator = Draft202012Validator({**parts[kind.__name__], "$defs": parts})

    async def read(self, request: AnyRequest, *, limit: int | None = None) -> Body:
        """Read the body of a request; none at all counts as an empty object.

        A long one, and what is wrong with one, is read in a thread.

        Args:
            request: the request.
            limit: the largest body in bytes, where it is less than that of the address.

        Raises:
            RequestEntityTooLarge: it is larger.
            Shed: too many others wait.
            WrongContentType: it is not sent as JSON.
            Unreadable: it is no JSON.
            Refusal: it has not the shape that the schema describes; every fault is listed.
        """
        raw = await request.body() if limit is None else await _read_within(request, limit)
        if raw:
            check_json(request)
        if len(raw) <= _SHORT:
            try:
                return self._decoder.decode(raw or b"{}")
            except (msgspec.MsgspecError, UnicodeError, RecursionError):
                pass
        readings: WorkRoom = request.app.state.rooms.readings
        return await readings.run(lambda: self._read(raw or b"{}"))

    def _read(self, raw: bytes) -> Body:
        try:
            return self._decode(raw)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise Unreadable(f"the body is no JSON: {error}") from None
        except RecursionError:
            raise Unreadable("the body is nested too deeply") from None

    def _decode(self, raw: bytes) -> Body:
        try:
            return self._decoder.decode(raw)
        except msgspec.ValidationError:
            document: Any = msgspec.json.decode(raw)
        if self._tidy is not None:
            document = self._tidy(document)
        try:
            return msgspec.convert(document, self._kind)
        except msgspec.ValidationError as error:
            if not isinstance(document, dict):
                faults = [Fault("", "the body is an object with keys")]
            else:
                faults = list_wrong(self._validator, document) or [Fault("", str(error))]
            raise Refusal("the body is not well formed", faults) from None


async def _read_within(request: AnyRequest, limit: int) -> bytes:
    """Read a body, no further than it may be long."""
    stated = request.headers.get("content-length", "")
    length, parts = int(stated) if stated.isascii() and stated.isdigit() and len(stated) < _DIGITS else 0, []
    if length <= limit:
        length = 0
        async for part in request.stream():
            parts.append(part)
            length += len(part)
            if length > limit:
                break
    if length > limit:
        raise RequestEntityTooLarge(detail=f"the body has more than {limit} bytes")
    return b"".join(parts)
