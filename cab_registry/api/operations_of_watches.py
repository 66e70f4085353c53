"""The operations of watches and endpoints as the reference describes them."""

from __future__ import annotations

from typing import Any, Final

from cab_registry.api import problem_kinds
from cab_registry.api.endpoints import PATH as ENDPOINTS
from cab_registry.api.endpoints import DeliveryListing, DeliveryPage, EndpointList, EndpointListing, Replaying
from cab_registry.api.operation import Operation
from cab_registry.api.operations_of_accounts import SECURED, SENT
from cab_registry.api.replies import NoParameters
from cab_registry.api.watches import PATH as WATCHES
from cab_registry.api.watches import NoticeFollowing, WatchList, WatchListing, WatchRequested, WatchViewing
from cab_registry.services.delivery.endpoint_keeping import EndpointIssued, EndpointRequest, EndpointShown, Sent
from cab_registry.services.feeds import MEDIA_TYPE
from cab_registry.services.watching.watch_targets import WatchRequest
from cab_registry.services.watching.watches import NoticePage, WatchDetail, WatchShown

_TAG: Final = "Watches"
_NAMED: Final = (*SECURED, problem_kinds.NO_SUCH_WATCH)
_REGISTER: Final = (problem_kinds.NOT_LOADED, problem_kinds.NOT_REACHED)
_ONE: Final = f"{ENDPOINTS}/{{endpoint_id}}"
_STANDING: Final[dict[str, Any]] = {
    "kind": "standing",
    "question": {
        "destination": "US",
        "result": {"kind": "test_report", "issuer": {"id": "kctl"}},
        "subject": {"sector": "telecom_radio", "requirement": "us-47cfr-15c"},
    },
}
_EXAMPLES: Final = (
    {"targets": [{"kind": "agreement", "id": "apec-tel-us-kr"}], "mail": "imports@importer.example"},
    {"name": "our laboratory", "targets": [_STANDING], "endpoint": "e-0123456789abcdef"},
)


def list_watch_operations() -> tuple[Operation, ...]:
    """Return the operations of watches and endpoints, in the order of the reference."""
    return (*_watches(), *_notices(), *_endpoints(), *_steps())


def _watches() -> tuple[Operation, ...]:
    return (
        Operation(
            method="post",
            path=WATCHES,
            id="create_watch",
            tag=_TAG,
            summary="Watch a body, scope, agreement, authority, question, or a portfolio of them",
            description="With a token, the watch is kept at once (201); an equal one that did not end is given instead "
            "(200). Without one, `mail` names an address, which confirms by a link (202); the answer is the same for "
            "every address. All faults of all rows are listed at once. There are limits for each owner.",
            query=(NoParameters,),
            body=WatchRequest,
            gives=WatchShown,
            otherwise=WatchRequested,
            account="welcome",
            statuses=(202, 201, 200),
            examples=_EXAMPLES,
            kinds=(*SECURED, *SENT, problem_kinds.OVER_LIMIT, *_REGISTER),
        ),
        Operation(
            path=WATCHES,
            id="list_watches",
            tag=_TAG,
            summary="List watches",
            query=(WatchListing,),
            gives=WatchList,
            account="needed",
            kinds=SECURED,
        ),
        Operation(
            path=f"{WATCHES}/{{watch_id}}",
            id="read_watch",
            tag=_TAG,
            summary="Read a watch with what it watches and each last answer",
            description="For its owner, and for auditors of the authority for which it is kept.",
            query=(WatchViewing,),
            gives=WatchDetail,
            account="needed",
            kinds=_NAMED,
        ),
        Operation(
            method="delete",
            path=f"{WATCHES}/{{watch_id}}",
            id="end_watch",
            tag=_TAG,
            summary="End a watch",
            description="What it watched is forgotten; its notices stay. One that ended before stays so from then.",
            query=(NoParameters,),
            gives=WatchShown,
            account="needed",
            kinds=_NAMED,
        ),
    )


def _notices() -> tuple[Operation, ...]:
    return (
        Operation(
            path=f"{WATCHES}/{{watch_id}}/notices",
            id="list_notices",
            tag=_TAG,
            summary="Follow the notices of a watch",
            description="Who reads on from `next` misses nothing and gets nothing twice, delivered or not.",
            query=(NoticeFollowing,),
            gives=NoticePage,
            account="needed",
            kinds=_NAMED,
        ),
        Operation(
            path=f"{WATCHES}/{{watch_id}}/notices.atom",
            id="list_notices_as_atom",
            tag=_TAG,
            summary="Follow the notices of a watch in a feed reader that shows a token",
            description="The latest page, the latest notice first.",
            query=(NoticeFollowing,),
            media_type=MEDIA_TYPE,
            account="needed",
            kinds=_NAMED,
        ),
    )


def _endpoints() -> tuple[Operation, ...]:
    return (
        Operation(
            method="post",
            path=ENDPOINTS,
            id="create_endpoint",
            tag=_TAG,
            summary="Make an endpoint to which notices go",
            description="A webhook is signed as Standard Webhooks says; its secret is in this answer and nowhere else. "
            "A mail address confirms by a link before anything else is sent to it.",
            query=(NoParameters,),
            body=EndpointRequest,
            gives=EndpointIssued,
            account="needed",
            statuses=(201,),
            examples=(
                {"kind": "webhook", "address": "https://receiver.example/notices"},
                {"kind": "mail", "address": "imports@importer.example"},
            ),
            kinds=(*SECURED, *SENT, problem_kinds.OVER_LIMIT),
        ),
        Operation(
            path=ENDPOINTS,
            id="list_endpoints",
            tag=_TAG,
            summary="List endpoints",
            query=(EndpointListing,),
            gives=EndpointList,
            account="needed",
            kinds=SECURED,
        ),
        Operation(
            path=_ONE,
            id="read_endpoint",
            tag=_TAG,
            summary="Read an endpoint",
            description="Neither its whole address nor its secret is shown.",
            query=(NoParameters,),
            gives=EndpointShown,
            account="needed",
            kinds=_NAMED,
        ),
        Operation(
            method="delete",
            path=_ONE,
            id="end_endpoint",
            tag=_TAG,
            summary="End an endpoint",
            description="Its address and secret are forgotten; its watches go on, to be read.",
            query=(NoParameters,),
            gives=EndpointShown,
            account="needed",
            kinds=_NAMED,
        ),
        Operation(
            path=f"{_ONE}/deliveries",
            id="list_deliveries",
            tag=_TAG,
            summary="List the attempts to deliver to an endpoint",
            query=(DeliveryListing,),
            gives=DeliveryPage,
            account="needed",
            kinds=_NAMED,
        ),
    )


def _steps() -> tuple[Operation, ...]:
    named = (
        ("enable", "Send to an endpoint again, and first what was held for it", Sent),
        ("test", "Send a notice that tells nothing but that it arrives", Sent),
        ("rotate", "Give a webhook another secret", EndpointIssued),
    )
    told = {"rotate": "It is in this answer and nowhere else. Until the next rotation the one before it signs, too."}
    steps = tuple(
        Operation(
            method="post",
            path=f"{_ONE}/{name}",
            id=f"{name}_endpoint",
            tag=_TAG,
            summary=summary,
            description=told.get(name, ""),
            query=(NoParameters,),
            gives=gives,
            account="needed",
            kinds=(*_NAMED, problem_kinds.REFUSED),
        )
        for name, summary, gives in named
    )
    replay = Operation(
        method="post",
        path=f"{_ONE}/replay",
        id="replay_endpoint",
        tag=_TAG,
        summary="Send notices again after a position of the log",
        description="Those that were delivered or given up, with the ids that they had.",
        query=(NoParameters,),
        body=Replaying,
        gives=Sent,
        account="needed",
        examples=({"after": 2190},),
        kinds=(*_NAMED, *SENT),
    )
    return (*steps, replay)
