"""Submissions over HTTP: handed in, shown, decided."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import Meta

from cab_registry.api.authentication import NEEDED, WELCOME, principal_of, visitor_of
from cab_registry.api.bodies import BodyReader
from cab_registry.api.replies import AnyRequest, NoParameters, QueryReader, reply_privately
from cab_registry.domain.errors import Fault, Refusal
from cab_registry.register.ownership import REGISTRAR
from cab_registry.services.desk import prepare
from cab_registry.services.impact import Effect, FlipsTold
from cab_registry.services.policies import read_policy
from cab_registry.services.refusals import AlreadyDecided, OtherAuthority
from cab_registry.services.snapshots.cursors import Cursors, name_reader
from cab_registry.services.submitted import Receipt, Remark, SubmissionPlace, Whose
from cab_registry.services.submitting import (
    Desk,
    SubmissionPrivate,
    SubmissionPublic,
    SubmissionRequest,
    Submitted,
    approve,
    list_shown,
    reject,
    show_submission,
    submit,
    withdraw,
)
from cab_registry.services.tokens import Principal
from cab_registry.services.views import Given, WrongParameters
from cab_registry.storage.entries import Change
from cab_registry.storage.submissions import SubmissionState

PATH: Final = "/v1/submissions"
KEY_HEADER: Final = "Idempotency-Key"
_KEY: Final = re.compile(r"[!-~]{1,200}")


class SubmissionShown(SubmissionPublic, frozen=True, kw_only=True):
    """A submission, and how to read what it entered."""

    position: Annotated[
        int | None, Meta(description="Ask with at_least=this to read what was entered; null: nothing was.")
    ]
    private: Annotated[
        SubmissionPrivate | None, Meta(description="For its authority and auditors; null for everyone else.")
    ]
    repeated: Annotated[bool, Meta(description="The same request came before; this is what became of it.")]


class SubmissionList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of submissions."""

    items: list[SubmissionShown]
    next: Annotated[str | None, Meta(description="Cursor of the next page; null: this is the last.")]


class RecordForeseen(msgspec.Struct, frozen=True, kw_only=True):
    """A record version that would be entered."""

    id: str
    type: str
    version: int
    change: Change
    title: str
    words: Annotated[list[str], Meta(description="One line for each change.")]


class Foreseen(msgspec.Struct, frozen=True, kw_only=True):
    """What a submission would do; nothing was entered."""

    dry_run: Literal[True] = True
    state: Annotated[
        SubmissionState, Meta(description="approved: entered at once; submitted: it waits for another person.")
    ]
    counterpart: Annotated[str | None, Meta(description="Who would have to approve a transfer.")]
    records: list[RecordForeseen]
    unchanged: Annotated[tuple[str, ...], Meta(description="Ids of records that are the same already.")]
    warnings: tuple[Remark, ...]
    effect: Annotated[FlipsTold | None, Meta(description="Which answers flip; null for a policy.")]


class SubmissionListing(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of the list of submissions."""

    state: Annotated[list[SubmissionState], Meta(description="Only in these states.")] = []
    mine: Annotated[bool, Meta(description="Only those that the asker handed in.")] = False
    waiting: Annotated[bool, Meta(description="Only those that the asker may decide, the oldest first.")] = False
    authority: Annotated[Given | None, Meta(description="Of this authority, for which the token must speak.")] = None
    limit: Annotated[int, Meta(ge=1, le=200, description="Items on a page.")] = 50
    cursor: Annotated[Given | None, Meta(description="The `next` of the page before.")] = None


class Approval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content that is approved."""

    digest: Annotated[str, Meta(pattern="^[0-9a-fA-F]{64}$", description="`digest` of the submission as it was seen.")]


class Reason(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a submission is rejected or withdrawn; for its authority alone."""

    reason: Annotated[str, Meta(min_length=1, max_length=4000)]


def make_submission_routes(desk: Desk, foreseeing: Desk, cursors: Cursors, *, limit: int) -> list[HTTPRouteHandler]:
    """Return the handlers of submissions.

    Args:
        desk: where they are handled.
        foreseeing: the same, where answers that flip are looked for too.
        cursors: signs where pages end.
        limit: the largest submission that is read, in bytes.
    """
    showing = _make_showing(desk, foreseeing, cursors)
    return [*_make_handing_in(desk, foreseeing, limit), *showing, *_make_deciding(desk)]


def _make_handing_in(desk: Desk, foreseeing: Desk, limit: int) -> list[HTTPRouteHandler]:
    nothing, requests = QueryReader(NoParameters), BodyReader(SubmissionRequest)

    @post(PATH, opt=NEEDED, request_max_body_size=limit)
    async def post_submission(request: AnyRequest) -> Response[bytes]:
        nothing.read(request)
        acting = principal_of(request)
        asked = await requests.read(request)
        if asked.dry_run:
            dry = (await submit(foreseeing, acting, asked)).public
            policy = await read_policy(desk.engine, asked.authority)
            receipt = Receipt(versions=dry.versions, unchanged=dry.unchanged, warnings=dry.warnings, effect=dry.effect)
            return reply_privately(_foresee(asked, receipt, dry.counterpart, waits=policy.four_eyes))
        done = await submit(desk, acting, asked, _read_key(request))
        headers = {"Location": f"{PATH}/{done.public.id}"}
        return reply_privately(_show(done), status=200 if done.repeated else 201, headers=headers)

    return [post_submission]


def _make_showing(desk: Desk, foreseeing: Desk, cursors: Cursors) -> list[HTTPRouteHandler]:
    nothing, listing = QueryReader(NoParameters), QueryReader(SubmissionListing)

    @get(PATH, opt=NEEDED)
    async def get_submissions(request: AnyRequest) -> Response[bytes]:
        wanted, acting = listing.read(request), principal_of(request)
        signer, reader = await cursors.signer(), name_reader(acting)
        page = await list_shown(
            desk.engine,
            acting,
            whose=_whose(wanted, acting),
            states=wanted.state,
            after=signer.read(wanted.cursor, wanted, SubmissionPlace, reader=reader) if wanted.cursor else None,
            limit=wanted.limit,
        )
        following = None if page.next is None else signer.write(wanted, page.next, reader=reader)
        return reply_privately(SubmissionList(items=[_show(each) for each in page.items], next=following))

    @get(f"{PATH}/{{submission_id:str}}", opt=WELCOME)
    async def get_submission(request: AnyRequest, submission_id: FromPath[str]) -> Response[bytes]:
        nothing.read(request)
        return reply_privately(_show(await show_submission(desk.engine, submission_id, visitor_of(request))))

    @get(f"{PATH}/{{submission_id:str}}/effect", opt=NEEDED)
    async def get_effect(request: AnyRequest, submission_id: FromPath[str]) -> Response[bytes]:
        nothing.read(request)
        shown = (await show_submission(desk.engine, submission_id, principal_of(request))).public
        if shown.state != "submitted" or shown.authority is None:
            raise AlreadyDecided(submission_id, str(shown.state))
        asked = SubmissionRequest(
            kind=shown.kind,
            authority=shown.authority,
            public_reason=shown.public_reason,
            although=shown.although,
            records=shown.records or (),
            dry_run=True,
        )
        known = Receipt(effect=shown.effect)
        receipt = known if shown.kind == "policy" else (await prepare(foreseeing, asked)).receipt
        return reply_privately(_foresee(asked, receipt, shown.counterpart, waits=True))

    return [get_submissions, get_submission, get_effect]


def _make_deciding(desk: Desk) -> list[HTTPRouteHandler]:
    nothing, approvals, reasons = QueryReader(NoParameters), BodyReader(Approval), BodyReader(Reason)

    @post(f"{PATH}/{{submission_id:str}}/approve", status_code=200, opt=NEEDED)
    async def post_approval(request: AnyRequest, submission_id: FromPath[str]) -> Response[bytes]:
        nothing.read(request)
        asked = await approvals.read(request)
        return reply_privately(_show(await approve(desk, principal_of(request), submission_id, asked.digest)))

    @post(f"{PATH}/{{submission_id:str}}/reject", status_code=200, opt=NEEDED)
    async def post_rejection(request: AnyRequest, submission_id: FromPath[str]) -> Response[bytes]:
        nothing.read(request)
        asked = await reasons.read(request)
        return reply_privately(_show(await reject(desk, principal_of(request), submission_id, asked.reason)))

    @post(f"{PATH}/{{submission_id:str}}/withdraw", status_code=200, opt=NEEDED)
    async def post_withdrawal(request: AnyRequest, submission_id: FromPath[str]) -> Response[bytes]:
        nothing.read(request)
        asked = await reasons.read(request)
        return reply_privately(_show(await withdraw(desk, principal_of(request), submission_id, asked.reason)))

    return [post_approval, post_rejection, post_withdrawal]


def _read_key(request: AnyRequest) -> str:
    """Return the idempotency key, without which a lost answer could not be asked for again."""
    given = request.headers.getall(KEY_HEADER, [])
    if len(given) != 1 or _KEY.fullmatch(given[0]) is None:
        message = f"the header {KEY_HEADER} is needed once: 1 to 200 visible characters, new for each new request"
        raise Refusal(message, (Fault("", message),))
    return given[0]


def _whose(wanted: SubmissionListing, acting: Principal) -> Whose:
    if wanted.mine and wanted.waiting:
        raise WrongParameters([Fault("/waiting", "nobody decides on their own: ask for either")])
    if wanted.authority is not None and wanted.authority != acting.authority:
        raise OtherAuthority(acting.authority, wanted.authority)
    if wanted.mine:
        return "mine"
    if wanted.waiting:
        return "waiting"
    return "all" if acting.authority == REGISTRAR and "auditor" in acting.roles else "authority"


def _show(submitted: Submitted) -> SubmissionShown:
    return SubmissionShown(
        **msgspec.structs.asdict(submitted.public),
        position=submitted.public.last,
        private=submitted.private,
        repeated=submitted.repeated,
    )


def _foresee(request: SubmissionRequest, receipt: Receipt, counterpart: str | None, *, waits: bool) -> Foreseen:
    if request.kind == "policy":
        records, flips = _foresee_policy(request, receipt), None
    else:
        effect = Effect(records=[]) if receipt.effect is None else msgspec.convert(receipt.effect, Effect)
        records, flips = _foresee_records(receipt, effect), effect.flips
    return Foreseen(
        state="submitted" if records and (waits or request.kind != "records") else "approved",
        counterpart=counterpart,
        records=records,
        unchanged=receipt.unchanged,
        warnings=receipt.warnings,
        effect=flips,
    )


def _foresee_records(receipt: Receipt, effect: Effect) -> list[RecordForeseen]:
    told = {each.id: each for each in effect.records}
    return [
        RecordForeseen(
            id=each.id,
            type=each.type,
            version=each.version,
            change=each.change,
            title=told[each.id].title,
            words=told[each.id].words,
        )
        for each in receipt.versions
    ]


def _foresee_policy(request: SubmissionRequest, receipt: Receipt) -> list[RecordForeseen]:
    words = list(receipt.effect["changes"]) if receipt.effect else []
    if not words:
        return []
    version = request.records[0].expected_version + 1
    title = f"policy of {request.authority}"
    change: Change = "new" if version == 1 else "amend"
    return [RecordForeseen(id=title, type="policy", version=version, change=change, title=title, words=words)]
