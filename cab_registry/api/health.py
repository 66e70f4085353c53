"""Whether the process lives, and whether it should be asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta

from cab_registry.api.replies import JSON, AnyRequest


class Health(msgspec.Struct, frozen=True):
    """The process answers."""

    status: Literal["alive"]
    version: str


class JobsBeat(msgspec.Struct, frozen=True):
    """The last sign of life of the jobs' process."""

    leads: Annotated[bool, Meta(description="Whether it held the schedule.")]
    seconds_ago: Annotated[float, Meta(description="How many seconds ago; more than a minute: it does not run.")]


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether this process should get requests, and why not."""

    ready: bool
    register_: Annotated[bool, Meta(description="Whether the register is loaded.")] = msgspec.field(name="register")
    database: Annotated[bool, Meta(description="Whether the database answers.")]
    position: Annotated[int, Meta(description="Position of the register held.")]
    lag_seconds: Annotated[float, Meta(description="Seconds since the log was last read to its end.")]
    faults: Annotated[
        list[str], Meta(description="What an operator has to see to: a damaged register, clocks that do not agree.")
    ] = msgspec.field(default_factory=list)
    jobs: Annotated[
        JobsBeat | None, Meta(description="The jobs' process, without which nobody is told; null: it never ran.")
    ] = None


def make_health_routes(version: str, look: Callable[[], Awaitable[Readiness]]) -> list[HTTPRouteHandler]:
    """Return the handlers that operators ask."""

    @get("/health")
    async def get_health() -> Response[bytes]:
        content = msgspec.json.encode(Health("alive", version))
        return Response(content, media_type=JSON, headers={"Cache-Control": "no-store"})

    @get("/ready")
    async def get_readiness(request: AnyRequest) -> Response[bytes]:
        del request
        found = await look()
        headers = {"Cache-Control": "no-store"} | ({} if found.ready else {"Retry-After": "2"})
        return Response(
            msgspec.json.encode(found), status_code=200 if found.ready else 503, media_type=JSON, headers=headers
        )

    return [get_health, get_readiness]
