"""Values of the chain of acts: an act, how it is hashed, and what is handed in to be appended."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from cab_registry.storage.acts.images import RowImage
from cab_registry.storage.canonical import canonical_bytes, sha256, spell_instant

ACT_FORMAT: Final = 1

OPERATOR: Final = "operator"
"""Acts on the server itself, with the command line: no token lets it in."""
CATALOGUE: Final = "catalogue"
"""Enters the catalogue of the program."""
JOBS: Final = "jobs"
"""The jobs' process."""

ActKind = Literal[
    "acts_begun",
    "records_loaded",
    "submission_received",
    "submission_decided",
    "private_erased",
    "clock_corrected",
    "run_due",
    "run_done",
    "run_failed",
    "principal_made",
    "principal_disabled",
    "principal_erased",
    "invitation_made",
    "invitation_approved",
    "invitation_redeemed",
    "invitation_ended",
    "role_asked",
    "role_granted",
    "role_refused",
    "role_ended",
    "token_issued",
    "token_shortened",
    "token_revoked",
    "watch_ended",
    "endpoint_ended",
]


class NewAct(msgspec.Struct, frozen=True, kw_only=True):
    """Something that somebody did, to be appended in the transaction in which it is done.

    Attributes:
        kind: what was done.
        actor: opaque id of who did it, or OPERATOR, CATALOGUE, JOBS.
        subject: id of what it was done to: a submission, a principal, a token, a job.
        token: id of the token that let the actor in; none for who needs none.
        authority: for which authority, where there is one.
        rows: each row that decides and that the act changed, as it stands after the act (images.read_image).
        details: further facts; JSON values without floats. No names of people, no secrets: it is never erased.
    """

    kind: ActKind
    actor: str
    subject: str
    token: str | None = None
    authority: str | None = None
    rows: tuple[RowImage, ...] = ()
    details: Mapping[str, Any] = {}

    def content(self) -> bytes:
        """Spell what is hashed beside the header.

        Raises:
            NotCanonical: a detail has no canonical form.
        """
        return canonical_bytes({"rows": [each.plain() for each in self.rows], "details": dict(self.details)})


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One act as the chain holds it.

    `recorded` is an instant in UTC with microseconds; hashes are 32 bytes; `content` is canonical bytes. `log_position`
    and `log_hash` are the end of the log of records at that moment: position zero and the genesis hash before any.
    """

    position: int
    format: int
    recorded: datetime
    kind: str
    actor: str
    token: str | None
    authority: str | None
    subject: str
    content: bytes
    log_position: int
    log_hash: bytes
    previous_hash: bytes
    act_hash: bytes

    def rows(self) -> list[RowImage]:
        """Decode the rows as they stood after the act.

        Raises:
            msgspec.DecodeError, msgspec.ValidationError: the content is not that of an act; only in a damaged chain.
        """
        return msgspec.json.decode(self.content, type=_Content).rows

    def details(self) -> dict[str, Any]:
        """Decode the further facts.

        Raises:
            msgspec.DecodeError, msgspec.ValidationError: as rows.
        """
        return msgspec.json.decode(self.content, type=_Content).details


class ActsHead(msgspec.Struct, frozen=True):
    """The end of the chain of acts: position zero and the hash of the log's id stand for an empty one."""

    position: int
    recorded: datetime | None
    act_hash: bytes


class _Content(msgspec.Struct):
    rows: list[RowImage]
    details: dict[str, Any]


def acts_genesis(log_id: str) -> bytes:
    """Give the hash that stands before the first act of a log."""
    return sha256(canonical_bytes({"chain": "acts", "format": ACT_FORMAT, "log": log_id}))


def act_hash(act: Act) -> bytes:
    """Hash an act's header, and through the hashes in it its content, all acts before, and the log up to then.

    The stored `act_hash` itself is not read.
    """
    header = {
        "actor": act.actor,
        "authority": act.authority,
        "chain": "acts",
        "content_hash": sha256(act.content).hex(),
        "format": act.format,
        "kind": act.kind,
        "log_hash": act.log_hash.hex(),
        "log_position": act.log_position,
        "position": act.position,
        "previous_hash": act.previous_hash.hex(),
        "recorded": spell_instant(act.recorded),
        "subject": act.subject,
        "token": act.token,
    }
    return sha256(canonical_bytes(header))
