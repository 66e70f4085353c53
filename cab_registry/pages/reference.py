"""The API reference and the types of problems, as pages made of what the API says of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple, Protocol

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from cab_registry.pages.rendering import Site, loosen
from cab_registry.services.views import NoSuchRecord

_METHODS: Final = ("get", "post", "put", "delete", "patch")


class ProblemKind(Protocol):
    """What a page says of a type of problem."""

    @property
    def slug(self) -> str:
        """Last part of its address."""

    @property
    def status(self) -> int:
        """HTTP status."""

    @property
    def title(self) -> str:
        """What it is."""

    @property
    def advice(self) -> str:
        """What to do about it."""


class OperationShown(NamedTuple):
    """An operation as the reference shows it."""

    method: str
    path: str
    operation: Any
    body: str
    example: str


class TagShown(NamedTuple):
    """A group of operations."""

    name: str
    description: str
    operations: list[OperationShown]


def make_reference_routes(
    site: Site, document: Mapping[str, Any], kinds: Sequence[ProblemKind]
) -> list[HTTPRouteHandler]:
    """Return the handlers of the reference and of the types of problems."""

    # It is long, and never another one.
    @cache
    def make() -> Response[bytes]:
        shown = {"document": loosen(document), "tags": _list_tags(document)}
        return site.show("reference.html", shown, here="reference")

    @get("/reference")
    async def get_reference() -> Response[bytes]:
        made = make()
        return Response(made.content, media_type=made.media_type, headers=dict(made.headers))

    @get("/problems")
    async def get_problems() -> Response[bytes]:
        return site.show("problems.html", {"kinds": kinds, "title": "Types of problems"}, here="reference")

    @get("/problems/{slug:str}")
    async def get_problem(slug: FromPath[str]) -> Response[bytes]:
        found = [kind for kind in kinds if kind.slug == slug]
        if not found:
            raise NoSuchRecord("type of problem", slug)
        return site.show("problems.html", {"kinds": found, "title": found[0].title}, here="reference")

    return [get_reference, get_problems, get_problem]


def _list_tags(document: Mapping[str, Any]) -> list[TagShown]:
    shown = {tag["name"]: TagShown(tag["name"], tag["description"], []) for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if method in methods:
                operation = methods[method]
                shown[operation["tags"][0]].operations.append(_show(method, path, operation))
    return list(shown.values())


def _show(method: str, path: str, operation: Mapping[str, Any]) -> OperationShown:
    body, example = "", ""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        body = content["schema"]["$ref"].rpartition("/")[2]
        first = next(iter(content["examples"].values()))
        example = json.dumps(first["value"], indent=2, ensure_ascii=False)
    return OperationShown(method.upper(), path, loosen(operation), body, example)
