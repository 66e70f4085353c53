"""`cab endpoint`: where notices go. The secret of a webhook is shown once."""

from typing import Annotated, Any, Final

import typer

from cab_cli.account_names import find_account
from cab_cli.console import data_console, print_json, say, write
from cab_cli.desk import AsJson, ProfileOption, ServerOption, open_desk
from cab_cli.profiles import FIRST
from cab_cli.tables import print_table

PATH: Final = "/v1/endpoints"
endpoint_app = typer.Typer(help="Where notices go: webhooks and mail addresses.", no_args_is_help=True)
EndpointArgument = Annotated[str, typer.Argument(metavar="ENDPOINT", help="Id of the endpoint.")]


@endpoint_app.command("add")
def add(
    address: Annotated[str, typer.Argument(metavar="URL|MAIL", help="https address of a webhook, or a mail address.")],
    *,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Make an endpoint. The secret of a webhook is the only thing on standard output, and is never shown again.

    A mail address gets a link to follow before anything else is sent to it.

    Examples:
      cab endpoint add https://receiver.example/notices
      cab endpoint add imports@importer.example
    """
    kind = "webhook" if "://" in address else "mail"
    with open_desk(server, profile) as desk:
        # Sent once: where the answer is lost, the endpoint whose secret nobody saw is in the list, to be ended.
        issued = desk.client.send(PATH, {"kind": kind, "address": address}, attempts=1)
    _print_issued(issued, as_json=as_json)


@endpoint_app.command("list")
def list_endpoints(
    *,
    everyone: Annotated[bool, typer.Option("--everyone", help="Of your whole authority, for its auditors.")] = False,
    ended: Annotated[bool, typer.Option("--ended", help="Those that ended, too.")] = False,
    principal: Annotated[
        str | None,
        typer.Option(metavar="PRINCIPAL", help="Of this account, id or name, at every authority; for registrars."),
    ] = None,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """List your endpoints with their state; never a secret.

    Examples:
      cab endpoint list
      cab endpoint list --ended --json
    """
    with open_desk(server, profile) as desk:
        wanted = {
            "everyone": "true" if everyone else None,
            "ended": "true" if ended else None,
            "principal": None if principal is None else find_account(desk, principal),
        }
        found = desk.client.get(PATH, wanted)
    if as_json:
        print_json(found)
        return
    columns = ("id", "kind", "hint", "state", "reason", "failing_since", "created")
    headings = tuple(each.replace("_", " ") for each in columns)
    print_table(data_console(), headings, ([each[key] for key in columns] for each in found["items"]), ("id",))


@endpoint_app.command("test")
def send_test(
    endpoint: EndpointArgument, *, server: ServerOption = None, profile: ProfileOption = FIRST, as_json: AsJson = False
) -> None:
    """Send a notice that tells nothing but that it arrives.

    Examples:
      cab endpoint test e-0123456789abcdef
    """
    sent = _step(endpoint, "test", {}, server, profile)
    _print_sent(sent, f"It is on its way; see cab endpoint deliveries {endpoint}.", as_json=as_json)


@endpoint_app.command("enable")
def enable(
    endpoint: EndpointArgument, *, server: ServerOption = None, profile: ProfileOption = FIRST, as_json: AsJson = False
) -> None:
    """Send to an endpoint again that was disabled because nothing could be delivered, and first what was held.

    Examples:
      cab endpoint enable e-0123456789abcdef
    """
    sent = _step(endpoint, "enable", {}, server, profile)
    _print_sent(sent, f"Notices that were held and are sent now: {sent['notices']}.", as_json=as_json)


@endpoint_app.command("rotate")
def rotate(
    endpoint: EndpointArgument, *, server: ServerOption = None, profile: ProfileOption = FIRST, as_json: AsJson = False
) -> None:
    """Give a webhook another secret; until the next rotation the one before it signs, too.

    Examples:
      cab endpoint rotate e-0123456789abcdef
    """
    _print_issued(_step(endpoint, "rotate", {}, server, profile, attempts=1), as_json=as_json)


@endpoint_app.command("replay")
def replay(
    endpoint: EndpointArgument,
    *,
    after: Annotated[int, typer.Option(min=0, metavar="POSITION", help="Position of the log after which.")],
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Send again what was delivered or given up after a position of the log; notices keep their ids.

    Examples:
      cab endpoint replay e-0123456789abcdef --after 2190
    """
    sent = _step(endpoint, "replay", {"after": after}, server, profile)
    _print_sent(sent, f"Notices that are sent again: {sent['notices']}.", as_json=as_json)


@endpoint_app.command("deliveries")
def deliveries(
    endpoint: EndpointArgument,
    *,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many attempts.")] = 50,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Show the attempts to deliver, of the newest notice first.

    Examples:
      cab endpoint deliveries e-0123456789abcdef
    """
    with open_desk(server, profile) as desk:
        found = desk.client.get(f"{PATH}/{endpoint}/deliveries", {"limit": str(limit)})
    if as_json:
        print_json(found)
        return
    columns = ("began", "number", "kind", "attempt", "outcome", "words", "seconds")
    print_table(data_console(), columns, ([each[key] for key in columns] for each in found["items"]), ("kind",))


@endpoint_app.command("end")
def end(
    endpoint: EndpointArgument, *, server: ServerOption = None, profile: ProfileOption = FIRST, as_json: AsJson = False
) -> None:
    """Send nothing more to an endpoint and forget its address; its watches go on, to be read.

    Examples:
      cab endpoint end e-0123456789abcdef
    """
    with open_desk(server, profile) as desk:
        ended = desk.client.delete(f"{PATH}/{endpoint}")
    if as_json:
        print_json(ended)
    else:
        say(f"The endpoint {ended['id']} ended.")


def _step(
    endpoint: str,
    step: str,
    content: dict[str, Any],
    server: str | None,
    profile: str,
    *,
    attempts: int | None = None,
) -> dict[str, Any]:
    with open_desk(server, profile) as desk:
        done: dict[str, Any] = desk.client.send(f"{PATH}/{endpoint}/{step}", content, attempts=attempts)
    return done


def _print_sent(sent: dict[str, Any], words: str, *, as_json: bool) -> None:
    if as_json:
        print_json(sent)
    else:
        say(words)


def _print_issued(issued: dict[str, Any], *, as_json: bool) -> None:
    endpoint, secret = issued["endpoint"], issued["secret"]
    if as_json:
        print_json(issued)
    elif secret is not None:
        write(secret)
    told = "The secret is not shown again." if secret is not None else "Follow the link in the mail to confirm it."
    say(f"Endpoint {endpoint['id']} ({endpoint['hint']}): {told}")
