"""Handing in a change: shown first, then sent once, however often the answer is lost."""

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import typer
from rich.console import Console
from rich.text import Text

from cab_cli.citing import Citation, cite
from cab_cli.console import data_console, print_json, say, words_console
from cab_cli.desk import Desk, Held, open_desk
from cab_cli.drafts import today
from cab_cli.profiles import Waiting, forget_waiting, keep_waiting, name_waiting, read_waiting
from cab_cli.writing import Sending, read_evidence
from cab_registry.domain.errors import Fault, OperationalFault, Refusal

PATH: Final = "/v1/submissions"
MOST_FLIPS: Final = 30


@dataclass(frozen=True, slots=True)
class Change:
    """A record as it is to stand, the version that was read, and what the change is where that must be said."""

    document: dict[str, Any]
    version: int = 0
    change: str | None = None
    before: dict[str, Any] | None = None

    @classmethod
    def of(cls, held: Held, document: dict[str, Any], change: str | None = None) -> "Change":
        """Change a record that was read."""
        return cls(document, held.version, change, held.document)

    def citing(self, citations: Sequence[Citation], read_on: str) -> "Change":
        """Return the change with sources in its record, read on a day."""
        return replace(self, document=cite(self.document, self.before, citations, read_on))

    def plain(self) -> dict[str, Any]:
        """Return what is sent of it."""
        return {"document": self.document, "expected_version": self.version, "change": self.change}


@dataclass(frozen=True, slots=True)
class Draft:
    """What a command wants to hand in, and what that is in one line."""

    headline: str
    changes: Sequence[Change]
    kind: Literal["records", "transfer", "policy"] = "records"


def hand_in(sending: Sending, intent: Iterable[str], prepare: Callable[[Desk], Draft]) -> None:
    """Prepare a change on what the register holds now, show it, ask, send it, and say what became of it.

    A request that got no answer is kept under its intent: the same words later send the same request with the same
    key again, whatever the register holds by then, and so learn what became of it.

    Args:
        sending: how it is handed in.
        intent: the command's own words; equal words mean the same change.
        prepare: makes the change.
    """
    sending.require_consent()
    with open_desk(sending.server, sending.profile) as desk:
        name = name_waiting(desk.client.server, desk.authority, [*intent, *sending.words()])
        waiting = None if sending.dry_run else read_waiting(name)
        if waiting is None:
            request, headline = _compose(desk, sending, prepare(desk))
            if sending.dry_run or sending.asks:
                _look_before(desk, sending, request, headline)
            if sending.dry_run:
                return
            if sending.asks and not typer.confirm("Send it?", err=True):
                raise Refusal("nothing was sent")
            waiting = Waiting(key=secrets.token_hex(16), request=request, headline=headline)
            keep_waiting(name, waiting)
        else:
            say("The same words were sent before and got no answer: asking what became of them.")
        receipt = _send(desk, name, waiting)
        await_position(desk, receipt["position"])
    if sending.as_json:
        print_json(receipt)
    else:
        print_receipt(data_console(), waiting.headline, receipt)


def _send(desk: Desk, name: str, waiting: Waiting) -> Any:
    try:
        receipt = desk.client.send(PATH, waiting.request, key=waiting.key)
    except Refusal:
        forget_waiting(name)
        raise
    except OperationalFault as fault:
        unknown = "Whether it was entered is not known: the same command again finds out, and enters it once at most."
        raise OperationalFault(f"{fault}\n{unknown}") from None
    forget_waiting(name)
    return receipt


def _compose(desk: Desk, sending: Sending, draft: Draft) -> tuple[dict[str, Any], str]:
    anew = all(change.version == 0 for change in draft.changes)
    if not sending.reason and (draft.kind != "records" or not anew) and not sending.dry_run:
        raise Refusal("a change needs a reason", (Fault("--reason", "say why; everybody can read it"),))
    citations = sending.citations
    request = {
        "kind": draft.kind,
        "authority": desk.authority,
        "public_reason": (sending.reason or _as_reason(draft.headline)).strip(),
        **_although(sending),
        "private_reason": sending.private_reason,
        "evidence": [read_evidence(each) for each in sending.evidence],
        "records": [change.citing(citations, today()).plain() for change in draft.changes],
    }
    return request, draft.headline


def _as_reason(headline: str) -> str:
    """Return what stands for a reason that nobody wrote; faults in a name are then told where the name stands."""
    from cab_registry.domain.lettering import find_mixed, find_unreadable

    return headline if find_unreadable(headline) is None and find_mixed(headline) is None else "A new record"


def _although(sending: Sending) -> dict[str, str]:
    return {"although": sending.although.strip()} if sending.although else {}


def _look_before(desk: Desk, sending: Sending, request: dict[str, Any], headline: str) -> None:
    shown = desk.client.send(PATH, {**request, "dry_run": True})
    if sending.dry_run and sending.as_json:
        print_json(shown)
    else:
        print_effect(data_console() if sending.dry_run else words_console(), headline, shown)


def await_position(desk: Desk, position: int | None) -> None:
    """Wait until the server answers from what was written, so that the next command sees it."""
    if position is None:
        return
    try:
        desk.client.get("/v1/bodies", {"limit": "1", "at_least": str(position)})
    except OperationalFault:
        say("It is entered; answers show it in a moment.")


def print_effect(console: Console, headline: str, shown: dict[str, Any]) -> None:
    """Print what a change would do: the records in words, the warnings, the answers that flip."""
    console.print(Text(headline, style="bold"))
    for record in shown["records"]:
        console.print(Text(f"  {record['type']} {record['id']}, version {record['version']}: {record['change']}"))
        for words in record["words"]:
            console.print(Text(f"    {words}"))
    _print_warnings(console, shown["warnings"])
    effect = shown.get("effect")
    if effect is None:
        return
    sentences = effect["sentences"]
    reach = f"from {effect['since']} to {effect['until']}"
    if sentences:
        console.print(Text(f"Answers that flip, {reach}:", style="bold"))
    else:
        console.print(Text(f"No standing answer flips, {reach}."))
    for sentence in sentences[:MOST_FLIPS]:
        console.print(Text(f"  {sentence}"))
    if len(sentences) > MOST_FLIPS:
        console.print(Text(f"  and {len(sentences) - MOST_FLIPS} more, which --json lists"))
    if not effect["complete"]:
        console.print(Text("  There may be more: not every question was asked."))
    if shown["state"] == "submitted":
        console.print(Text("It would wait for a second pair of eyes."))


def print_receipt(console: Console, headline: str, receipt: dict[str, Any]) -> None:
    """Print what became of a change."""
    again = " (entered by an earlier call)" if receipt.get("repeated") else ""
    console.print(Text(f"{headline}{again}", style="bold"))
    if receipt["state"] == "submitted":
        console.print(Text(f"Submission {receipt['id']} waits for a second pair of eyes:"))
        console.print(Text(f"  cab submission approve {receipt['id']}"))
    elif receipt["kind"] == "policy" and not receipt.get("unchanged"):
        console.print(Text(f"Submission {receipt['id']} is {receipt['state']}: the policy counts from now on."))
    elif receipt["position"] is None:
        console.print(Text("Nothing was entered: the register says all of it already."))
    else:
        console.print(Text(f"Submission {receipt['id']} is {receipt['state']}, up to position {receipt['position']}."))
    for version in receipt["versions"]:
        console.print(Text(f"  {version['type']} {version['id']}, version {version['version']}"))
    for unchanged in receipt.get("unchanged", []):
        console.print(Text(f"  {unchanged} is the same already"))
    _print_warnings(console, receipt["warnings"])


def _print_warnings(console: Console, warnings: Iterable[dict[str, Any]]) -> None:
    for warning in warnings:
        console.print(Text(f"Warning: {warning['pointer']}: {warning['message']}", style="yellow"))
