"""What is handed in: a submission as a client sends it, read with all its faults, its ids minted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from cab_registry.domain.errors import Fault, Refusal
from cab_registry.domain.lettering import find_mixed, find_unreadable
from cab_registry.domain.records import AnyRecord, read_record
from cab_registry.register.minting import mint_id
from cab_registry.register.ordering import order_events
from cab_registry.register.schemas import list_faults
from cab_registry.services.refusals import TooMany
from cab_registry.storage.canonical import NotCanonical, canonical_bytes, canonical_hash
from cab_registry.storage.entries import KNOWN_FROM, Change, Private
from cab_registry.storage.principals import Role
from cab_registry.storage.submissions import SubmissionKind

LARGEST: Final = 500
"""Records in one submission."""

LONGEST_REASON: Final = 4000
_UNMINTED: Final = "without-an-id"

Document = Annotated[dict[str, Any], Meta(description="The whole record; /v1/schemas/{type} describes it.")]
Reason = Annotated[str, Meta(max_length=LONGEST_REASON)]


class GivenRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A record as it is to stand after the submission."""

    document: Document
    change: Annotated[
        Change | None, Meta(description="What the change is; null: new where there is none, else amend.")
    ] = None
    expected_version: Annotated[
        int, Meta(ge=0, description="The version that the submitter saw; 0: there is none yet.")
    ] = 0


class Evidence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file that shows why; the registry keeps its digest, not the file, and shows neither in public."""

    title: Annotated[str, Meta(min_length=1, max_length=1000)]
    address: Annotated[str, Meta(max_length=2000)] = ""
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)", description="Digest of the file.")]


class SubmissionRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an authority asks to be entered, as a whole or not at all."""

    kind: Annotated[
        SubmissionKind,
        Meta(description="records; policy: how the authority wants its submissions handled; transfer: a new owner."),
    ] = "records"
    authority: Annotated[str, Meta(min_length=1, description="For which authority; the token must speak for it.")]
    public_reason: Annotated[Reason, Meta(description="Stands beside each change, for everyone.")] = ""
    although: Annotated[
        Reason | None,
        Meta(
            description="Why something is entered although its agreement leaves open who may say it; for everyone. "
            "What the agreement speaks against stays refused."
        ),
    ] = None
    private_reason: Annotated[Reason | None, Meta(description="For the authority and its auditors alone.")] = None
    evidence: Annotated[tuple[Evidence, ...], Meta(max_length=100, description="As the private reason.")] = ()
    records: tuple[GivenRecord, ...]
    dry_run: Annotated[bool, Meta(description="Check and say what would change; enter nothing.")] = False

    @property
    def reason_on_record(self) -> str:
        """The public reason as it stands in the log: with why it was entered although something was left open."""
        if self.although is None:
            return self.public_reason
        return f"{self.public_reason} (although: {self.although})".strip()

    def private(self) -> Private | None:
        """Return what stands apart from the public bytes, if anything does."""
        evidence = tuple(msgspec.to_builtins(each) for each in self.evidence)
        return Private(self.private_reason, evidence) if self.private_reason is not None or evidence else None


class PolicyDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an authority wants its submissions handled."""

    authority: Annotated[str, Meta(min_length=1, description="Whose policy it is.")]
    four_eyes: Annotated[bool, Meta(description="Whether a second person approves each submission.")]
    scope_wider: Annotated[
        Literal["warn", "refuse"],
        Meta(description="What follows where a scope is wider than what the body was designated or accredited for."),
    ] = "warn"


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """A given record that could be read, and where it stands in the request."""

    index: int
    given: GivenRecord
    record: AnyRecord

    def fault(self, fault: Fault) -> Fault:
        """Return a fault of the record as one of the request."""
        return Fault(f"/records/{self.index}/document{fault.pointer}", fault.message, self.record.id)


def roles_that_submit(kind: SubmissionKind) -> tuple[Role, ...]:
    """Return the roles of which one is needed to hand in a submission of a kind, the usual one first."""
    return ("submitter", "approver", "registrar") if kind == "policy" else ("submitter", "registrar")


def hash_request(request: SubmissionRequest) -> bytes:
    """Return what tells one request from another with the same idempotency key.

    Raises:
        Refusal: it holds what has no canonical form, such as a number with a fraction.
    """
    try:
        plain = msgspec.to_builtins(request)
        if request.although is None:
            # Requests from before there was such a part keep the hash that they had.
            del plain["although"]
        return canonical_hash(plain)
    except NotCanonical as fault:
        raise Refusal("the submission cannot be kept", (Fault(fault.pointer, fault.reason),)) from None


def spell_content(request: SubmissionRequest, counterpart: str | None, private_hash: bytes | None) -> bytes:
    """Return what is kept and approved: the request, with the salted hash of its private part in that part's place."""
    although = {} if request.although is None else {"although": request.although}
    return canonical_bytes(
        {
            **although,
            "authority": request.authority,
            "counterpart": counterpart,
            "format": 1,
            "kind": request.kind,
            "private_hash": None if private_hash is None else private_hash.hex(),
            "public_reason": request.public_reason,
            "records": [msgspec.to_builtins(each) for each in request.records],
        }
    )


def read_content(content: bytes, private: bytes | None) -> SubmissionRequest:
    """Return the request that was kept, with its private part where that is still there."""
    kept = msgspec.json.decode(content, type=dict[str, Any])
    hidden: dict[str, Any] = {} if private is None else msgspec.json.decode(private)
    return msgspec.convert(
        {
            "although": kept.get("although"),
            "authority": kept["authority"],
            "evidence": hidden.get("evidence", []),
            "kind": kept["kind"],
            "private_reason": hidden.get("reason"),
            "public_reason": kept["public_reason"],
            "records": kept["records"],
        },
        SubmissionRequest,
    )


def mint_ids(records: Sequence[GivenRecord], is_taken: Callable[[str], bool]) -> tuple[GivenRecord, ...]:
    """Return records of which each has an id; those that had none get one by rule."""
    stated = {record.document["id"] for record in records if isinstance(record.document.get("id"), str)}
    minted: list[GivenRecord] = []
    for record in records:
        name = None
        if record.document.get("id") is None:
            name = mint_id(record.document, lambda name: name in stated or is_taken(name))
        if name is None:
            minted.append(record)
        else:
            stated.add(name)
            minted.append(msgspec.structs.replace(record, document={**record.document, "id": name}))
    return tuple(minted)


def read_records(request: SubmissionRequest) -> tuple[ReadRecord, ...]:
    """Read every record of a submission; events that are told late go in where they belong.

    Raises:
        Refusal: some are not well formed; every fault of every document is listed, with JSON Pointers.
        TooMany: there are more records than one submission may hold.
    """
    if len(request.records) > LARGEST:
        raise TooMany(f"a submission holds {LARGEST} records at most, not {len(request.records)}")
    refusal = Refusal("the submission is not well formed", _faults_of(request))
    if refusal.faults:
        raise refusal
    ordered = (
        msgspec.structs.replace(given, document=order_events(given.document)) if given.change != "retire" else given
        for given in request.records
    )
    return tuple(ReadRecord(index, given, read_record(given.document)) for index, given in enumerate(ordered))


def _unreadable_reasons(request: SubmissionRequest) -> Iterator[Fault]:
    texts = {"/public_reason": request.public_reason, "/although": request.although}
    texts |= {"/private_reason": request.private_reason}
    texts |= {f"/evidence/{index}/title": each.title for index, each in enumerate(request.evidence)}
    for pointer, text in texts.items():
        if text is not None and (fault := find_unreadable(text) or find_mixed(text)):
            yield Fault(pointer, fault)


def _faults_of(request: SubmissionRequest) -> Iterator[Fault]:
    if not request.records:
        yield Fault("/records", "a submission needs at least one record")
    if request.public_reason != request.public_reason.strip():
        yield Fault("/public_reason", "must not begin or end with blanks")
    if request.although is not None and (not request.although or request.although != request.although.strip()):
        yield Fault("/although", "says why, and does not begin or end with blanks")
    yield from _unreadable_reasons(request)
    seen: dict[str, int] = {}
    for index, given in enumerate(request.records):
        pointer, document = f"/records/{index}/document", given.document
        name = document.get("id")
        place = name if isinstance(name, str) else ""
        # Without an id here, none could be minted: what it is made of is missing, and that is told on its own.
        plain = document if name is not None else {**document, "id": _UNMINTED}
        for fault in list_faults(plain):
            yield Fault(f"{pointer}{fault.pointer}", fault.message, place)
        if name is None:
            yield Fault(f"{pointer}/id", "`id` is missing, and what an id is made of too", place)
        if KNOWN_FROM in document:
            yield Fault(f"{pointer}/{KNOWN_FROM}", "only the first load of a registry states this", place)
        first = seen.setdefault(place, index) if place else index
        if first != index:
            yield Fault(f"{pointer}/id", f"record {first} of this submission has the id {place!r} too", place)
        if given.change is not None and given.change != "new" and not request.public_reason:
            yield Fault("/public_reason", f"a change of kind `{given.change}` needs a public reason", place)
