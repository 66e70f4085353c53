"""The composition root: the application, put together from settings; nothing is opened before it starts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from zoneinfo import ZoneInfo

from litestar import Litestar

from cab_registry.api.acceptance import make_acceptance_routes
from cab_registry.api.edge import Edge
from cab_registry.api.problems import answer_problem
from cab_registry.register.compiled import Register
from cab_registry.services.answering import Answering
from cab_registry.services.asking import QuestionReader
from cab_registry.services.heads import ScratchHead
from cab_registry.services.metrics import Metrics

SCRATCH_BODY_LIMIT = 1_048_576


def create_scratch_app(current: Callable[[], Register], today: Callable[[], date]) -> Litestar:
    """Make the application over a register in memory that the caller swaps, without a database or a log.

    `known_at` there is the day of knowledge only: the caller gives the register that was known on that day.
    """
    metrics = Metrics()
    answering = Answering(ScratchHead(current), None, today, ZoneInfo("UTC"), metrics)
    return _put_together(answering, metrics, SCRATCH_BODY_LIMIT)


def _put_together(answering: Answering, metrics: Metrics, body_limit: int) -> Litestar:
    questions = QuestionReader()
    app = Litestar(
        route_handlers=make_acceptance_routes(answering, questions),
        exception_handlers={Exception: answer_problem},
        openapi_config=None,
        logging_config=None,
        request_max_body_size=body_limit,
    )
    app.asgi_handler = Edge(app.asgi_handler, metrics)
    return app
