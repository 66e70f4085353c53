"""Steps in the life of a right, each one event: suspend, reinstate, restrict, withdraw, annul, contest, verify."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import typer

from cab_cli.choosing import AgreementOption, AnnexOption, KeysOption, OnOption, RecordArgument, SiteOption, find_right
from cab_cli.desk import RIGHTS, Desk
from cab_cli.drafts import ADVERSE, find_keys, last_event, place_of, read_when, with_event
from cab_cli.submitting import Change, Draft, hand_in
from cab_cli.writing import Sending, writes
from cab_registry.domain.errors import Fault, Refusal

_LOST = ("suspended", "inactive", "restricted", "reduced", "withdrawn", "resigned")
_DONE: Final[Mapping[str, str]] = {
    "notice_of_withdrawal": ": notice of its withdrawal is given",
    "proceedings_opened": ": proceedings to withdraw it are opened",
    "resigned": " is given up by the body",
    "annulled": ": a decision against it is annulled",
}
"""What a step does, where `is` with the name of the event does not say it."""

UntilOption = Annotated[str | None, typer.Option(metavar="DAY", help="The last day, where the decision names one.")]


class _Step:
    """One event that is added to a right."""

    def __init__(self, event: str, record: str, on: str | None, keys: list[str] | None, **heading: str | None) -> None:
        self.event = event
        self.record = record
        self.on = read_when("--on", on)
        self.named = keys or []
        self.heading = heading
        self.more: dict[str, Any] = {}
        self.answers: tuple[str, ...] = ()
        self.kinds: tuple[str, ...] = RIGHTS

    def intent(self) -> list[str]:
        """The words of the command."""
        narrowed = [f"{name}={value}" for name, value in sorted(self.heading.items()) if value is not None]
        more = [f"{name}={value}" for name, value in sorted(self.more.items())]
        return [self.event, self.record, str(self.on), *self.named, "", *narrowed, *more]

    def prepare(self, desk: Desk) -> Draft:
        """Add the event to the right as it is now."""
        held = find_right(desk, self.record, self.kinds, **self.heading)
        right = held.document
        keys = find_keys(right, self.named)
        more = dict(self.more)
        if self.answers and more.get("refers_to") is None:
            answered = last_event(right, self.answers, keys, before=place_of(right, self.on))
            if answered is None:
                raise Refusal(f"{right['id']} has no event before this that could be {self.event}")
            more["refers_to"] = answered
        whole = f" for {', '.join(keys)}" if keys else ""
        changed = with_event(right, self.event, self.on, items=keys, **more)
        headline = f"{right['id']}{_DONE.get(self.event, f' is {self.event}')} on {_say(self.on)}{whole}"
        return Draft(headline, [Change.of(held, changed)])

    def take(self, sending: Sending) -> None:
        """Hand the step in."""
        hand_in(sending, self.intent(), self.prepare)


def _say(on: Any) -> str:
    return on if isinstance(on, str) else f"a day from {on.get('not_before')} to {on.get('not_after')}"


@writes
def suspend(
    sending: Sending,
    record: RecordArgument,
    *,
    on: OnOption = None,
    until: UntilOption = None,
    scope: KeysOption = None,
    agreement: AgreementOption = None,
    annex: AnnexOption = None,
    site: SiteOption = None,
    kind: Annotated[
        Literal["imposed", "voluntary", "financial"] | None, typer.Option(help="On whose account, where it is said.")
    ] = None,
) -> None:
    """Suspend a right, whole or for some scope items, until it is reinstated or to a last day.

    Examples:
      cab suspend recognition-us-fcc-fcc-kr0001-1 --on 2026-03-01 --reason "Proficiency test failed"
      cab suspend fcc-kr0001 --scope us-47cfr-15c --site suwon --on 2026-03-01 --until 2026-08-31 --reason "..."
    """
    step = _Step("suspended", record, on, scope, agreement=agreement, annex=annex, site=site)
    step.more = {"kind": kind, "until": read_when("--until", until) if until else None}
    step.take(sending)


@writes
def reinstate(
    sending: Sending,
    record: RecordArgument,
    *,
    on: OnOption = None,
    scope: KeysOption = None,
    agreement: AgreementOption = None,
    annex: AnnexOption = None,
    site: SiteOption = None,
) -> None:
    """Reinstate what was suspended, restricted or withdrawn; the gap stays a gap.

    Examples:
      cab reinstate recognition-us-fcc-fcc-kr0001-1 --on 2026-05-01 --reason "Corrective action verified"
    """
    step = _Step("reinstated", record, on, scope, agreement=agreement, annex=annex, site=site)
    step.answers = _LOST
    step.take(sending)


@writes
def restrict(
    sending: Sending,
    record: RecordArgument,
    *,
    scope: KeysOption = None,
    on: OnOption = None,
    agreement: AgreementOption = None,
    annex: AnnexOption = None,
    site: SiteOption = None,
) -> None:
    """Take some scope items from a right; the others stay.

    Examples:
      cab restrict designation-kr-rra-fcc-kr0001-1 --scope us-47cfr-15e --on 2026-03-01 --reason "..."
    """
    if not scope:
        raise Refusal("say what is taken away", (Fault("--scope", "one scope item or more; cab suspend stops all"),))
    step = _Step("restricted", record, on, scope, agreement=agreement, annex=annex, site=site)
    step.take(sending)


@writes
def withdraw(
    sending: Sending,
    record: RecordArgument,
    *,
    on: OnOption = None,
    scope: KeysOption = None,
    agreement: AgreementOption = None,
    annex: AnnexOption = None,
    site: SiteOption = None,
    resigned: Annotated[bool, typer.Option("--resigned", help="The body gave it up itself.")] = False,
    notice: Annotated[bool, typer.Option("--notice", help="Only give notice of it; nothing ends yet.")] = False,
    proceedings: Annotated[
        bool, typer.Option("--proceedings", help="Only open the proceedings; nothing ends yet.")
    ] = False,
) -> None:
    """Withdraw a right; --on is the first day without it. Agreements may ask for a notice or a contest before.

    Examples:
      cab withdraw recognition-us-fcc-fcc-kr0001-1 --notice --on 2026-03-01 --reason "..."
      cab withdraw recognition-us-fcc-fcc-kr0001-1 --on 2026-06-01 --reason "No corrective action in time"
    """
    chosen = {"resigned": resigned, "notice_of_withdrawal": notice, "proceedings_opened": proceedings}
    events = [event for event, wanted in chosen.items() if wanted] or ["withdrawn"]
    if len(events) > 1:
        raise Refusal("one step at a time", (Fault("--notice", "not with --proceedings or --resigned"),))
    _Step(events[0], record, on, scope, agreement=agreement, annex=annex, site=site).take(sending)


@writes
def annul(
    sending: Sending,
    record: RecordArgument,
    *,
    on: OnOption = None,
    scope: KeysOption = None,
    agreement: AgreementOption = None,
    annex: AnnexOption = None,
    site: SiteOption = None,
    event: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Place of the decision in the timeline, from 0; the last.")
    ] = None,
) -> None:
    """Annul a decision against a right, as an appeal does: it never was, for questions from that day on.

    Examples:
      cab annul recognition-us-fcc-fcc-kr0001-1 --on 2026-07-01 --reason "Decision quashed on appeal"
    """
    step = _Step("annulled", record, on, scope, agreement=agreement, annex=annex, site=site)
    step.answers = ADVERSE
    step.more = {"refers_to": event}
    step.take(sending)


@writes
def contest(
    sending: Sending,
    record: RecordArgument,
    *,
    on: OnOption = None,
    scope: KeysOption = None,
    agreement: AgreementOption = None,
    annex: AnnexOption = None,
    site: SiteOption = None,
) -> None:
    """Contest a recognised body in writing, on your own recognition of it; a suspension may have to follow that.

    Examples:
      cab contest fcc-kr0001 --agreement apec-tel-us-kr --on 2026-02-01 --reason "Results do not agree"
    """
    step = _Step("contested", record, on, scope, agreement=agreement, annex=annex, site=site)
    step.kinds = ("recognition",)
    step.take(sending)


@writes
def verify(
    sending: Sending,
    record: RecordArgument,
    *,
    on: OnOption = None,
    scope: KeysOption = None,
    agreement: AgreementOption = None,
    annex: AnnexOption = None,
    site: SiteOption = None,
) -> None:
    """Enter that the competence of a body was verified, after an objection or a contest.

    Examples:
      cab verify fcc-kr0001 --agreement apec-tel-us-kr --on 2026-02-20 --reason "Joint visit, report 14"
    """
    step = _Step("verified", record, on, scope, agreement=agreement, annex=annex, site=site)
    step.kinds = ("recognition",)
    step.take(sending)
