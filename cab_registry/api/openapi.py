"""The OpenAPI 3.1 document, made of the operations and of the Structs that the handlers use.

`python -m cab_registry.api.openapi` prints it; docs/openapi.json is a copy that a test compares.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from cab_registry import __version__
from cab_registry.api import problem_kinds
from cab_registry.api.operation import Operation
from cab_registry.api.operations import TAGS, list_operations
from cab_registry.api.problem_kinds import Kind
from cab_registry.api.problems import MEDIA_TYPE, Problem
from cab_registry.api.replies import JSON, AnyRequest, reply
from cab_registry.domain.answer import Answer
from cab_registry.domain.question import AskedQuestion
from cab_registry.register.schemas import make_schema
from cab_registry.services.flat import FlatField, list_fields

_REF: Final = "#/components/schemas/"
_ABOUT: Final = (
    "A register of conformity assessment bodies under mutual recognition agreements that answers: is this test report, "
    "certificate or inspection accepted in that market, on which legal basis, and if not, why not and what would be. "
    "Every error is a problem as in RFC 9457. HEAD works wherever GET does. Unknown, misspelt and repeated parameters "
    "are refused. Reading needs no account; what is written needs a token."
)
_PATH_PARAMETERS: Final = {
    "record_id": {"description": "Id of the record.", "schema": {"type": "string", "minLength": 1}},
    "name": {"description": "A record type, `question` or `answer`.", "schema": {"type": "string", "minLength": 1}},
    "token_id": {
        "description": "Id of the token, which is its middle part; `current` is the one of the request.",
        "schema": {"type": "string", "minLength": 1},
    },
    "principal_id": {"description": "Id of the principal.", "schema": {"type": "string", "minLength": 1}},
    "proposal_id": {"description": "Id of the proposed role.", "schema": {"type": "string", "minLength": 1}},
    "invitation_id": {"description": "Id of the invitation.", "schema": {"type": "string", "minLength": 1}},
    "submission_id": {"description": "Id of the submission.", "schema": {"type": "string", "minLength": 1}},
    "watch_id": {"description": "Id of the watch.", "schema": {"type": "string", "minLength": 1}},
    "endpoint_id": {"description": "Id of the endpoint.", "schema": {"type": "string", "minLength": 1}},
}
_SCHEMES: Final = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "cab_ID_SECRET, over https; over plain http from the machine of the service only.",
    }
}
_SECURITY: Final[dict[str, list[dict[str, list[str]]]]] = {"needed": [{"token": []}], "welcome": [{}, {"token": []}]}
_KEY_HEADER: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Names the request, so that its repetition gets the same answer and enters nothing twice. Needed "
    "unless `dry_run`.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
}
_EVERYWHERE: Final = (
    problem_kinds.HEADERS_TOO_SLOW,
    problem_kinds.TOO_MANY_REQUESTS,
    problem_kinds.TOO_MANY_CONNECTIONS,
    problem_kinds.HEADERS_TOO_LARGE,
    problem_kinds.INTERNAL,
    problem_kinds.SHED,
    problem_kinds.BUSY,
)
_TAG_HEADER: Final = {"ETag": {"description": "Names this content.", "schema": {"type": "string"}}}


@cache
def make_document() -> dict[str, Any]:
    """Return the OpenAPI document: made once, and read only."""
    schemas = _collect_schemas()
    paths: dict[str, dict[str, Any]] = {}
    for operation in list_operations():
        paths.setdefault(operation.path, {})[operation.method] = _describe(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "CAB Registry", "version": __version__, "description": _ABOUT},
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in TAGS],
        "paths": paths,
        "components": {"schemas": _used(schemas, paths), "securitySchemes": _SCHEMES},
    }


def _used(schemas: Mapping[str, Any], paths: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what only described parameters."""
    used: set[str] = set()
    fresh = set(_references(paths))
    while fresh:
        used |= fresh
        fresh = {name for found in fresh for name in _references(schemas[found])} - used
    return {name: schemas[name] for name in sorted(used)}


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(reference := value.get("$ref"), str):
            yield reference.removeprefix(_REF)
        for part in value.values():
            yield from _references(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _references(part)


def make_openapi_route(document: dict[str, Any]) -> HTTPRouteHandler:
    """Return the handler that gives the document."""

    @get("/openapi.json")
    async def get_openapi(request: AnyRequest) -> Response[bytes]:
        return reply(request, document)

    return get_openapi


def _collect_schemas() -> dict[str, Any]:
    operations = list_operations()
    structs: set[type[msgspec.Struct]] = {Problem}
    for operation in operations:
        structs |= {
            *operation.query,
            *(each for each in (operation.body, operation.gives, operation.otherwise) if each is not None),
        }
    ordered = sorted(structs - {AskedQuestion, Answer}, key=lambda struct: struct.__name__)
    _, schemas = msgspec.json.schema_components(ordered, ref_template=_REF + "{name}")
    for struct, name in ((AskedQuestion, "question"), (Answer, "answer")):
        schema = _rebase(make_schema(name))
        schemas |= schema.pop("$defs")
        schemas[struct.__name__] = {key: part for key, part in schema.items() if key not in ("$schema", "$id")}
    return {name: _tidy(schema) for name, schema in schemas.items()}


def _rebase(value: Any) -> Any:
    """Point references of a schema file into the document's components."""
    if isinstance(value, Mapping):
        return {
            key: part.replace("#/$defs/", _REF) if key == "$ref" and isinstance(part, str) else _rebase(part)
            for key, part in value.items()
        }
    return [_rebase(part) for part in value] if isinstance(value, list) else value


def _tidy(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "description": " ".join(schema["description"].split())} if "description" in schema else schema


def _describe(operation: Operation, schemas: Mapping[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description or f"{operation.summary}.",
        "parameters": list(_parameters(operation, schemas)),
        "responses": _responses(operation),
    }
    if operation.body is not None:
        examples = operation.examples or make_schema("question")["examples"]
        described["requestBody"] = {
            "required": operation.body_required,
            "content": {JSON: {"schema": {"$ref": _REF + operation.body.__name__}, "examples": _examples(examples)}},
        }
    if operation.account is not None:
        described["security"] = _SECURITY[operation.account]
    return described


def _examples(values: Iterable[Any]) -> dict[str, Any]:
    return {f"example-{at}": {"value": value} for at, value in enumerate(values, 1)}


def _parameters(operation: Operation, schemas: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for part in operation.path.split("/"):
        if part.startswith("{"):
            name = part.strip("{}")
            yield {"name": name, "in": "path", "required": True, **_PATH_PARAMETERS[name]}
    if operation.tagged:
        yield {
            "name": "If-None-Match",
            "in": "header",
            "required": False,
            "description": "Entity tag that the client has already; the same content is answered with 304.",
            "schema": {"type": "string"},
        }
    if operation.keyed:
        yield _KEY_HEADER
    for struct in operation.query:
        for field in list_fields(struct).values():
            yield _parameter(field, schemas, struct.__name__)


def _parameter(field: FlatField, schemas: Mapping[str, Any], root: str) -> dict[str, Any]:
    schema, required = _find_schema(schemas, root, field)
    described = {key: part for key, part in schema.items() if key not in ("description", "default")}
    if schema.get("default") is not None and not field.repeated:
        described["default"] = schema["default"]
    text = schema.get("description") or field.description
    parameter: dict[str, Any] = {"name": field.name, "in": "query", "required": required}
    if text:
        parameter["description"] = text
    parameter["schema"] = described
    return parameter | ({"style": "form", "explode": True} if field.repeated else {})


def _find_schema(schemas: Mapping[str, Any], root: str, field: FlatField) -> tuple[dict[str, Any], bool]:
    """Walk from a Struct's schema to the field of a flat name; required: it is, and all above it are."""
    schema: dict[str, Any] = schemas[root]
    required = True
    for step in field.path:
        if isinstance(step, int):
            schema = _resolve(schema["items"], schemas, "object")
            required = False
        else:
            required = required and step in schema.get("required", ())
            schema = schema["properties"][step]
            last = step == field.path[-1]
            schema = _resolve(schema, schemas, None if last else "object")
    return schema, required


def _resolve(schema: dict[str, Any], schemas: Mapping[str, Any], wanted: str | None) -> dict[str, Any]:
    """Choose, among alternatives, the object or list that leads on, or the plain value."""
    outer: dict[str, Any] = {key: schema[key] for key in ("description", "default") if key in schema}
    if "$ref" in schema:
        inner = schemas[schema["$ref"].removeprefix(_REF)]
        return inner if wanted else {**inner, **outer}
    if "anyOf" not in schema:
        return schema
    branches = [branch for branch in schema["anyOf"] if branch.get("type") != "null"]
    objects = [branch for branch in branches if "$ref" in branch]
    plain = [branch for branch in branches if "$ref" not in branch]
    chosen = objects[0] if wanted and objects else plain[0]
    return _resolve({**chosen, **outer}, schemas, wanted)


def _responses(operation: Operation) -> dict[str, Any]:
    plain = {"type": "object" if operation.media_type == JSON else "string"}
    schema = {"$ref": _REF + operation.gives.__name__} if operation.gives else plain
    content: dict[str, Any] = {"schema": schema}
    if operation.gives is Answer:
        content["examples"] = _examples(make_schema("answer")["examples"])
    done: dict[str, Any] = {"description": operation.summary, "content": {operation.media_type: content}}
    if operation.tagged or operation.body is AskedQuestion:
        done["headers"] = _TAG_HEADER
    responses: dict[str, Any] = {str(status): done for status in operation.statuses}
    if operation.otherwise is not None:
        either = {"schema": {"anyOf": [schema, {"$ref": _REF + operation.otherwise.__name__}]}}
        responses[str(operation.statuses[0])] = {**done, "content": {operation.media_type: either}}
    if operation.tagged:
        responses["304"] = {"description": "The client has the content already.", "headers": _TAG_HEADER}
    by_status: dict[int, list[Kind]] = {}
    for kind in (*operation.kinds, *_EVERYWHERE, *_of_writing(operation)):
        by_status.setdefault(kind.status, []).append(kind)
    for status in sorted(by_status):
        responses[str(status)] = _problem_response(status, by_status[status])
    if operation.id == "ready":
        responses["503"] = {"description": "Not ready.", "content": {JSON: {"schema": schema}}}
    return responses


def _of_writing(operation: Operation) -> tuple[Kind, ...]:
    writes = operation.method != "get" and operation.body is not AskedQuestion
    return (problem_kinds.OUTCOME_UNKNOWN, problem_kinds.NOT_TRAILED) if writes else ()


def _problem_response(status: int, kinds: Iterable[Kind]) -> dict[str, Any]:
    listed = list(kinds)
    examples = {
        kind.slug: {
            "summary": kind.title,
            "value": {
                "type": kind.type,
                "title": kind.title,
                "status": kind.status,
                "detail": kind.advice,
                "faults": [],
            },
        }
        for kind in listed
    }
    response: dict[str, Any] = {
        "description": f"{HTTPStatus(status).phrase}: {'; '.join(kind.title for kind in listed)}.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": _REF + "Problem"}, "examples": examples}},
    }
    headers = {
        "Retry-After": ("Seconds to wait.", any(kind.retry_after is not None for kind in listed)),
        "WWW-Authenticate": ("How to be let in.", any(kind.challenge is not None for kind in listed)),
    }
    if any(given for _, given in headers.values()):
        response["headers"] = {
            name: {"description": text, "schema": {"type": "string"}}
            for name, (text, given) in headers.items()
            if given
        }
    return response


def render() -> str:
    """Return the document as the text of its file."""
    return json.dumps(make_document(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":  # pragma: no cover (a tool for a checkout, whose parts are tested)
    sys.stdout.write(render())
