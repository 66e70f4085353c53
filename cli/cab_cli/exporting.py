"""`cab export`: bodies and their rights as tables, safe to open in a spreadsheet."""

import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from cab_cli import completion
from cab_cli.client import Client
from cab_cli.console import print_json, say, write
from cab_cli.desk import AsJson, ProfileOption, ServerOption, open_reading
from cab_cli.drafts import end_of
from cab_cli.profiles import FIRST
from cab_cli.show import AsOf, KnownAt
from cab_cli.spreadsheets import write_xlsx
from cab_registry.domain.errors import Fault, Refusal
from cab_registry.services.cells import write_csv

PAGE: Final = 500
BODY_COLUMNS: Final = ("id", "name", "economy", "kinds", "identifiers", "status")
RIGHT_COLUMNS: Final = (
    "body", "name", "economy", "kind", "record", "version", "by", "agreement", "annex", "scheme", "standard",
    "edition", "number", "site", "item", "requirement", "standards", "product_classes", "from", "until", "status",
    "status_since", "status_until", "procedures", "result_kinds", "text",
)  # fmt: skip
_HEADING: Final = ("by", "agreement", "annex", "scheme", "standard", "edition", "number", "site")


def export(
    what: Annotated[Literal["bodies", "rights"], typer.Argument(help="A line for each body, or for each scope item.")],
    *,
    form: Annotated[
        Literal["csv", "json", "xlsx"] | None,
        typer.Option("--format", help="How it is written.", show_default="by the ending of FILE, else csv"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to.", show_default="standard output", dir_okay=False),
    ] = None,
    economy: Annotated[
        str | None, typer.Option(metavar="CODE", help="Only this economy.", autocompletion=completion.complete_economy)
    ] = None,
    sector: Annotated[
        str | None, typer.Option(metavar="CODE", help="Only this sector.", autocompletion=completion.complete_sector)
    ] = None,
    requirement: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Only for this rule.", autocompletion=completion.complete_requirement),
    ] = None,
    status: Annotated[str | None, typer.Option(metavar="STATUS", help="Only in this state, as held.")] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Export bodies or rights. In tables a cell that would be a formula gets an apostrophe before it.

    Examples:
      cab export bodies --economy KR > korea.csv
      cab export rights --output rights.xlsx --as-of 2026-01-01
    """
    suffix = output.suffix.lstrip(".").lower() if output is not None else ""
    chosen = "json" if as_json else form or (suffix if suffix in {"csv", "json", "xlsx"} else "csv")
    if chosen == "xlsx" and output is None:
        raise Refusal("a spreadsheet goes into a file", (Fault("--output", "name one that ends in .xlsx"),))
    wanted = {"economy": economy, "sector": sector, "requirement": requirement, "status": status}
    with open_reading(server, profile) as client:
        moment = {"as_of": as_of, "known_at": known_at}
        lines = _list_bodies(client, {**wanted, **moment})
        rows = _body_rows(lines) if what == "bodies" else _right_rows(client, lines, moment)
        columns = BODY_COLUMNS if what == "bodies" else RIGHT_COLUMNS
        _write(chosen, what, columns, rows, output)
    if output is not None:
        say(f"Written to {output}.")


def _list_bodies(client: Client, parameters: dict[str, str | None]) -> Iterator[dict[str, Any]]:
    cursor: str | None = None
    while True:
        page = client.get("/v1/bodies", {**parameters, "limit": str(PAGE), "cursor": cursor})
        yield from page["items"]
        cursor = page["next"]
        if cursor is None:
            return


def _body_rows(lines: Iterator[dict[str, Any]]) -> Iterator[list[Any]]:
    for line in lines:
        numbers = [f"{each['scheme']}:{each['value']}" for each in line["identifiers"]]
        yield [
            line["id"],
            line["name"],
            line["economy"],
            "; ".join(line["kinds"]),
            "; ".join(numbers),
            line["status"],
        ]


def _right_rows(client: Client, lines: Iterator[dict[str, Any]], moment: dict[str, str | None]) -> Iterator[list[Any]]:
    for line in lines:
        found = client.get(f"/v1/bodies/{line['id']}", moment)
        for right in found["rights"]:
            record = right["record"]
            head = [line["id"], line["name"], line["economy"], right["kind"], record["id"], right["version"]]
            head += [record.get(name) for name in _HEADING]
            scope = {item["key"]: item for item in record.get("scope", [])}
            for state in right["items"]:
                item = scope.get(state["key"], record)
                yield [
                    *head,
                    state["key"],
                    state["requirement"],
                    "; ".join(item.get("standards", [])),
                    "; ".join(item.get("product_classes", [])),
                    _say(item.get("from")),
                    _say(end_of(item)),
                    state["status"],
                    state["since"],
                    state["until"],
                    "; ".join(item.get("procedures", [])),
                    "; ".join(item.get("result_kinds", [])),
                    item.get("text"),
                ]


def _say(when: Any) -> Any:
    if isinstance(when, dict):
        return f"{when.get('not_before', '')}..{when.get('not_after', '')}"
    return when


def _write(form: str, title: str, columns: Sequence[str], rows: Iterator[list[Any]], output: Path | None) -> None:
    if form == "json":
        items = [dict(zip(columns, row, strict=True)) for row in rows]
        if output is None:
            print_json({"items": items})
        else:
            _keep(output, (json.dumps({"items": items}, ensure_ascii=False, indent=2) + "\n").encode())
    elif form == "xlsx" and output is not None:
        _keep(output, write_xlsx(title, columns, rows))
    elif output is None:
        write(_spell_csv(columns, rows), nl=False)
    else:
        _keep(output, _spell_csv(columns, rows).encode("utf-8-sig"))


def _spell_csv(columns: Sequence[str], rows: Iterator[list[Any]]) -> str:
    text = io.StringIO(newline="")
    write_csv(columns, rows, text)
    return text.getvalue()


def _keep(place: Path, content: bytes) -> None:
    try:
        place.write_bytes(content)
    except OSError as error:
        raise Refusal(f"{place} cannot be written: {error.strerror}") from None
