"""Replies: JSON from Structs, entity tags, and parameters read strictly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Generic, TypeVar

import msgspec
from litestar import Request, Response
from msgspec import inspect

from cab_registry.api.problems import WrongContentType
from cab_registry.domain.day_forms import say_day
from cab_registry.domain.errors import Fault
from cab_registry.domain.records.common import write_custom
from cab_registry.services.flat import build_document, list_fields, read_pairs
from cab_registry.services.views import WrongParameters

JSON: Final = "application/json"
AnyRequest = Request[Any, Any, Any]
Query = TypeVar("Query", bound=msgspec.Struct)


class NoParameters(msgspec.Struct, frozen=True):
    """An address that takes no parameters."""


class QueryReader(Generic[Query]):
    """Reads query parameters into a Struct whose fields all have defaults; lists every fault."""

    def __init__(self, kind: type[Query]) -> None:
        self._kind = kind
        self._attributes = {field.encode_name: field.name for field in msgspec.structs.fields(kind)}
        self.fields = list_fields(kind)

    def read(self, request: AnyRequest) -> Query:
        """Read a request's query string.

        Raises:
            Unreadable: it is no UTF-8.
            WrongParameters: a parameter is unknown, repeated or impossible; every fault is listed.
        """
        return self.read_pairs(read_pairs(request.scope["query_string"]))

    def read_pairs(self, pairs: Iterable[tuple[str, str]]) -> Query:
        """Read pairs of name and value.

        Raises:
            WrongParameters: a parameter is unknown, repeated or impossible; every fault is listed.
        """
        document, faults = build_document(pairs, self.fields)
        values: dict[str, Any] = {}
        for name, value in document.items():
            if "\0" in (value if isinstance(value, str) else "".join(value)):
                faults.append(Fault(f"/{name}", "holds a character that no text of the register has"))
                continue
            try:
                values[self._attributes[name]] = self._convert(name, value)
            except msgspec.ValidationError as error:
                faults.append(Fault(f"/{name}", self._explain(name, value, str(error).partition(" - at `")[0])))
        if faults:
            raise WrongParameters(faults)
        return self._kind(**values)

    def _convert(self, name: str, value: Any) -> Any:
        attribute = self._attributes[name]
        try:
            return getattr(msgspec.convert({name: value}, self._kind), attribute)
        except msgspec.ValidationError:
            read = getattr(msgspec.convert({name: value}, self._kind, strict=False), attribute)
            if read is None:  # "null" is no way to leave a parameter out
                raise
            return read

    def _explain(self, name: str, value: Any, message: str) -> str:
        field = self.fields[name]
        kind = field.kind
        if isinstance(kind, inspect.LiteralType):
            return f"is none of {', '.join(map(str, kind.values))}"
        if isinstance(kind, inspect.DateType):
            return say_day(value)
        if isinstance(kind, inspect.StrType) and kind.pattern is not None:
            return f"{value!r} has not the right form: {field.description}"
        if isinstance(kind, inspect.BoolType):
            return f"{value!r} is neither true nor false"
        return message


def reply(
    request: AnyRequest, content: object, *, tag: str | None = None, headers: Mapping[str, str] | None = None
) -> Response[bytes]:
    """Reply with JSON; where the client has the same already, say so and send nothing."""
    given = {"Cache-Control": "no-cache", **(headers or {})}
    if tag is not None:
        given["ETag"] = f'"{tag}"'
        if has_already(request, tag):
            return Response(b"", status_code=304, media_type=JSON, headers=given)
    return Response(
        msgspec.json.encode(content, enc_hook=write_custom), status_code=200, media_type=JSON, headers=given
    )


def encode(content: object) -> msgspec.Raw:
    """Spell JSON, in a thread where it is much; what comes of it is replied as it is."""
    return msgspec.Raw(msgspec.json.encode(content, enc_hook=write_custom))


def reply_privately(content: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """Reply with JSON that is for who asked, and is kept nowhere on the way."""
    given = {"Cache-Control": "no-store", "Vary": "Authorization", **(headers or {})}
    return Response(
        msgspec.json.encode(content, enc_hook=write_custom), status_code=status, media_type=JSON, headers=given
    )


def has_already(request: AnyRequest, tag: str) -> bool:
    """Whether If-None-Match names the tag, compared weakly."""
    named = request.headers.get("if-none-match")
    if named is None:
        return False
    tags = [each.strip().removeprefix("W/").strip('"') for each in named.split(",")]
    return tag in tags or tags == ["*"]


def check_json(request: AnyRequest) -> None:
    """Refuse a body that is not sent as JSON.

    Raises:
        WrongContentType: the content type is another one, or none.
    """
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower()
    if kind.strip().lower() != JSON or charset not in ("", "charset=utf-8", 'charset="utf-8"'):
        raise WrongContentType("the body must be sent as application/json in UTF-8")
