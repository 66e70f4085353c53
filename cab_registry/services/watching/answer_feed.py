"""The history of an answer as Atom (RFC 4287): its turn that is in sight first, then its changes, the latest first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from cab_registry.domain.days import parse_day
from cab_registry.services.feeds import (
    BEFORE_ALL,
    MEDIA_TYPE,
    Feed,
    FeedEntry,
    FeedLink,
    link_submission,
    write_atom,
)
from cab_registry.services.watching.answer_history import AnswerChange, AnswerHistory, Forecast
from cab_registry.services.watching.watched_answers import AHEAD
from cab_registry.storage.canonical import spell_instant
from cab_registry.storage.entries import start_of

_REGISTRY: Final = "CAB Registry"


def render_answer_feed(history: AnswerHistory, *, address: str, json_address: str, page_address: str) -> bytes:
    """Render the history of an answer as an Atom document in UTF-8.

    Args:
        history: the page.
        address: under which this page of the feed is found.
        json_address: of the same as JSON.
        page_address: of the answer for readers.
    """
    entries = list(_list_entries(history, page_address))
    return write_atom(
        Feed(
            id=history.id,
            title=history.title,
            subtitle=f"On {history.on}: {history.current.headline}",
            updated=max((each.updated for each in entries), default=history.recorded or BEFORE_ALL),
            links=(
                FeedLink("self", address, MEDIA_TYPE),
                FeedLink("alternate", page_address, "text/html"),
                FeedLink("alternate", json_address, "application/json"),
            ),
            entries=entries,
        )
    )


def _list_entries(history: AnswerHistory, page: str) -> Iterator[FeedEntry]:
    if history.forecast is not None:
        yield _tell_forecast(history, history.forecast, page)
    yield from (_tell_change(each, page) for each in reversed(history.entries))


def _tell_forecast(history: AnswerHistory, forecast: Forecast, page: str) -> FeedEntry:
    """Tell what is in sight since the last change of the answer, or since it came into sight as days went by."""
    seen = parse_day(forecast.on) - AHEAD
    instants = [each.cause.recorded for each in history.entries]
    if seen <= parse_day(history.on):
        instants.append(spell_instant(start_of(date.fromordinal(seen))))
    return FeedEntry(
        id=forecast.id,
        title=forecast.headline,
        updated=max(instants, default=BEFORE_ALL),
        authors=(_REGISTRY,),
        links=(FeedLink("alternate", page, "text/html"),),
        lines=forecast.sentences,
    )


def _tell_change(change: AnswerChange, page: str) -> FeedEntry:
    cause = change.cause
    lines = [*change.sentences]
    for record in cause.records:
        lines += [f"{record.title} ({record.change}, {record.authority.name}):", *record.words]
    return FeedEntry(
        id=change.id,
        title=change.headline,
        updated=cause.recorded,
        authors=list(dict.fromkeys(each.authority.name for each in cause.records)) or (_REGISTRY,),
        links=(link_submission("", cause.submission), FeedLink("related", page, "text/html")),
        lines=lines,
    )
