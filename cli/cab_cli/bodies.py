"""`cab body`: bring a body in, show it, its history, and what changed between two moments."""

import re
from typing import Annotated, Any, Final, get_args

import typer
from rich.text import Text

from cab_cli import completion
from cab_cli.choosing import BodyArgument
from cab_cli.client import DEFAULT_SERVER, Client
from cab_cli.console import data_console, print_json, say
from cab_cli.desk import AsJson, Desk, ProfileOption, ServerOption, open_reading
from cab_cli.drafts import list_differences, read_when
from cab_cli.economy_words import suggest_economy
from cab_cli.profiles import FIRST
from cab_cli.register_words import read_economies
from cab_cli.show import AsOf, KnownAt, show
from cab_cli.submitting import Change, Draft, hand_in
from cab_cli.tables import in_words
from cab_cli.writing import Sending, writes
from cab_registry.domain.codes import BodyKind
from cab_registry.domain.errors import Fault, Refusal
from cab_registry.domain.folding import find_folded
from cab_registry.domain.schemes import find_scheme

body_app = typer.Typer(help="Bodies: bring one in, show it, its history, what changed.", no_args_is_help=True)
PAGE: Final = 200
FORM_OF_CODE: Final = re.compile(r"[A-Z]{2,5}(-[A-Z]{2,3})?")
KINDS: Final = ", ".join(get_args(BodyKind))


@body_app.command("add")
@writes
def add_body(
    sending: Sending,
    name: Annotated[str, typer.Argument(help="Its legal name.")],
    *,
    economy: Annotated[
        str,
        typer.Option(metavar="CODE", help="Economy of its seat.", autocompletion=completion.complete_economy),
    ],
    kind: Annotated[list[str], typer.Option(metavar="KIND", help=f"What it is; repeatable: {KINDS}.")],
    identifier: Annotated[
        list[str] | None,
        typer.Option(metavar="SCHEME:VALUE", help="A number, as fcc-designation:KR0001; the first makes its id."),
    ] = None,
    site: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY:CODE[:ADDRESS]", help="A place where it works, as suwon:KR:Suwon; repeatable."),
    ] = None,
    other_name: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Another name; repeatable.")] = None,
    from_day: Annotated[
        str, typer.Option("--from", metavar="DAY", help="Since when names and numbers are borne.")
    ] = "always",
    record_id: Annotated[
        str | None, typer.Option("--id", metavar="ID", show_default="made by rule", help="Its id for good.")
    ] = None,
) -> None:
    """Bring in a body that the register does not have; its record is then your authority's.

    Examples:
      cab body add "Suwon EMC Lab" --economy KR --kind testing_laboratory --identifier fcc-designation:KR0001
      cab body add "Suwon EMC Lab" --economy KR --kind testing_laboratory --site suwon:KR:Suwon --dry-run
    """
    since = read_when("--from", from_day)
    document = {
        "type": "body",
        **({"id": record_id} if record_id else {}),
        "names": [
            {"name": name, "from": since},
            *({"name": other, "kind": "other", "from": since} for other in other_name or []),
        ],
        "economy": economy,
        "kinds": kind,
        "sites": [_site(written) for written in site or []],
        "identifiers": [{**_identifier(written), "from": since} for written in identifier or []],
    }
    plain = {key: value for key, value in document.items() if value != []}
    words = [
        "body add",
        name,
        economy,
        *kind,
        *(identifier or []),
        "",
        *(site or []),
        "",
        *(other_name or []),
        str(since),
    ]

    def prepare(desk: Desk) -> Draft:
        _require_code(desk, economy)
        return Draft(f"{name} ({economy}) comes in", [Change({**plain, "owner": desk.authority})])

    hand_in(sending, [*words, record_id or ""], prepare)


def _require_code(desk: Desk, economy: str) -> None:
    """Hold that an economy is named by a code; whoever writes its name is told the code."""
    if re.fullmatch(FORM_OF_CODE, economy):
        return
    names = read_economies(desk)
    meant = find_folded(economy, names)
    hint = f"did you mean {' or '.join(meant)}?" if meant else (suggest_economy(economy, names) or "as KR")
    words = f"{economy!r} is not the code of an economy: {hint.removeprefix('; ')}"
    raise Refusal("the economy cannot be read", (Fault("--economy", words),))


def _identifier(written: str) -> dict[str, str]:
    scheme, colon, value = written.partition(":")
    if not (scheme and colon and value):
        raise Refusal("a number cannot be read", (Fault("--identifier", "write SCHEME:VALUE, as fcc-designation:KR1"),))
    return {"scheme": find_scheme(scheme), "value": value}


def _site(written: str) -> dict[str, str]:
    key, colon, rest = written.partition(":")
    economy, _, address = rest.partition(":")
    if not (key and colon and economy):
        raise Refusal("a site cannot be read", (Fault("--site", "write KEY:CODE or KEY:CODE:ADDRESS"),))
    return {"key": key, "economy": economy, **({"address": address} if address else {})}


@body_app.command("show")
def show_body(
    body: BodyArgument,
    *,
    known_at: KnownAt = None,
    as_of: AsOf = None,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Show a body with everything recorded about it, and the states of its rights on a day.

    Examples:
      cab body show nando-0123 --as-of 2024-06-30
    """
    show(["body", body], known_at=known_at, as_of=as_of, server=_address(server, profile), as_json=as_json)


def _address(server: str | None, profile: str) -> str:
    with open_reading(server, profile) as client:
        return client.server or DEFAULT_SERVER


@body_app.command("history")
def show_history(
    body: BodyArgument,
    *,
    limit: Annotated[int, typer.Option(min=1, help="How many changes at most, the newest.")] = PAGE,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Show who changed what about a body and its rights, when, and why.

    Examples:
      cab body history nando-0123
      cab body history nando-0123 --json
    """
    with open_reading(server, profile) as client:
        entries = _read_history(client, f"/v1/bodies/{body}/history")[-limit:]
    if as_json:
        print_json({"entries": entries})
        return
    console = data_console()
    for entry in entries:
        when = entry["recorded"] or "before everything"
        what = f"{entry['type']} {entry['id']}, version {entry['version']}: {entry['change']}"
        console.print(Text(f"{when}  {what}", style="bold"))
        by = (entry.get("authority") or entry["owner"])["name"]
        why = f": {entry['public_reason']}" if entry["public_reason"] else ""
        console.print(Text(f"  position {entry['position']}, by {by}{why}"))
        for words in entry["words"]:
            console.print(Text(f"    {words}"))


def _read_history(client: Client, path: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        page = client.get(path, {"limit": str(PAGE), "after": after})
        entries += page["entries"]
        if page["complete"]:
            return entries
        after = str(page["next"])


@body_app.command("diff")
def show_difference(
    body: BodyArgument,
    *,
    since: Annotated[str, typer.Option(metavar="DAY or INSTANT", help="As the register knew it then.")],
    until: Annotated[
        str | None, typer.Option(metavar="DAY or INSTANT", show_default="now", help="As the register knew it then.")
    ] = None,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Show what changed in the records of a body between two moments of knowledge, place by place.

    Examples:
      cab body diff nando-0123 --since 2026-01-01
      cab body diff nando-0123 --since 2026-01-01 --until 2026-06-30 --json
    """
    with open_reading(server, profile) as client:
        before = _read_records(client, body, since)
        after = _read_records(client, body, until)
    found = [
        {"record": name, "pointer": pointer, "before": one, "after": two}
        for name in sorted({*before, *after})
        for pointer, one, two in list_differences(before.get(name), after.get(name))
    ]
    if as_json:
        print_json({"items": found})
        return
    console = data_console()
    for name in dict.fromkeys(each["record"] for each in found):
        console.print(Text(str(name), style="bold"))
        for each in found:
            if each["record"] == name:
                place = each["pointer"] or "the record"
                console.print(Text(f"  {place}: {in_words(each['before'])} -> {in_words(each['after'])}"))
    if not found:
        say("Nothing changed.")


def _read_records(client: Client, body: str, known_at: str | None) -> dict[str, Any]:
    from cab_cli.client import NotFound

    try:
        found = client.get(f"/v1/bodies/{body}", {"known_at": known_at})
    except NotFound:
        if known_at is None:
            raise
        return {}
    records = [found["record"], *(each["record"] for each in (*found["rights"], *found["notices"]))]
    return {record["id"]: record for record in records}
