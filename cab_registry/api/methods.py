"""OPTIONS where several handlers share a path: the framework would name the methods of the first of them only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from litestar import Response
from litestar.handlers import HTTPRouteHandler


def make_options_routes(handlers: Iterable[HTTPRouteHandler]) -> list[HTTPRouteHandler]:
    """Return a handler of OPTIONS for each path that several handlers share, which names the methods of all."""
    sharing: dict[str, list[HTTPRouteHandler]] = defaultdict(list)
    for handler in handlers:
        for path in handler.paths:
            sharing[path].append(handler)
    return [
        _make_options_route(path, {method for each in several for method in each.http_methods})
        for path, several in sharing.items()
        if len(several) > 1
    ]


def _make_options_route(path: str, methods: Iterable[str]) -> HTTPRouteHandler:
    allowed = ", ".join(sorted({*methods, "OPTIONS"}))

    @HTTPRouteHandler(path, http_method="OPTIONS", status_code=204, sync_to_thread=False)
    def tell_methods() -> Response[None]:
        return Response(content=None, status_code=204, headers={"allow": allowed})

    return tell_methods
