"""The chain, checked entry by entry from stored bytes: pure, so that a mirror or an offline verifier runs it too."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final, Literal, get_args

import msgspec

from cab_registry.storage.canonical import canonical_bytes, sha256
from cab_registry.storage.corrections import Corrections
from cab_registry.storage.entries import FORMATS, Change, Entry, entry_hash, genesis_hash, private_hash

_NONE: Final = Corrections()
_CHANGES: Final = frozenset(get_args(Change))
_HEADS: Final = ("type", "id", "owner")

FaultKind = Literal[
    "entry",
    "order",
    "private",
    "version",
    "search",
    "submission",
    "tail",
    "act",
    "authority",
    "principal",
    "role",
    "token",
    "policy",
    "run",
    "clock",
    "identity",
    "row",
]


class LogFault(msgspec.Struct, frozen=True):
    """Something in the log or in what is derived from it that cannot be so.

    Attributes:
        kind: entry: its bytes are not what was hashed; order: positions, instants, versions or links of the chain;
            private: a private part that its hash does not vouch for, or that is missing though no act erased it;
            version, search: a derived row that the log does not yield; submission, principal, role, token, policy,
            run, row: a row that is not as the acts left it; act: the chain of acts itself; authority: an act that its
            actor could not do; clock: instants recorded by a wrong clock; identity: nothing says which log it is; tail:
            the kept head is in neither chain.
        position: the entry concerned, of kind act and authority the act, where there is one.
        subject: the record, body or submission concerned, where there is one.
        message: one sentence.
    """

    kind: FaultKind
    position: int | None
    subject: str | None
    message: str


class ChainWalk:
    """A walk over all entries of a log in order of position, from the first.

    Attributes:
        position: of the last entry walked over; zero before the first.
        last_hash: what the next entry must name as the one before it.
    """

    def __init__(self, log_id: str, corrections: Corrections = _NONE) -> None:
        self.position = 0
        self._corrections = corrections
        self.last_hash = genesis_hash(log_id)
        self._recorded: datetime | None = None
        self._submission: str | None = None
        self._submissions: set[str] = set()
        self._records: dict[str, tuple[str, int]] = {}

    def step(self, entry: Entry, salt: bytes | None = None, private: bytes | None = None) -> Iterator[LogFault]:
        """Give what is wrong with the next entry, and go on behind it.

        Args:
            entry: as stored.
            salt: of its private part, where that is still there.
            private: the private part itself, likewise.
        """
        yield from (LogFault("entry", entry.position, entry.id, message) for message in _content(entry))
        yield from (LogFault("order", entry.position, entry.id, message) for message in self._order(entry))
        if private is not None and (salt is None or private_hash(salt, private) != entry.private_hash):
            message = "the private part is not the one that was chained"
            yield LogFault("private", entry.position, entry.id, message)
        self._submissions.add(entry.submission)
        self._records[entry.id] = (entry.type, entry.version)
        self.position, self.last_hash = entry.position, entry.entry_hash
        self._recorded, self._submission = self._instant(entry), entry.submission

    def _instant(self, entry: Entry) -> datetime:
        return self._corrections.instant(entry.position, entry.recorded)

    def _order(self, entry: Entry) -> Iterator[str]:
        recorded = self._instant(entry)
        if entry.position != self.position + 1:
            yield f"follows position {self.position}: entries are missing between them"
        if entry.previous_hash != self.last_hash:
            yield "does not continue the chain: the entry before is not the one that it names"
        if self._recorded is not None and recorded < self._recorded:
            yield "was recorded before the entry that it follows"
        if entry.submission == self._submission:
            if recorded != self._recorded:
                yield "was not recorded at the instant of its submission"
        elif entry.submission in self._submissions:
            yield "belongs to a submission that was complete"
        elif recorded == self._recorded:
            yield "was recorded at the instant of another submission"
        kind, version = self._records.get(entry.id, (entry.type, 0))
        if kind != entry.type:
            yield f"gives a record of type {kind} the type {entry.type}"
        if entry.version != version + 1:
            yield f"is version {entry.version} of its record after version {version}"


def _content(entry: Entry) -> Iterator[str]:
    if entry.format not in FORMATS or (entry.format == 1) != (entry.act_hash is None):
        yield f"has the unknown format {entry.format}, or lacks what belongs to it"
    if entry.change not in _CHANGES or (entry.change == "new") != (entry.version == 1):
        yield f"is called {entry.change} as version {entry.version}"
    if sha256(entry.payload) != entry.payload_hash:
        yield "the payload is not the one that was hashed"
    try:
        if entry_hash(entry) != entry.entry_hash:
            yield "the header is not the one that was hashed"
        document = msgspec.json.decode(entry.payload)
        if canonical_bytes(document) != entry.payload:
            yield "the payload is not canonical"
        if not isinstance(document, dict) or any(document.get(key) != getattr(entry, key) for key in _HEADS):
            yield "the payload names another type, id or owner than the header"
    except (msgspec.DecodeError, ValueError) as fault:
        yield f"cannot be read: {fault}"
