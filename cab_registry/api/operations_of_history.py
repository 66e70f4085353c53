"""The operations of histories, feeds and the inbox as the reference describes them."""

from __future__ import annotations

from typing import Final

from cab_registry.api import problem_kinds
from cab_registry.api.acceptance import Waiting
from cab_registry.api.answer_history import AnswerFollowing
from cab_registry.api.history import Following, HistoryPaging
from cab_registry.api.operation import Operation
from cab_registry.api.operations_of_accounts import SECURED
from cab_registry.domain.question import AskedQuestion
from cab_registry.services.feeds import MEDIA_TYPE
from cab_registry.services.history import History
from cab_registry.services.inbox import Inbox
from cab_registry.services.watching.answer_history import AnswerHistory
from cab_registry.services.watching.feed_addresses import CHANGES_PATH, FEED_PATH

_READING: Final = (
    problem_kinds.UNREADABLE,
    problem_kinds.WRONG_PARAMETERS,
    problem_kinds.NOT_LOADED,
    problem_kinds.NOT_REACHED,
    problem_kinds.UNAVAILABLE,
)
_FEED: Final = (
    "Who reads on from `next` until `complete` misses nothing and gets nothing twice, whatever the filter. "
    "Nothing of it is private."
)


def list_history_operations() -> tuple[Operation, ...]:
    """Return the operations of histories, feeds and the inbox, in the order of the reference."""
    return (*_histories(), *_feeds(), *_answers(), *_inbox())


def _histories() -> tuple[Operation, ...]:
    named = (
        ("bodies", "body", "Read all that was recorded of a body"),
        ("records", "record", "Read the versions of a record"),
    )
    return tuple(
        Operation(
            path=f"/v1/{many}/{{record_id}}/history",
            id=f"read_{one}_history",
            tag="History",
            summary=summary,
            description="The oldest first, each with authority, reason, before and after. With `known_at`, what was "
            "recorded by then.",
            query=(HistoryPaging,),
            gives=History,
            tagged=True,
            kinds=(*_READING, problem_kinds.NO_SUCH_RECORD),
        )
        for many, one, summary in named
    )


def _feeds() -> tuple[Operation, ...]:
    return (
        Operation(
            path="/v1/changes",
            id="list_changes",
            tag="History",
            summary="Follow all changes by position",
            description=_FEED,
            query=(Following,),
            gives=History,
            tagged=True,
            kinds=_READING,
        ),
        Operation(
            path="/v1/changes.atom",
            id="list_changes_as_atom",
            tag="History",
            summary="Follow all changes in a feed reader",
            description=f"The latest page, the latest change first. {_FEED}",
            query=(Following,),
            media_type=MEDIA_TYPE,
            tagged=True,
            kinds=_READING,
        ),
    )


def _answers() -> tuple[Operation, ...]:
    about = (
        "Today's question is asked of what the register knew after each change; nothing is stored, the address is the "
        "subscription."
    )
    kinds = (*_READING, problem_kinds.IMPOSSIBLE)
    return (
        Operation(
            path=CHANGES_PATH,
            id="list_answer_changes",
            tag="History",
            summary="Follow one answer by an address that carries the question",
            description=f"The answer now, the day on which it turns as things stand, and what changed it, in order of "
            f"position. {about}",
            query=(AskedQuestion, AnswerFollowing),
            gives=AnswerHistory,
            tagged=True,
            kinds=kinds,
        ),
        Operation(
            path=FEED_PATH,
            id="list_answer_changes_as_atom",
            tag="History",
            summary="Follow one answer in a feed reader",
            description=f"The turn that is in sight first, then what changed the answer, the latest first. {about}",
            query=(AskedQuestion, AnswerFollowing),
            media_type=MEDIA_TYPE,
            tagged=True,
            kinds=kinds,
        ),
    )


def _inbox() -> tuple[Operation, ...]:
    return (
        Operation(
            path="/v1/inbox",
            id="read_inbox",
            tag="History",
            summary="See what waits for the authority for which the token speaks",
            description="Approvals, the clocks of procedures, and what ends within 120 days; what is due first "
            "comes first.",
            query=(Waiting,),
            gives=Inbox,
            account="needed",
            kinds=(*SECURED, problem_kinds.NOT_LOADED, problem_kinds.NOT_REACHED),
        ),
    )
