"""The one question over HTTP: POST with a JSON body, GET with flat names."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta

from cab_registry.api.replies import JSON, AnyRequest, QueryReader, check_json, has_already, reply
from cab_registry.services.answering import Answering
from cab_registry.services.asking import QuestionReader
from cab_registry.services.flat import read_pairs

PATH = "/v1/acceptance"


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters beside the question."""

    at_least: (
        Annotated[
            int,
            Meta(ge=0, le=2**62, description="Wait briefly until the register has reached this position of the log."),
        ]
        | None
    ) = None


def make_acceptance_routes(answering: Answering, questions: QuestionReader, *, limit: int) -> list[HTTPRouteHandler]:
    """Return the handlers of the one question; the limit is that of a body in bytes."""
    waiting = QueryReader(Waiting)
    readings = answering.rooms.readings

    @post(PATH, status_code=200, request_max_body_size=limit)
    async def post_acceptance(request: AnyRequest) -> Response[bytes]:
        beside = waiting.read(request) if request.scope["query_string"] else Waiting()
        check_json(request)
        raw, economies = await request.body(), answering.head.current().register.facts.economies
        asked = questions.try_json(raw, economies)
        if asked is None:
            asked = await readings.run(lambda: questions.read_json(raw, economies))
        prepared = await answering.prepare(asked, beside.at_least)
        return Response(
            msgspec.json.encode(await answering.answer(prepared)),
            media_type=JSON,
            headers={"Cache-Control": "no-store", "ETag": f'"{prepared.tag}"'},
        )

    @get(PATH)
    async def get_acceptance(request: AnyRequest) -> Response[bytes]:
        pairs = read_pairs(request.scope["query_string"])
        beside = waiting.read_pairs((name, value) for name, value in pairs if name in waiting.fields)
        rest = [(name, value) for name, value in pairs if name not in waiting.fields]
        economies = answering.head.current().register.facts.economies
        asked = questions.try_pairs(rest, economies)
        if asked is None:
            asked = await readings.run(lambda: questions.read_pairs(rest, economies))
        prepared = await answering.prepare(asked, beside.at_least)
        if has_already(request, prepared.tag):
            return reply(request, None, tag=prepared.tag)
        return reply(request, await answering.answer(prepared), tag=prepared.tag)

    return [post_acceptance, get_acceptance]
