"""`cab show` and `cab search`: records as a server has them, for people or as JSON."""

import difflib
from collections.abc import Iterator
from typing import Annotated, Any, Final
from urllib.parse import quote

import typer
from rich.console import Console
from rich.text import Text

from cab_cli import completion
from cab_cli.check import Server
from cab_cli.client import DEFAULT_SERVER, Client, NotFound
from cab_cli.console import data_console, print_json, say
from cab_cli.tables import in_words, print_pairs, print_table
from cab_registry.domain.errors import Fault, Refusal
from cab_registry.domain.records import RECORD_TYPES

COLLECTIONS: Final = {
    "body": "bodies",
    "agreement": "agreements",
    "authority": "authorities",
    "requirement": "requirements",
    "route": "routes",
}
PAGE: Final = 100
TYPES: Final = tuple(RECORD_TYPES)
VERSIONS: Final = 200
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
            help=f"An id, after its type if you like: {', '.join(TYPES)}.",
            autocompletion=completion.complete_agreement,
        ),
    ],
    *,
    known_at: KnownAt = None,
    as_of: AsOf = None,
    server: Server = DEFAULT_SERVER,
    as_json: AsJson = False,
) -> None:
    """Show any record with its timeline and its versions; an agreement with its routes, a body with its rights.

    Examples:
      cab show us-eu-mra
      cab show body nando-0123 --as-of 2024-06-30
      cab show recognition-jp-pmda-be-famhp-1
      cab show route us-eu-gmp-human-eu --json
    """
    kind, record_id = _named(words)
    if as_of and kind not in {None, "body"}:
        raise Refusal("only a body has states on a day", (Fault("--as-of", f"does not go with {kind}"),))
    with Client(server) as client:
        found = _read(client, kind, record_id, known_at, as_of)
    if as_json:
        print_json(found)
    else:
        print_found(data_console(), found)


def _named(words: list[str]) -> tuple[str | None, str]:
    match words:
        case [record_id]:
            return None, record_id
        case [kind, record_id] if kind in TYPES:
            return kind, record_id
    near = difflib.get_close_matches(words[0], TYPES, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    known = f"{words[0]!r} is not a type of record; there are {', '.join(TYPES)}{hint}"
    raise Refusal("write an id, or a type and an id", (Fault("TYPE", known),))


def _read(client: Client, kind: str | None, record_id: str, known_at: str | None, as_of: str | None) -> dict[str, Any]:
    """Read a record with what the server tells beside it, and its versions, the newest first."""
    versions, absent = _read_versions(client, record_id, known_at), ""
    try:
        found: dict[str, Any] = client.get(f"/v1/records/{quote(record_id, safe='')}", {"known_at": known_at})
    except NotFound as refusal:
        found, absent = _read_retired(versions), str(refusal)
    typed = str(found.get("record", {}).get("type", ""))
    if not found:
        raise Refusal(absent)
    if kind not in {None, typed}:
        raise Refusal(f"the register has no {kind} {record_id!r}; {record_id} is of type {typed}")
    if typed in COLLECTIONS and not found.get("retired"):
        of_day = as_of if typed == "body" else None
        found = client.get(f"/v1/{COLLECTIONS[typed]}/{record_id}", {"known_at": known_at, "as_of": of_day})
    return {**found, "versions": versions}


def _read_versions(client: Client, record_id: str, known_at: str | None) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    after: str | None = None
    path = f"/v1/records/{quote(record_id, safe='')}/history"
    while True:
        try:
            page = client.get(path, {"known_at": known_at, "limit": str(VERSIONS), "after": after})
        except NotFound:
            # A server over a register without a log has versions without a history.
            return []
        entries += page["entries"]
        if page["complete"]:
            return entries[::-1]
        after = str(page["next"])


def _read_retired(versions: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what a record said last before it was retired; nothing where it was never there."""
    if not versions:
        return {}
    last = versions[0]
    return {"record": last["after"] or last["before"], "version": last["version"], "retired": True}


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

    By a name alone, authorities are found too: inspectorates, regulators and others whose results can be asked about.

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
        offices = _read_authorities(client, text, known_at, limit) if text and not _narrowed(narrowing) else []
    lines = sorted(found.values(), key=lambda line: str(line["id"]))
    if as_json:
        print_json({"items": lines[:limit], "more": len(lines) > limit, "authorities": offices[:limit]})
        return
    if lines:
        print_table(
            data_console(),
            ("id", "name", "economy", "numbers", "state"),
            ((line["id"], line["name"], line["economy"], _numbers(line), line["status"]) for line in lines[:limit]),
        )
    else:
        say("No body fits.")
    if offices:
        console = data_console()
        console.print(Text(f"{chr(10) if lines else ''}Authorities", style="bold"))
        columns = ("id", "name", "economy", "roles")
        print_table(console, columns, ([each.get(key) for key in columns] for each in offices[:limit]))
    if max(len(lines), len(offices)) > limit:
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


def _narrowed(narrowing: dict[str, str | None]) -> bool:
    """Whether more is asked for than authorities have."""
    return any(narrowing[key] for key in ("economy", "scheme", "sector", "requirement", "status"))


def _read_authorities(client: Client, name: str, known_at: str | None, limit: int) -> list[dict[str, Any]]:
    """Read the authorities of such a name, one more than asked for at most."""
    wanted = {"name": name, "known_at": known_at, "limit": str(min(limit + 1, PAGE))}
    return [_line_of(each["record"]) for each in client.get("/v1/authorities", wanted)["items"]]


def _line_of(authority: dict[str, Any]) -> dict[str, Any]:
    names = authority["names"]
    name = names.get("en") or next(iter(names.values()))
    return {"id": authority["id"], "name": name, "economy": authority.get("economy"), "roles": authority.get("roles")}


def _numbers(shown: dict[str, Any]) -> str:
    return ", ".join(f"{each['scheme']}:{each['value']}" for each in shown.get("identifiers", []))


def print_found(console: Console, found: dict[str, Any]) -> None:
    """Print a record: its plain parts, a table for each of its lists, and what the server told beside it."""
    record = found["record"]
    retired = ", retired: it was not a fact" if found.get("retired") else ""
    console.print(Text(f"{record['type']} {record['id']}, version {found['version']}{retired}", style="bold"))
    lists = {key: value for key, value in record.items() if _is_table(value)}
    plain = {key: value for key, value in record.items() if key not in {"type", "id", *lists}}
    print_pairs(console, {key.replace("_", " "): value for key, value in plain.items()})
    sources = lists.pop("sources", {})
    for key, value in {**lists, "sources": sources}.items():
        _print_section(console, key.replace("_", " ").capitalize(), *_tabulate(key, value))
    _print_section(console, "Routes", _ROUTE, [_cells(each["record"], _ROUTE) for each in found.get("routes", [])])
    rights = [_right(each) for each in found.get("rights", [])]
    _print_section(console, f"Rights on {found.get('as_of')}", _RIGHT, rights, ("id",))
    notices = [_cells(each["record"], _NOTICE) for each in found.get("notices", [])]
    _print_section(console, "Notices", _NOTICE, notices, ("id",))
    if versions := found.get("versions"):
        console.print(Text("\nVersions", style="bold"))
    for each in versions or ():
        _print_version(console, each)


_ROUTE: Final = ("id", "exporter", "importer", "result_kinds", "duty")
_RIGHT: Final = ("id", "by", "under", "scope", "state", "since", "until")
_NOTICE: Final = ("id", "effect", "by", "on")
_FIRST: Final = ("", "key", "event", "state", "id", "name", "scheme", "value", "requirement", "on", "from", "until")
_LAST: Final = ("source", "confidence", "citation")


def _is_table(value: Any) -> bool:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return bool(parts) and all(isinstance(each, dict) for each in parts)


def _tabulate(key: str, value: Any) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Return the headings and the rows of a list of objects, or of objects by key."""
    rows = [{"": name, **each} for name, each in value.items()] if isinstance(value, dict) else value
    found = dict.fromkeys(name for row in rows for name in row)
    first = [name for name in _FIRST if name in found]
    columns = [*first, *(name for name in found if name not in {*_FIRST, *_LAST})]
    columns += [name for name in _LAST if name in found]
    headings = tuple(name or key.removesuffix("s") for name in columns)
    return headings, [_cells(row, tuple(columns)) for row in rows]


def _print_section(
    console: Console,
    heading: str,
    columns: tuple[str, ...],
    rows: list[tuple[Any, ...]],
    whole: tuple[str, ...] = (),
) -> None:
    if rows:
        console.print(Text(f"\n{heading}", style="bold"))
        print_table(console, tuple(each.replace("_", " ") for each in columns), rows, whole)


def _print_version(console: Console, entry: dict[str, Any]) -> None:
    by = (entry.get("authority") or entry["owner"])["name"]
    recorded = entry["recorded"] or "with the first load"
    why = f": {entry['public_reason']}" if entry["public_reason"] else ""
    console.print(Text(f"{entry['version']}  {entry['change']}, recorded {recorded}, by {by}{why}"))
    for words in entry["words"]:
        console.print(Text(f"     {words}"))


def _cells(value: dict[str, Any], keys: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(value.get(key) for key in keys)


def _right(right: dict[str, Any]) -> tuple[Any, ...]:
    record = right["record"]
    under = " ".join(record[key] for key in ("agreement", "annex", "scheme", "standard") if record.get(key))
    states = right["items"]
    scope = ", ".join(dict.fromkeys(in_words(item["key"] or item["requirement"]) for item in states))
    since, until = ({item[key] for item in states} for key in ("since", "until"))
    ends = (next(iter(days)) if len(days) == 1 else "differs" for days in (since, until))
    return (record["id"], record.get("by"), under, scope, _state(right), *ends)


def _state(right: dict[str, Any]) -> str:
    """Return the state of a right; of one whose scope was taken away, that it was, since nobody suspended it."""
    events = {item.get("event") for item in right["items"] if item["status"] == right["status"]}
    taken = events & {"reduced", "restricted"}
    return min(taken) if taken and taken == events and right["status"] == "suspended" else str(right["status"])
