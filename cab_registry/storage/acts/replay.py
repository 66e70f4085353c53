"""Replaying the acts: how every row that decides should stand, and whether each act could be done when it was."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from cab_registry.storage.acts.act import Act
from cab_registry.storage.acts.authority import Roles, Values, judge_deciding, judge_receiving
from cab_registry.storage.acts.images import COMMITTED, RowImage
from cab_registry.storage.canonical import canonical_hash, sha256
from cab_registry.storage.chain import FaultKind, LogFault
from cab_registry.storage.entries import Entry

Key = tuple[Any, ...]

KIND_OF: Final[Mapping[str, FaultKind]] = {
    "submission": "submission",
    "submission_private": "private",
    "entry_private": "private",
    "principal": "principal",
    "role_grant": "role",
    "token": "token",
    "authority_policy": "policy",
    "job_run": "run",
}
"""How a fault in a row of a table is called; `row` in any other."""

KEPT_WHOLE: Final = frozenset({"principal", "token", "authority_policy"})
"""Tables whose rows are small and few, and that later acts rest on."""

_PERSON: Final = re.compile(r"p-[0-9a-f]{16}")
_RECEIVED: Final = "submission_received"
_DECIDED: Final = "submission_decided"


class Entered(msgspec.Struct):
    """What one act entered into the log: the submission, the span, and the hash over the payloads' hashes."""

    submission: str
    principal: str
    first: int
    last: int
    hashes: list[bytes]

    def stated(self) -> dict[str, Any]:
        """Return it as the act states it."""
        return {"first": self.first, "last": self.last, "payloads": sha256(b"".join(self.hashes)).hex()}


class EnteredWalk:
    """Gathers, from a walk over the log, what each act entered."""

    def __init__(self) -> None:
        self.by_act: dict[bytes, Entered] = {}
        self.without_act = 0
        self.missing_private: list[int] = []

    def step(self, entry: Entry, private: bytes | None) -> Iterator[LogFault]:
        """Take the next entry, and give what is wrong with its act as far as entries tell."""
        if entry.private_hash is not None and private is None:
            self.missing_private.append(entry.position)
        if entry.act_hash is None:
            self.without_act = entry.position
            return
        known = self.by_act.get(entry.act_hash)
        if known is None:
            self.by_act[entry.act_hash] = Entered(
                entry.submission, entry.principal, entry.position, entry.position, [entry.payload_hash]
            )
            return
        if (known.submission, known.principal) != (entry.submission, entry.principal):
            yield LogFault("entry", entry.position, entry.id, "names an act that entered another submission")
        known.last = entry.position
        known.hashes.append(entry.payload_hash)


class Replay:
    """Rows as the acts left them, act by act.

    Attributes:
        digests: by table and key the hash of the row's values; none for a row that is gone.
        corrections: what the acts say of instants that a wrong clock gave: first and last position, microseconds.
    """

    def __init__(self, entered: EnteredWalk, *, judge_tokens: bool = True) -> None:
        self.digests: dict[str, dict[Key, bytes | None]] = {name: {} for name in (*COMMITTED, "entry_private")}
        self.corrections: dict[int, tuple[int, int, int]] = {}
        self._whole: dict[tuple[str, Key], Values] = {}
        self._waiting: dict[str, Values] = {}
        self._policies: dict[str, Values] = {}
        self._roles = Roles()
        self._entered = entered
        self._judge_tokens = judge_tokens
        self._begun = 0

    def step(self, act: Act) -> Iterator[LogFault]:
        """Give what is wrong with the next act, and take the rows that it left."""
        try:
            rows, details = act.rows(), act.details()
            for message in self._judge(act, rows, details):
                yield LogFault("authority", act.position, act.subject, message)
            for row in rows:
                self._take(row)
        except (msgspec.DecodeError, LookupError, TypeError, ValueError) as fault:
            yield LogFault("act", act.position, act.subject, f"does not say what acts of its kind say: {fault}")

    def end(self) -> Iterator[LogFault]:
        """Give what entries claim to have been entered by acts that there are not."""
        for entered in self._entered.by_act.values():
            yield LogFault("entry", entered.first, entered.submission, "no act entered what this submission holds")
        if self._entered.without_act > self._begun:
            message = "is of a format from before there were acts, behind the first of them"
            yield LogFault("entry", self._entered.without_act, None, message)

    def _judge(self, act: Act, rows: list[RowImage], details: Mapping[str, Any]) -> Iterator[str]:
        if act.kind == "acts_begun":
            self._begun = act.log_position
            return
        if act.kind == "clock_corrected":
            self.corrections[details["first"]] = (details["last"], details["ahead_by"], act.position)
        row = next((each.values for each in rows if each.table == "submission" and each.key == (act.subject,)), None)
        yield from self._judge_entries(act, row, details)
        yield from _foreign_rows(act, rows)
        if act.kind in {_RECEIVED, _DECIDED, "records_loaded"}:
            if row is None:
                yield "says nothing of its submission"
            else:
                yield from self._judge_submission(act, row)
        elif act.token is not None and self._judge_tokens:
            token = self._find("token", (act.token,))
            if token is None or token["principal"] != act.actor:
                yield "names a token that was not issued to its actor"

    def _judge_submission(self, act: Act, row: Values) -> Iterator[str]:
        before = self._waiting.get(act.subject)
        if act.kind == _DECIDED:
            if before is None:
                yield "decides on a submission that did not wait"
            elif self._judge_tokens:
                yield from judge_deciding(act, before, row, self._find, self._roles)
            return
        if (act.subject,) in self.digests["submission"]:
            yield "enters a submission that was there"
        if act.kind == "records_loaded":
            if _PERSON.fullmatch(act.actor):
                yield "enters records for a person whom no token let in"
            return
        if self._judge_tokens:
            yield from judge_receiving(act, row, self._find, self._roles)
        policy = self._policies.get(row["authority"])
        if policy is not None and policy["four_eyes"] and row["first_position"] is not None:
            yield "enters at once what another person has to approve by the policy of its authority"

    def _judge_entries(self, act: Act, row: Values | None, details: Mapping[str, Any]) -> Iterator[str]:
        entered = self._entered.by_act.pop(act.act_hash, None)
        stated = details.get("entries")
        if (None if entered is None else entered.stated()) != stated:
            yield "entered other entries into the log than those that name it"
        if entered is None:
            return
        if entered.submission != act.subject or row is None or row["principal"] != entered.principal:
            yield "its entries stand in another's name, or in another submission"
        if entered.first != act.log_position + 1:
            yield "its entries do not follow the end of the log that it names"

    def _take(self, row: RowImage) -> None:
        known = self.digests.setdefault(row.table, {})
        known[row.key] = None if row.values is None else canonical_hash(row.values)
        if row.table in KEPT_WHOLE:
            if row.values is None:
                self._whole.pop((row.table, row.key), None)
            else:
                self._whole[row.table, row.key] = row.values
        if row.table == "role_grant":
            self._roles.take(row.key, row.values)
        elif row.table == "authority_policy" and row.values is not None:
            self._policies[str(row.key[0])] = row.values
        elif row.table == "submission" and row.values is not None:
            if row.values["state"] == "submitted":
                self._waiting[str(row.key[0])] = row.values
            else:
                self._waiting.pop(str(row.key[0]), None)

    def _find(self, table: str, key: Key) -> Values | None:
        return self._whole.get((table, key))


def _foreign_rows(act: Act, rows: list[RowImage]) -> Iterator[str]:
    """Yield what rows an act states that acts of its kind cannot have written."""
    for row in rows:
        if row.table in {"submission", "submission_private"} and row.key[0] != act.subject:
            yield f"writes of the submission {row.key[0]}, which is not its own"
        if row.table == "authority_policy" and (
            act.kind != _DECIDED or row.key[0] != act.authority or (row.values or {}).get("submission") != act.subject
        ):
            yield f"sets a policy of {row.key[0]} that its submission did not ask for"
        if row.values is None and act.kind not in {"private_erased", "acts_begun"} and row.table.endswith("_private"):
            yield "deletes a private part without saying that it is erased"
