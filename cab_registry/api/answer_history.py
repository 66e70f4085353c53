"""The history of one answer over HTTP, at an address that carries the question itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta

from cab_registry import __version__
from cab_registry.api.acceptance import Waiting
from cab_registry.api.history import Position
from cab_registry.api.replies import JSON, AnyRequest, QueryReader, has_already, reply
from cab_registry.domain.days import show_day
from cab_registry.domain.errors import Fault
from cab_registry.domain.records import Economy
from cab_registry.services.asking import ImpossibleQuestion, QuestionReader
from cab_registry.services.desk import Desk
from cab_registry.services.feeds import MEDIA_TYPE
from cab_registry.services.flat import read_pairs, write_flat
from cab_registry.services.heads import Held
from cab_registry.services.runtime.work import Rooms
from cab_registry.services.watching.answer_feed import render_answer_feed
from cab_registry.services.watching.answer_history import LARGEST_PAGE, PAGE, AnswerHistories, AnswerHistory, Following
from cab_registry.services.watching.feed_addresses import CHANGES_PATH, FEED_PATH
from cab_registry.services.watching.targets import Target


class AnswerFollowing(Waiting, frozen=True, kw_only=True):
    """Parameters beside the question whose answer is followed."""

    standing: Annotated[
        bool,
        Meta(
            description="A result performed, issued and presented on the day that it is, whatever day that is: leave "
            "`standing_on` and the dates of a document out."
        ),
    ] = False
    after: Annotated[
        Position | None, Meta(description="Only changes after this position of the log. Default: the latest ones.")
    ] = None
    limit: Annotated[int, Meta(ge=1, le=LARGEST_PAGE, description="Changes on a page.")] = PAGE


def make_answer_history_routes(desk: Desk, questions: QuestionReader, rooms: Rooms) -> list[HTTPRouteHandler]:
    """Return the handlers of histories of answers."""
    reader = QueryReader(AnswerFollowing)
    histories = AnswerHistories(desk, rooms)

    async def read(request: AnyRequest) -> _Asked:
        pairs = read_pairs(request.scope["query_string"])
        beside = reader.read_pairs((name, value) for name, value in pairs if name in reader.fields)
        held = desk.heads.current() if beside.at_least is None else await desk.heads.at_least(beside.at_least)
        rest = [(name, value) for name, value in pairs if name not in reader.fields]
        economies = held.register.facts.economies
        today = desk.today
        target = await rooms.readings.run(
            lambda: read_target(rest, questions, economies, today=today, standing=beside.standing)
        )
        return _Asked(held, Following(target, beside.after, beside.limit), today)

    @get(CHANGES_PATH)
    async def get_answer_changes(request: AnyRequest) -> Response[bytes]:
        asked = await read(request)
        if has_already(request, asked.tag(JSON)):
            return reply(request, None, tag=asked.tag(JSON))
        found = await histories.read(asked.held, asked.following, asked.today)
        return reply(request, found, tag=asked.tag(JSON))

    @get(FEED_PATH)
    async def get_answer_changes_as_atom(request: AnyRequest) -> Response[bytes]:
        asked = await read(request)
        headers = {"Cache-Control": "no-cache", "ETag": f'"{asked.tag(MEDIA_TYPE)}"'}
        if has_already(request, asked.tag(MEDIA_TYPE)):
            return Response(b"", status_code=304, media_type=MEDIA_TYPE, headers=headers)
        found = await histories.read(asked.held, asked.following, asked.today)
        return Response(_render(found, asked), media_type=MEDIA_TYPE, headers=headers)

    return [get_answer_changes, get_answer_changes_as_atom]


def read_target(
    pairs: Iterable[tuple[str, str]],
    questions: QuestionReader,
    economies: Mapping[str, Economy],
    *,
    today: int,
    standing: bool,
) -> Target:
    """Read the question that is followed.

    Raises:
        ImpossibleQuestion: it is none, or names what was known at a moment; every fault is listed.
    """
    given = list(pairs)
    named = {name for name, _ in given}
    faults = []
    if "known_at" in named:
        faults.append(Fault("/known_at", "what was known then does not change: leave it out"))
    if standing and "standing_on" in named:
        faults.append(Fault("/standing_on", "is left out with standing=true, which asks for each day anew"))
    rest = [(name, value) for name, value in given if name != "known_at" and not (standing and name == "standing_on")]
    if standing:
        rest.append(("standing_on", show_day(today)))
    try:
        asked = questions.read_pairs(rest, economies)
    except ImpossibleQuestion as refusal:
        raise ImpossibleQuestion((*faults, *refusal.faults), more=refusal.more) from None
    if faults:
        raise ImpossibleQuestion(faults)
    if asked.standing_on is None:
        return Target(kind="question", question=asked)
    return Target(kind="standing", question=msgspec.structs.replace(asked, standing_on=None) if standing else asked)


@dataclass(frozen=True, slots=True)
class _Asked:
    held: Held
    following: Following
    today: int

    def tag(self, media_type: str) -> str:
        """Equal tags mean equal histories, so that who has it already costs no walk."""
        following = self.following
        key = (__version__, self.held.log_id, self.held.position, self.today, following.digest)
        raw = msgspec.json.encode((*key, following.after, following.limit, media_type))
        return blake2b(raw, digest_size=12).hexdigest()

    @property
    def query(self) -> str:
        """The question, and the page, as flat parameters."""
        target = self.following.target
        pairs = write_flat(msgspec.to_builtins(target.question))
        if target.kind == "standing" and target.rolling:
            pairs.append(("standing", "true"))
        beside = {"after": self.following.after, "limit": self.following.limit}
        plain = {"after": None, "limit": PAGE}
        return urlencode([*pairs, *((name, value) for name, value in beside.items() if value != plain[name])])

    @property
    def page(self) -> str:
        """The address of the answer for readers."""
        asked = self.following.target.asked(date.fromordinal(self.today))
        return f"/answer?{urlencode(write_flat(msgspec.to_builtins(asked)))}"


def _render(found: AnswerHistory, asked: _Asked) -> bytes:
    """Addresses are relative to the feed's own, so that nobody's Host header is told to others."""
    return render_answer_feed(
        found,
        address=f"{FEED_PATH}?{asked.query}",
        json_address=f"{CHANGES_PATH}?{asked.query}",
        page_address=asked.page,
    )
