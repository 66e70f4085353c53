"""`cab show` and `cab search`: records as a server has them, for people or as JSON."""

from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.text import Text

from cab_cli import completion
from cab_cli.check import Server
from cab_cli.client import DEFAULT_SERVER, Client, NotFound
from cab_cli.console import data_console, print_json, say
from cab_cli.tables import in_words, print_pairs, print_table
from cab_registry.domain.errors import Fault, Refusal

COLLECTIONS: Final = {
    "body": "bodies",
    "agreement": "agreements",
    "authority": "authorities",
    "requirement": "requirements",
    "route": "routes",
}
PAGE: Final = 100
_APART: Final = ("type", "id", "sources", "annexes", "instrument", "scope", "sites", "identifiers")
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
KnownAt = Annotated[
    str | None, typer.Option(metavar="DAY or INSTANT", help="As the register knew it then; now unless given.")
]
AsOf = Annotated[str | None, typer.Option(metavar="DAY", help="The day for the states of rights; today unless given.")]


def show(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[TYPE] ID",
            help=f"An id, after its type if you like: {', '.join(COLLECTIONS)}.",
            autocompletion=completion.complete_agreement,
        ),
    ],
    *,
    known_at: KnownAt = None,
    as_of: AsOf = None,
    server: Server = DEFAULT_SERVER,
    as_json: AsJson = False,
) -> None:
    """Show one record: an agreement with its routes, a body with its rights, an authority, a requirement, a route.

    Examples:
      cab show us-eu-mra
      cab show body nando-0123 --as-of 2024-06-30
      cab show route us-eu-gmp-human-eu --json
    """
    kind, record_id = _named(words)
    kinds = [kind] if kind else list(COLLECTIONS)
    if as_of and kind not in {None, "body"}:
        raise Refusal("only a body has states on a day", (Fault("--as-of", f"does not go with {kind}"),))
    with Client(server) as client:
        for each in kinds:
            parameters = {"known_at": known_at, "as_of": as_of if each == "body" else None}
            try:
                found = client.get(f"/v1/{COLLECTIONS[each]}/{record_id}", parameters)
            except NotFound:
                continue
            if as_json:
                print_json(found)
            else:
                _print_found(data_console(), each, found)
            return
    raise Refusal(f"the register has no {' or '.join(kinds)} {record_id!r}")


def _named(words: list[str]) -> tuple[str | None, str]:
    match words:
        case [record_id]:
            return None, record_id
        case [kind, record_id] if kind in COLLECTIONS:
            return kind, record_id
    raise Refusal("write an id, or a type and an id", (Fault("TYPE", f"is one of {', '.join(COLLECTIONS)}"),))


def search(
    text: Annotated[str | None, typer.Argument(help="Part of a name, or a whole number.")] = None,
    *,
    economy: Annotated[
        str | None, typer.Option(metavar="CODE", help="Economy.", autocompletion=completion.complete_economy)
    ] = None,
    scheme: Annotated[str | None, typer.Option(metavar="SCHEME", help="Scheme of the number, as nando.")] = None,
    sector: Annotated[
        str | None, typer.Option(metavar="CODE", help="Sector.", autocompletion=completion.complete_sector)
    ] = None,
    requirement: Annotated[str | None, typer.Option(metavar="TEXT", help="A rule, by id or citation.")] = None,
    status: Annotated[str | None, typer.Option(metavar="STATUS", help="State of its rights, as held.")] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    limit: Annotated[int, typer.Option(min=1, help="How many bodies at most.")] = PAGE,
    server: Server = DEFAULT_SERVER,
    as_json: AsJson = False,
) -> None:
    """Search bodies by name or number, economy, sector, requirement and state.

    Examples:
      cab search telefication
      cab search 0123 --scheme nando
      cab search --economy KR --sector telecom_radio --status held
    """
    narrowing = {"economy": economy, "scheme": scheme, "sector": sector, "requirement": requirement}
    narrowing |= {"status": status, "as_of": as_of, "known_at": known_at}
    ways = [{"name": text}, {"value": text}] if text else [{}]
    found: dict[str, dict[str, Any]] = {}
    with Client(server) as client:
        for way in ways:
            for line in _pages(client, {**narrowing, **way}, limit):
                found.setdefault(line["id"], line)
    lines = sorted(found.values(), key=lambda line: str(line["id"]))
    if as_json:
        print_json({"items": lines[:limit], "more": len(lines) > limit})
        return
    if lines:
        print_table(
            data_console(),
            ("id", "name", "economy", "numbers", "state"),
            ((line["id"], line["name"], line["economy"], _numbers(line), line["status"]) for line in lines[:limit]),
        )
    else:
        say("No body fits.")
    if len(lines) > limit:
        say(f"There are more than {limit}; see --limit.")


def _pages(client: Client, parameters: dict[str, str | None], limit: int) -> Iterator[dict[str, Any]]:
    """Read one more than asked for, which tells whether there is more."""
    cursor: str | None = None
    left = limit + 1
    while left > 0:
        page = client.get("/v1/bodies", {**parameters, "limit": str(min(left, PAGE)), "cursor": cursor})
        yield from page["items"]
        left -= len(page["items"])
        cursor = page["next"]
        if cursor is None:
            return


def _numbers(shown: dict[str, Any]) -> str:
    return ", ".join(f"{each['scheme']}:{each['value']}" for each in shown.get("identifiers", []))


def _print_found(console: Console, kind: str, found: dict[str, Any]) -> None:
    record = found["record"]
    console.print(Text(f"{kind} {record['id']}, version {found['version']}", style="bold"))
    pairs = {key.replace("_", " "): value for key, value in record.items() if key not in _APART}
    if numbers := _numbers(record):
        pairs["identifiers"] = numbers
    print_pairs(console, pairs)
    sections = {
        "Sites": _listed(record.get("sites"), ("id", "economy", "name", "address")),
        "Instrument": _listed(record.get("instrument"), ("state", "on", "until", "citation", "confidence")),
        "Annexes": [(key, *_cells(value, ("title", "sectors"))) for key, value in record.get("annexes", {}).items()],
        "Routes": [_route(each["record"]) for each in found.get("routes", [])],
        f"Rights on {found.get('as_of')}": [_right(each) for each in found.get("rights", [])],
        "Notices": _listed([each["record"] for each in found.get("notices", [])], ("id", "effect", "by", "on")),
        "Sources": [
            (key, *_cells(value, ("title", "address", "confidence")))
            for key, value in record.get("sources", {}).items()
        ],
    }
    for heading, rows in sections.items():
        if rows:
            console.print(Text(f"\n{heading}", style="bold"))
            print_table(console, _HEADINGS[heading.split()[0]], rows)


_HEADINGS: Final = {
    "Sites": ("id", "economy", "name", "address"),
    "Instrument": ("state", "on", "until", "citation", "confidence"),
    "Annexes": ("annex", "title", "sectors"),
    "Routes": ("id", "from", "to", "kinds", "duty"),
    "Rights": ("kind", "by", "under", "scope", "state", "since", "until"),
    "Notices": ("id", "effect", "by", "on"),
    "Sources": ("source", "title", "address", "confidence"),
}


def _cells(value: dict[str, Any], keys: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(value.get(key) for key in keys)


def _listed(values: list[dict[str, Any]] | None, keys: tuple[str, ...]) -> list[tuple[Any, ...]]:
    return [_cells(value, keys) for value in values or []]


def _route(route: dict[str, Any]) -> tuple[Any, ...]:
    return _cells(route, ("id", "exporter", "importer", "result_kinds", "duty"))


def _right(right: dict[str, Any]) -> tuple[Any, ...]:
    record = right["record"]
    under = " ".join(record[key] for key in ("agreement", "annex", "scheme", "standard") if record.get(key))
    states = right["items"]
    scope = ", ".join(dict.fromkeys(in_words(item["key"] or item["requirement"]) for item in states))
    since, until = ({item[key] for item in states} for key in ("since", "until"))
    ends = (next(iter(days)) if len(days) == 1 else "differs" for days in (since, until))
    return (right["kind"], record.get("by"), under, scope, right["status"], *ends)
