"""What can be watched: a body, a scope of one, an agreement, an authority's records, or a question."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from cab_registry.domain.errors import Fault
from cab_registry.domain.question import AskedQuestion, Question, Word, find_faults, pose
from cab_registry.engine.facts import Facts
from cab_registry.services.asking import tidy_kind
from cab_registry.services.meant import list_meant

TargetKind = Literal["body", "scope", "agreement", "authority", "question", "standing"]
MOST_ROWS: Final = 5_000
"""Rows of one portfolio."""

Label = Annotated[str, Meta(max_length=200)]


class Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that is watched."""

    kind: Annotated[
        TargetKind,
        Meta(
            description="body: all that is recorded of it; scope: what it may do for a requirement, in a sector or in "
            "a market; agreement: its record, routes and the rights under it; authority: the records that it owns or "
            "gives; question: about a document, presented on its `presented_on` or, without one, each day anew; "
            "standing: a result performed, issued and presented on its `standing_on` or, without one, each day anew."
        ),
    ]
    id: Annotated[Word | None, Meta(description="Id of the body, agreement or authority.")] = None
    requirement: Annotated[Word | None, Meta(description="Of a scope: id of the requirement.")] = None
    sector: Annotated[Word | None, Meta(description="Of a scope: the sector.")] = None
    destination: Annotated[Word | None, Meta(description="Of a scope: the market.")] = None
    question: Annotated[AskedQuestion | None, Meta(description="The question.")] = None
    row: Annotated[Label, Meta(description="The watcher's own name for it, as the row of a file.")] = ""

    @property
    def rolling(self) -> bool:
        """Whether the question is asked for each day anew."""
        if self.question is None:
            return False
        return (self.question.standing_on if self.kind == "standing" else self.question.presented_on) is None

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys by which a change of records finds it; a question is found by what its answer read."""
        return () if self.id is None else (f"{'body' if self.kind == 'scope' else self.kind}:{self.id}",)

    def asked(self, day: date) -> AskedQuestion:
        """Return the question as it is asked on a day."""
        if self.question is None:
            raise ValueError(f"a watch of a {self.kind} asks no question")
        if self.kind == "standing" and self.question.standing_on is None:
            return msgspec.structs.replace(self.question, standing_on=day)
        return self.question

    def pose(self, day: date) -> Question:
        """Return the question ready for the engine, as it is asked on a day."""
        return pose(self.asked(day), today=day)


def tidy_target(target: Any) -> Any:
    """Return a target whose question names the kind of its result by the register's own code."""
    if not isinstance(target, dict) or "question" not in target:
        return target
    return {**target, "question": tidy_kind(target["question"])}


def list_target_faults(target: Target, facts: Facts, today: date) -> Iterator[Fault]:
    """Yield what is wrong with a target, with pointers into it."""
    yield from list_own_faults(target, today)
    if target.kind not in ("question", "standing"):
        yield from _list_id_faults(target, facts)


def list_own_faults(target: Target, today: date) -> Iterator[Fault]:
    """Yield what is wrong with a target whatever the register knows."""
    asks = target.kind in ("question", "standing")
    if asks:
        yield from _list_question_faults(target, today)
    elif target.question is not None:
        yield Fault("/question", f"a watch of a {target.kind} asks no question")
    if asks and target.id is not None:
        yield Fault("/id", "a question names its issuer itself")
    narrow = {"requirement": target.requirement, "sector": target.sector, "destination": target.destination}
    if target.kind != "scope":
        yield from (Fault(f"/{name}", "only a scope is narrowed so") for name, given in narrow.items() if given)
    elif not any(narrow.values()):
        yield Fault("/requirement", "a scope names a requirement, a sector or a destination")
    if not asks and target.id is None:
        yield Fault("/id", f"a watch of a {target.kind} needs its id")


def _list_question_faults(target: Target, today: date) -> Iterator[Fault]:
    if target.question is None:
        yield Fault("/question", f"a watch of a {target.kind} needs one")
        return
    if target.question.known_at is not None:
        yield Fault("/question/known_at", "what was known then does not change: leave it out")
    if target.kind == "question" and target.question.standing_on is not None:
        yield Fault("/question/standing_on", "a standing question is watched with the kind `standing`")
    yield from (Fault(f"/question{each.pointer}", each.message) for each in find_faults(target.asked(today)))


def _list_id_faults(target: Target, facts: Facts) -> Iterator[Fault]:
    known = {"agreement": facts.agreements, "authority": facts.authorities}.get(target.kind, facts.issuers)
    if target.id is not None and target.id not in known:
        what = "body" if known is facts.issuers else target.kind
        meant = " or ".join(each for each in list_meant(target.id, facts) if each in known)
        yield Fault("/id", f"the register has no such {what}" + (f"; did you mean {meant}?" if meant else ""))
