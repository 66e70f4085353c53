"""The composition root: the application, put together from settings; nothing is opened before it starts."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from ipaddress import ip_network
from time import monotonic
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from litestar import Litestar, Request, Response
from litestar.handlers import HTTPRouteHandler
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry import __version__
from cab_registry.api.acceptance import make_acceptance_routes
from cab_registry.api.accounts import make_account_routes
from cab_registry.api.answer_history import make_answer_history_routes
from cab_registry.api.authentication import Authentication, visitor_of
from cab_registry.api.edge import Edge
from cab_registry.api.endpoints import make_endpoint_routes
from cab_registry.api.expiries import make_expiry_routes
from cab_registry.api.grants import make_grant_routes
from cab_registry.api.health import JobsBeat, Readiness, make_health_routes
from cab_registry.api.history import make_history_routes
from cab_registry.api.http.admission import Admission, Answer
from cab_registry.api.http.audit import Auditor, Trailing
from cab_registry.api.http.connections import ConnectionGuard
from cab_registry.api.http.rate_limits import Charging, RateLimits
from cab_registry.api.impact import make_impact_routes
from cab_registry.api.invitations import make_invitation_routes
from cab_registry.api.methods import make_options_routes
from cab_registry.api.openapi import make_document, make_openapi_route
from cab_registry.api.problem_kinds import KINDS
from cab_registry.api.problems import answer_problem
from cab_registry.api.records import make_record_routes
from cab_registry.api.submissions import make_submission_routes
from cab_registry.api.watches import make_watch_routes
from cab_registry.jobs import process
from cab_registry.jobs.registrar import Report
from cab_registry.limits import Limits
from cab_registry.pages.asking import make_asking_routes
from cab_registry.pages.browsing import make_browsing_routes
from cab_registry.pages.reference import make_reference_routes
from cab_registry.pages.rendering import Site
from cab_registry.pages.watching import make_watching_routes
from cab_registry.register.compiled import Register
from cab_registry.register.procedure import check_steps
from cab_registry.services.answering import Answering
from cab_registry.services.asking import QuestionReader
from cab_registry.services.delivery.sealing import make_sealer
from cab_registry.services.desk import Desk
from cab_registry.services.expiries import Horizon
from cab_registry.services.following import RegisterHolder
from cab_registry.services.heads import ScratchHead
from cab_registry.services.impact import Effect, FlipTeller, tell_words
from cab_registry.services.memory import keep_in_memory
from cab_registry.services.metrics import Metrics
from cab_registry.services.principals import Principal, Random, authenticate
from cab_registry.services.runtime.audit_log import AuditLog
from cab_registry.services.runtime.work import Rooms, take_short_turns
from cab_registry.services.snapshots.cursors import Cursors, read_key_from
from cab_registry.services.sources import DatabaseRecords
from cab_registry.services.views import Views
from cab_registry.services.watching.mail_limits import MailLimits
from cab_registry.services.watching.watch_desk import WatchDesk
from cab_registry.services.watching.watched_impact import tell_watched
from cab_registry.settings import Network, Settings, SettingsError, read_networks
from cab_registry.storage.database.pulse import Pulse
from cab_registry.storage.engine import create_engine
from cab_registry.storage.errors import RecordDamaged
from cab_registry.storage.log import read_clock_faults
from cab_registry.storage.runs import Beat, read_beat

SCRATCH_BODY_LIMIT: Final = 65_536


class Signs(NamedTuple):
    """What the database tells every second: the last beat of the jobs, and what is wrong with clocks."""

    beat: Beat | None
    clocks: tuple[str, ...]


Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Front:
    """What stands before the operations: limits, the proxies that are believed, and who looks tokens up."""

    limits: Limits
    trusted: Network | None = None
    look_up: Callable[[str], Awaitable[Principal]] | None = None


def tell_time() -> datetime:
    """Return the instant that it is: the only clock of the service."""
    return datetime.now(UTC)


def create_app(
    settings: Settings, *, clock: Callable[[], datetime] = tell_time, random: Random = secrets.token_bytes
) -> Litestar:
    """Make the service over the database that the settings name.

    Raises:
        SettingsError: the settings name no database.
    """
    if settings.database_url is None:
        raise SettingsError(("CAB_DATABASE_URL is not set.",))
    zone = ZoneInfo(settings.time_zone)
    engine = create_engine(
        settings.database_url,
        statement_timeout=timedelta(seconds=settings.statement_timeout_seconds),
        pool_size=settings.pool_size,
    )
    pulse = Pulse(settings.database_url, _read_signs, patience=settings.database_patience_seconds)
    pulse.guard(engine)
    metrics = Metrics()
    holder = RegisterHolder(
        engine,
        poll_seconds=settings.poll_seconds,
        patience_seconds=settings.wait_for_position_seconds,
        count_damage=metrics.count_damage,
    )
    metrics.watch(lambda: holder.position, lambda: holder.lag)

    def today() -> date:
        return clock().astimezone(zone).date()

    rooms = Rooms(metrics.count_shed)
    answering = Answering(holder, DatabaseRecords(engine, rooms.readings), today, zone, metrics, rooms)
    cursors = Cursors(read_key_from(engine), today)

    @asynccontextmanager
    async def run(_: Litestar) -> AsyncIterator[None]:
        with metrics.served(settings.metrics_host, settings.metrics_port) as port:
            async with pulse.beating(), holder.following():
                await cursors.prepare()
                keep_in_memory()
                take_short_turns()
                app.state.metrics_port = port
                yield
        rooms.close()
        await engine.dispose()

    desk = Desk(
        engine=engine,
        heads=holder,
        clock=clock,
        random=random,
        describe=tell_words,
        check_steps=check_steps,
        zone=zone,
        horizon=Horizon(),
    )
    trusted = None if settings.trusted_proxy is None else ip_network(settings.trusted_proxy)
    app = _put_together(
        answering,
        limits=_BodyLimits(settings.body_limit_bytes, settings.open_body_limit_bytes),
        look=lambda: _look_at(pulse, holder, clock),
        lifespan=(run,),
        cursors=cursors,
        stored=lambda site, views: _make_stored_routes(desk, settings, cursors, site, views),
        front=Front(settings, trusted, lambda text: authenticate(engine, text, clock)),
    )
    app.state.holder = holder
    app.state.engine = engine
    return app


def _make_stored_routes(
    desk: Desk, settings: Settings, cursors: Cursors, site: Site, views: Views
) -> list[HTTPRouteHandler]:
    """Return the handlers that need a database."""

    def tell_flips(before: Register, after: Register, changed: Sequence[str]) -> Effect:
        return FlipTeller(desk.today)(before, after, changed)

    zone = ZoneInfo(settings.time_zone)
    foreseeing = replace(desk, describe=tell_flips)
    watches = WatchDesk(
        desk,
        sealer=None if settings.secret_keys is None else make_sealer(settings.secret_keys, desk.random),
        sends_mail=settings.smtp_url is not None,
        networks=read_networks(settings.webhook_networks),
        mail_limits=MailLimits(settings, monotonic),
    )
    return [
        *make_expiry_routes(views, desk.horizon),
        *make_history_routes(desk, zone, views.rooms.readings),
        *make_impact_routes(views, zone, lambda request, on: tell_watched(desk.engine, visitor_of(request), on)),
        *make_answer_history_routes(desk, QuestionReader(), views.rooms),
        *make_submission_routes(desk, foreseeing, cursors, limit=settings.submission_limit_bytes),
        *make_account_routes(desk),
        *make_invitation_routes(desk),
        *make_grant_routes(desk),
        *make_watch_routes(
            watches, cursors, limit=settings.submission_limit_bytes, open_limit=settings.open_body_limit_bytes
        ),
        *make_endpoint_routes(watches, cursors),
        *make_watching_routes(site, watches, limit=settings.open_body_limit_bytes),
    ]


def create_scratch_app(
    current: Callable[[], Register], today: Callable[[], date], *, limits: Limits | None = None
) -> Litestar:
    """Make the application over a register in memory that the caller swaps, without a database or a log.

    `known_at` there is the day of knowledge only: the caller gives the register that was known on that day.
    """
    answering = Answering(ScratchHead(current), None, today, ZoneInfo("UTC"), Metrics())

    async def look() -> Readiness:
        return Readiness(ready=True, register_=True, database=True, position=current().position, lag_seconds=0.0)

    async def make_key() -> bytes:
        return secrets.token_bytes(32)

    return _put_together(
        answering,
        limits=_BodyLimits(SCRATCH_BODY_LIMIT, SCRATCH_BODY_LIMIT),
        look=look,
        cursors=Cursors(make_key, today),
        stored=lambda _, views: [*make_expiry_routes(views, Horizon()), *make_impact_routes(views, answering.zone)],
        front=Front(limits or Limits()),
    )


class _BodyLimits(NamedTuple):
    """The largest body in bytes: of any request, and of those that need no token."""

    any: int
    without_token: int


def _put_together(
    answering: Answering,
    *,
    limits: _BodyLimits,
    look: Callable[[], Awaitable[Readiness]],
    cursors: Cursors,
    lifespan: Sequence[Lifespan] = (),
    stored: Callable[[Site, Views], Sequence[HTTPRouteHandler]],
    front: Front,
) -> Litestar:
    questions = QuestionReader()
    views = Views(answering.head, answering.past, answering.today, answering.zone, cursors, answering.rooms)
    document = make_document()
    site = Site()
    handlers: list[Any] = [
        *make_acceptance_routes(answering, questions, limit=limits.without_token),
        *make_record_routes(views),
        *stored(site, views),
        *make_health_routes(__version__, look),
        make_openapi_route(document),
        *make_asking_routes(site, answering, questions),
        *make_browsing_routes(site, views),
        *make_reference_routes(site, document, KINDS),
        site.make_style_route(),
    ]
    rates = RateLimits(front.limits, monotonic)
    authentication = () if front.look_up is None else (Authentication(front.look_up, front.trusted, rates),)
    app = Litestar(
        route_handlers=[*make_options_routes(handlers), *handlers],
        exception_handlers={Exception: partial(_answer_failure, site)},
        lifespan=list(lifespan),
        middleware=[*authentication, Charging(rates), Trailing(AuditLog())],
        openapi_config=None,
        logging_config=None,
        request_max_body_size=limits.any,
    )
    app.state.rooms = answering.rooms
    _stand_before(app, front, rates, answering.metrics, partial(_answer_failure, site))
    return app


def _stand_before(app: Litestar, front: Front, rates: RateLimits, metrics: Metrics, answer: Answer) -> None:
    admission = Admission(app.asgi_handler, front.limits, rates, front.trusted, answer, metrics)
    audit = AuditLog()
    app.asgi_handler = Edge(admission, metrics, Auditor(audit))
    metrics.watch_audit(lambda: audit.unwritten)
    app.state.metrics = metrics
    app.state.connections = ConnectionGuard(front.limits, front.trusted, metrics)


def _answer_failure(site: Site, request: Request[Any, Any, Any], fault: Exception) -> Response[bytes]:
    """Answer programs with a problem, and readers of pages with a page that says the same."""
    if isinstance(fault, RecordDamaged):
        request.app.state.holder.note_damage(fault)
    problem = answer_problem(request, fault)
    path = request.scope["path"]
    if path.startswith("/v1/") or "text/html" not in request.headers.get("accept", ""):
        return problem
    shown = msgspec.json.decode(problem.content)
    kind = next(kind for kind in KINDS if kind.type == shown["type"])
    advice = kind.advice
    if kind.for_readers is not None:
        seconds = problem.headers.get("Retry-After", "1")
        wait = "a second" if seconds == "1" else f"{seconds} seconds"
        shown["detail"], advice = kind.for_readers.format(wait=wait), ""
    page = site.show(
        "problem.html",
        {"problem": shown, "advice": "" if advice == shown["detail"] else advice},
        status=shown["status"],
    )
    return Response(
        page.content, status_code=page.status_code, media_type=page.media_type, headers=page.headers | problem.headers
    )


async def _read_signs(connection: AsyncConnection) -> Signs:
    return Signs(await read_beat(connection), await read_clock_faults(connection))


async def _look_at(pulse: Pulse[Signs], holder: RegisterHolder, clock: Callable[[], datetime]) -> Readiness:
    """Say how things stand from what this process knows already: whoever asks waits for nothing."""
    beat, clocks = (None, ()) if pulse.seen is None else pulse.seen
    loaded = holder.position > 0
    return Readiness(
        ready=pulse.answers and loaded and not holder.stale and holder.damage is None,
        register_=loaded,
        database=pulse.answers,
        position=holder.position,
        lag_seconds=round(holder.lag, 3),
        faults=[*([] if holder.damage is None else [holder.damage]), *clocks, *_tell_untrailed(AuditLog())],
        jobs=None if beat is None else JobsBeat(beat.leads, round((clock() - beat.beat).total_seconds(), 3)),
    )


def _tell_untrailed(log: AuditLog) -> list[str]:
    return (
        [] if log.fault is None else [f"The audit log cannot be written: {log.fault}. Nothing is changed until it can."]
    )


async def serve_jobs(
    settings: Settings,
    stop: asyncio.Event,
    *,
    clock: Callable[[], datetime] = tell_time,
    random: Random = secrets.token_bytes,
) -> None:
    """Run the jobs on their schedule, watch, and deliver notices, in this process alone, until told to stop.

    Raises:
        SettingsError: the settings name no database.
    """
    await process.serve(settings, stop, clock=clock, random=random)


async def run_job_once(
    settings: Settings,
    name: str,
    due_on: date | None = None,
    *,
    clock: Callable[[], datetime] = tell_time,
    again: bool = False,
) -> Report:
    """Run one job for one day, today without one.

    Raises:
        Refusal: there is no job of that name.
        JobFailed: it failed; it is tried again when the jobs run.
        SettingsError: the settings name no database.
    """
    return await process.run_once(settings, name, due_on, clock=clock, again=again)
