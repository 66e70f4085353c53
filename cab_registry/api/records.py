"""The register over HTTP: agreements with their routes, bodies, authorities, requirements; and the schemas."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from cab_registry.api.replies import AnyRequest, NoParameters, QueryReader, encode, reply
from cab_registry.domain.records import Agreement, Authority, Requirement, Route
from cab_registry.register.schemas import make_schema, schema_names
from cab_registry.services.collecting import RecordSearch, find_any, list_any
from cab_registry.services.reading import (
    AgreementList,
    AuthorityList,
    BodySearch,
    BodyViewing,
    Kind,
    list_records,
    read_body,
    read_record,
    search_bodies,
)
from cab_registry.services.runtime.sharing import Shared
from cab_registry.services.runtime.work import WorkRoom
from cab_registry.services.views import NoSuchRecord, Paging, View, Viewing, Views

Found = TypeVar("Found")
LISTS: dict[str, tuple[Kind, type[Paging]]] = {
    "agreements": (Agreement, AgreementList),
    "authorities": (Authority, AuthorityList),
    "requirements": (Requirement, Paging),
}
SINGLES: dict[str, Kind] = {
    "agreements": Agreement,
    "authorities": Authority,
    "requirements": Requirement,
    "routes": Route,
}


def make_record_routes(views: Views) -> list[HTTPRouteHandler]:
    """Return the handlers that read the register."""
    lists = [_make_list(views, name, kind, parameters) for name, (kind, parameters) in LISTS.items()]
    singles = [_make_single(views, name, kind) for name, kind in SINGLES.items()]
    return [
        *lists,
        *singles,
        *_make_body_routes(views),
        *_make_any_routes(views),
        *_make_schema_routes(views.rooms.readings),
    ]


def _make_list(views: Views, name: str, kind: Kind, parameters: type[Paging]) -> HTTPRouteHandler:
    reader = QueryReader(parameters)

    @get(f"/v1/{name}")
    async def get_list(request: AnyRequest) -> Response[bytes]:
        paging = reader.read(request)
        view = await views.find(paging)
        found = await views.rooms.readings.run(lambda: encode(list_records(view, kind, paging)))
        return reply(request, found, tag=view.tag)

    return get_list


def _make_single(views: Views, name: str, kind: Kind) -> HTTPRouteHandler:
    reader = QueryReader(Viewing)

    @get(f"/v1/{name}/{{record_id:str}}")
    async def get_single(request: AnyRequest, record_id: FromPath[str]) -> Response[bytes]:
        view = await views.find(reader.read(request))
        found = await _look(views, view, record_id, lambda: read_record(view, kind, record_id))
        return reply(request, found, tag=view.tag)

    return get_single


def _make_body_routes(views: Views) -> list[HTTPRouteHandler]:
    searches, single = QueryReader(BodySearch), QueryReader(BodyViewing)

    @get("/v1/bodies")
    async def get_bodies(request: AnyRequest) -> Response[bytes]:
        wanted = searches.read(request)
        view = await views.find(wanted)
        found = await views.rooms.readings.run(lambda: encode(search_bodies(view, wanted)))
        return reply(request, found, tag=view.tag)

    @get("/v1/bodies/{record_id:str}")
    async def get_body(request: AnyRequest, record_id: FromPath[str]) -> Response[bytes]:
        wanted = single.read(request)
        view = await views.find(wanted)
        found = await _look(views, view, record_id, lambda: read_body(view, record_id, wanted.as_of))
        return reply(request, found, tag=view.tag)

    return [get_bodies, get_body]


async def _look(views: Views, view: View, record_id: str, read: Callable[[], Found]) -> Found:
    """Read a record; where there is none, whoever may be meant by its id is looked for in a thread."""
    known = record_id in view.held.register.records
    return read() if known else await views.rooms.readings.run(read)


def _make_any_routes(views: Views) -> list[HTTPRouteHandler]:
    searches, single = QueryReader(RecordSearch), QueryReader(Viewing)

    @get("/v1/records")
    async def get_records(request: AnyRequest) -> Response[bytes]:
        wanted = searches.read(request)
        view = await views.find(wanted)
        found = await views.rooms.readings.run(lambda: encode(list_any(view, wanted)))
        return reply(request, found, tag=view.tag)

    @get("/v1/records/{record_id:str}")
    async def get_record(request: AnyRequest, record_id: FromPath[str]) -> Response[bytes]:
        view = await views.find(single.read(request))
        found = await _look(views, view, record_id, lambda: find_any(view, record_id))
        return reply(request, found, tag=view.tag)

    return [get_records, get_record]


class SchemaList(msgspec.Struct, frozen=True):
    """The schemas that there are."""

    items: list[str]


def _make_schema_routes(readings: WorkRoom) -> list[HTTPRouteHandler]:
    reader = QueryReader(NoParameters)
    made: Shared[msgspec.Raw] = Shared(kept=len(schema_names()), at_once=len(schema_names()))

    @get("/v1/schemas")
    async def get_schemas(request: AnyRequest) -> Response[bytes]:
        reader.read(request)
        return reply(request, SchemaList(list(schema_names())))

    @get("/v1/schemas/{name:str}")
    async def get_schema(request: AnyRequest, name: FromPath[str]) -> Response[bytes]:
        reader.read(request)
        if name not in schema_names():
            raise NoSuchRecord("schema", name)
        return reply(request, await made.find(name, lambda: readings.run(lambda: encode(make_schema(name)))))

    return [get_schemas, get_schema]
