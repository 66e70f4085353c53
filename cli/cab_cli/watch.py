"""`cab watch`: what you want to be told of, kept by a server, with an account or by mail."""

import enum
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from cab_cli import completion
from cab_cli.account_names import find_account
from cab_cli.client import DEFAULT_SERVER, Client
from cab_cli.console import data_console, print_json, say, write
from cab_cli.desk import AsJson, ProfileOption, ServerOption, open_desk, open_reading
from cab_cli.drafts import today
from cab_cli.portfolios import check_portfolio, place_faults
from cab_cli.profiles import FIRST, read_profile
from cab_cli.question_flags import asks
from cab_cli.tables import print_pairs, print_table
from cab_registry.domain.errors import Refusal

PATH: Final = "/v1/watches"
PAGE: Final = "500"
watch_app = typer.Typer(help="Be told when an answer or a record changes, and before it will.", no_args_is_help=True)


class RecordKind(enum.StrEnum):
    """What of the register can be watched."""

    BODY = "body"
    SCOPE = "scope"
    AGREEMENT = "agreement"
    AUTHORITY = "authority"


NameOption = Annotated[str, typer.Option("--name", metavar="TEXT", help="What you call it.")]
EndpointOption = Annotated[
    str | None,
    typer.Option("--endpoint", metavar="ID", show_default="read them only", help="Your endpoint for the notices."),
]
MailOption = Annotated[
    str | None,
    typer.Option("--mail", metavar="ADDRESS", help="Without an account: where notices go once a link is followed."),
]
WatchArgument = Annotated[str, typer.Argument(metavar="WATCH", help="Id of the watch.")]


def _complete_record(incomplete: str) -> list[str]:
    return [*completion.complete_agreement(incomplete), *completion.complete_authority(incomplete)]


@watch_app.command("add")
def add(
    kind: Annotated[RecordKind, typer.Argument(metavar="KIND", help="body, scope, agreement or authority.")],
    record: Annotated[str, typer.Argument(metavar="ID", help="Its id.", autocompletion=_complete_record)],
    *,
    requirement: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Of a scope: the rule.", autocompletion=completion.complete_requirement),
    ] = None,
    sector: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="Of a scope: the sector.", autocompletion=completion.complete_sector),
    ] = None,
    destination: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="Of a scope: the market.", autocompletion=completion.complete_economy),
    ] = None,
    name: NameOption = "",
    endpoint: EndpointOption = None,
    mail: MailOption = None,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Watch a record of the register: a body, a scope of one, an agreement, or all that an authority records.

    Examples:
      cab watch add agreement apec-tel-us-kr
      cab watch add scope us-fda --sector pharma_gmp_human --destination EU
      cab watch add body kctl --mail imports@importer.example
    """
    narrow = {"requirement": requirement, "sector": sector, "destination": destination}
    target = {"kind": kind.value, "id": record, **{key: value for key, value in narrow.items() if value}}
    _keep([target], name, endpoint, mail, (server, profile), as_json=as_json)


@watch_app.command("question")
@asks
def question(
    asked: dict[str, Any],
    *,
    name: NameOption = "",
    endpoint: EndpointOption = None,
    mail: MailOption = None,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    r"""Watch the answer to a question about a document, for each day anew unless `--presented-on` names one.

    Examples:
      cab watch question question.json --name "report 4711"
      cab watch question --destination US --kind test_report \
        --issuer kctl --issued-on 2026-05-16 --requirement us-47cfr-15c
    """
    _keep([{"kind": "question", "question": asked}], name, endpoint, mail, (server, profile), as_json=as_json)


@watch_app.command("standing")
@asks
def standing(
    asked: dict[str, Any],
    *,
    name: NameOption = "",
    endpoint: EndpointOption = None,
    mail: MailOption = None,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    r"""Watch whether new results are accepted: performed, issued and presented on the day, whatever day it is.

    Examples:
      cab watch standing --destination US --kind test_report \
        --issuer kctl --requirement us-47cfr-15c --sector telecom_radio
      cab watch standing question.json --endpoint e-0123456789abcdef
    """
    _keep([{"kind": "standing", "question": asked}], name, endpoint, mail, (server, profile), as_json=as_json)


@watch_app.command("portfolio")
def portfolio(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A table (.csv, .tsv, .xlsx), or a document on each line (.jsonl).")
    ],
    *,
    name: NameOption = "",
    endpoint: EndpointOption = None,
    mail: MailOption = None,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Watch all rows of a file at once, or none where one of them has a fault.

    Headings of a table are the flat names of a question, such as destination, result.issuer.id or result.issued_on;
    beside them `row` names the row, and `kind` with `id` says what else is watched. Several values of a cell have
    semicolons between them.

    Examples:
      cab watch portfolio suppliers.csv --name suppliers --endpoint e-0123456789abcdef
      cab watch portfolio documents.jsonl --json
    """
    with open_reading(server, profile) as client:
        rows = check_portfolio(file, client, date.fromisoformat(today()))
    try:
        _keep([row.target for row in rows], name, endpoint, mail, (server, profile), as_json=as_json)
    except Refusal as refusal:
        raise place_faults(refusal, rows) from None


@watch_app.command("list")
def list_watches(
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
    """List your watches, the oldest first.

    Examples:
      cab watch list
      cab watch list --ended --json
    """
    with open_desk(server, profile) as desk:
        wanted = {
            "everyone": "true" if everyone else None,
            "ended": "true" if ended else None,
            "principal": None if principal is None else find_account(desk, principal),
        }
        items = list(_read_pages(desk.client, PATH, wanted, "cursor"))
    if as_json:
        print_json({"items": items})
        return
    columns = ("id", "kind", "name", "watched", "endpoint", "created", *(("ended",) if ended else ()))
    print_table(data_console(), columns, ([each[key] for key in columns] for each in items), ("id", "endpoint"))


@watch_app.command("show")
def show(
    watch: WatchArgument,
    *,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Show a watch with all that it watches and the last answers.

    Examples:
      cab watch show w-0123456789abcdef
    """
    with open_desk(server, profile) as desk:
        path = f"{PATH}/{watch}"
        found = desk.client.get(path, {"limit": PAGE})
        items = [*found["items"], *_read_pages(desk.client, path, {}, "after", found["next"])]
    if as_json:
        print_json({**found, "items": items, "next": None})
        return
    head = ("id", "kind", "name", "endpoint", "principal", "authority", "created", "ended")
    print_pairs(data_console(), {key: found[key] for key in head})
    lines = ((each["target"].get("row"), _name(each["target"]), *_answer(each)) for each in items)
    print_table(data_console(), ("row", "what", "answer", "until", "turns on"), lines)


@watch_app.command("notices")
def notices(
    watch: WatchArgument,
    *,
    after: Annotated[int, typer.Option(min=0, metavar="NUMBER", help="Only those with a higher number.")] = 0,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Show what was told of a watch, delivered or not; `--after` reads on where the last reading ended.

    Examples:
      cab watch notices w-0123456789abcdef
      cab watch notices w-0123456789abcdef --after 4711 --json
    """
    items: list[dict[str, Any]] = []
    with open_desk(server, profile) as desk:
        while True:
            page = desk.client.get(f"{PATH}/{watch}/notices", {"after": str(after), "limit": PAGE})
            items += page["items"]
            after = page["next"]
            if page["complete"]:
                break
    if as_json:
        print_json({"items": items, "next": after})
        return
    lines = (
        (each["number"], each["created"], each["kind"], each["event"]["data"]["headline"], each["state"])
        for each in items
    )
    print_table(data_console(), ("number", "created", "kind", "what", "state"), lines, ("kind",))


@watch_app.command("end")
def end(
    watch: WatchArgument,
    *,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """End a watch; what it watched is forgotten, its notices stay.

    Examples:
      cab watch end w-0123456789abcdef
    """
    with open_desk(server, profile) as desk:
        ended = desk.client.delete(f"{PATH}/{watch}")
    if as_json:
        print_json(ended)
    else:
        say(f"The watch {ended['id']} ended.")


class Guest(Client):
    """A connection without a token, to ask for a watch by mail."""

    def ask_for(self, content: dict[str, Any]) -> Any:
        """Send the request once: a repetition would be a second mail."""
        headers = {"content-type": "application/json"}
        return msgspec.json.decode(
            self._call("POST", PATH, attempts=1, content=msgspec.json.encode(content), headers=headers).content
        )


def _keep(
    targets: list[dict[str, Any]],
    name: str,
    endpoint: str | None,
    mail: str | None,
    where: tuple[str | None, str],
    *,
    as_json: bool,
) -> None:
    request: dict[str, Any] = {"targets": targets, "name": name}
    server, profile = where
    if mail is not None:
        kept = None if server else read_profile(profile)
        with Guest(server or (kept.server if kept else DEFAULT_SERVER)) as guest:
            made = guest.ask_for({**request, "endpoint": endpoint, "mail": mail})
    else:
        with open_desk(server, profile) as desk:
            made = desk.client.send(PATH, {**request, "endpoint": endpoint})
    if as_json:
        print_json(made)
    elif mail is not None:
        say(made["words"])
    else:
        write(made["id"])
        say(f"Watched: {made['watched']}. Notices: {made['endpoint'] or 'cab watch notices ' + made['id']}.")


def _read_pages(
    client: Client, path: str, wanted: dict[str, str | None], name: str, after: Any = ""
) -> Iterator[dict[str, Any]]:
    """Read a list to its end; nothing comes where the page before was the last."""
    while after is not None:
        page = client.get(path, {**wanted, "limit": PAGE, name: str(after) if after != "" else None})
        yield from page["items"]
        after = page["next"]


def _name(target: dict[str, Any]) -> str:
    asked = target.get("question")
    if asked is None:
        narrow = [target[key] for key in ("requirement", "sector", "destination") if key in target]
        return f"{target['kind']} {' '.join([target['id'], *narrow])}"
    result, subject = asked["result"], asked.get("subject", {})
    issuer = _first(result.get("issuer", {}), ("id", "name", "value")) or result.get("issuer_economy")
    about = _first(subject, ("requirement", "sector"))
    days = _first(result, ("number", "issued_on"))
    parts = (result["kind"].replace("_", " "), f"by {issuer}", days, about, f"in {asked['destination']}")
    return " ".join(str(each) for each in parts if each)


def _first(document: dict[str, Any], keys: Iterable[str]) -> Any:
    return next((document[key] for key in keys if document.get(key)), None)


def _answer(item: dict[str, Any]) -> tuple[Any, Any, Any]:
    answered = item["answered"]
    if answered is None:
        return None, None, None
    return answered["verdict"].replace("_", " "), answered["until"], item["turns_on"]
