"""`cab submission`: what was handed in, and the second pair of eyes."""

from typing import Annotated, Any, Final, Literal

import typer
from rich.text import Text

from cab_cli.console import data_console, print_json, say, words_console
from cab_cli.desk import AsJson, Desk, ProfileOption, ServerOption, open_desk
from cab_cli.profiles import FIRST
from cab_cli.submitting import PATH, await_position, print_effect, print_receipt
from cab_cli.tables import print_pairs, print_table
from cab_cli.writing import Sending
from cab_registry.domain.errors import Fault, Refusal

submission_app = typer.Typer(help="Submissions: list, show, approve, reject, withdraw.", no_args_is_help=True)
_LISTED: Final = ("id", "created", "state", "kind", "principal", "public_reason")
_APART: Final = frozenset({"versions", "records", "effect", "warnings", "unchanged"})
SubmissionArgument = Annotated[str, typer.Argument(metavar="SUBMISSION", help="Id of the submission.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask. Needed where there is no terminal.")]
PAGE: Final = 50


@submission_app.command("list")
def list_submissions(
    *,
    state: Annotated[
        Literal["submitted", "approved", "rejected", "withdrawn"] | None, typer.Option(help="Only these.")
    ] = None,
    mine: Annotated[bool, typer.Option("--mine", help="Only what you handed in.")] = False,
    waiting: Annotated[bool, typer.Option("--waiting", help="Only what you may decide, the oldest first.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = PAGE,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """List the submissions of your authority, the newest first.

    Examples:
      cab submission list --waiting
      cab submission list --mine --json
    """
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    with open_desk(server, profile) as desk:
        while len(found) < limit:
            page = desk.client.get(
                PATH,
                {
                    "state": state,
                    "mine": "true" if mine else None,
                    "waiting": "true" if waiting else None,
                    "limit": str(min(PAGE, limit - len(found))),
                    "cursor": cursor,
                },
            )
            found += page["items"]
            cursor = page["next"]
            if cursor is None:
                break
    if as_json:
        print_json({"items": found, "more": cursor is not None})
        return
    if found:
        print_table(data_console(), _LISTED, ([each.get(key) for key in _LISTED] for each in found), ("id",))
    else:
        say("No submission fits.")


@submission_app.command("show")
def show_submission(
    submission: SubmissionArgument,
    *,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Show a submission and, while it waits, what it would change.

    Examples:
      cab submission show 7c1e...
    """
    with open_desk(server, profile) as desk:
        found = desk.client.get(f"{PATH}/{_checked(submission)}", {})
        effect = _read_effect(desk, found)
    if as_json:
        print_json({**found, "effect": effect or found["effect"]})
        return
    console = data_console()
    plain = {key.replace("_", " "): value for key, value in found.items() if key not in _APART}
    print_pairs(console, {key: value for key, value in plain.items() if value is not None})
    for version in found.get("versions") or []:
        console.print(Text(f"  {version['type']} {version['id']}, version {version['version']}"))
    if effect is not None:
        print_effect(console, "\nIt would change:", effect)


def _read_effect(desk: Desk, found: dict[str, Any]) -> Any:
    if found["state"] != "submitted" or desk.authority not in {found["authority"], found["counterpart"]}:
        return None
    return desk.client.get(f"{PATH}/{found['id']}/effect", {})


@submission_app.command("approve")
def approve(
    submission: SubmissionArgument,
    *,
    yes: Yes = False,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Approve what somebody else handed in, as it is shown: a content that changed meanwhile is not approved.

    Examples:
      cab submission approve 7c1e... --yes
    """
    sending = Sending(yes=yes)
    sending.require_consent()
    with open_desk(server, profile) as desk:
        found = desk.client.get(f"{PATH}/{_checked(submission)}", {})
        if sending.asks:
            if (effect := _read_effect(desk, found)) is not None:
                print_effect(words_console(), found["public_reason"], effect)
            if not typer.confirm("Approve it?", err=True):
                raise Refusal("nothing was decided")
        decided = desk.client.send(f"{PATH}/{found['id']}/approve", {"digest": found["digest"]})
        await_position(desk, decided.get("position"))
    _print_decided(decided, as_json=as_json)


@submission_app.command("reject")
def reject(
    submission: SubmissionArgument,
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, for who handed it in.")],
    yes: Yes = False,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Reject what somebody else handed in.

    Examples:
      cab submission reject 7c1e... --reason "The certificate is of another site" --yes
    """
    _ask_before(f"Reject {_checked(submission)}?", yes=yes)
    with open_desk(server, profile) as desk:
        decided = desk.client.send(f"{PATH}/{submission}/reject", {"reason": reason})
    _print_decided(decided, as_json=as_json)


@submission_app.command("withdraw")
def withdraw_submission(
    submission: SubmissionArgument,
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, for your authority alone.")],
    yes: Yes = False,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Take back what you handed in, while it waits.

    Examples:
      cab submission withdraw 7c1e... --reason "Sent too early" --yes
    """
    _ask_before(f"Withdraw {_checked(submission)}?", yes=yes)
    with open_desk(server, profile) as desk:
        decided = desk.client.send(f"{PATH}/{submission}/withdraw", {"reason": reason})
    _print_decided(decided, as_json=as_json)


def _ask_before(question: str, *, yes: bool) -> None:
    sending = Sending(yes=yes)
    sending.require_consent()
    if sending.asks and not typer.confirm(question, err=True):
        raise Refusal("nothing was decided")


def _print_decided(decided: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(decided)
    elif decided["state"] == "approved":
        print_receipt(data_console(), decided["public_reason"], decided)
    else:
        say(f"The submission {decided['id']} is {decided['state']}.")


def _checked(submission: str) -> str:
    if not submission.replace("-", "").isalnum() or not submission.isascii():
        raise Refusal(f"{submission!r} is no id of a submission", (Fault("SUBMISSION", "as cab submission list says"),))
    return submission
