"""`cab import`: a table of bodies and rights becomes submissions, row by row accounted for."""

import hashlib
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from cab_cli.batches import Courier, Done, Ledger, cut_batches, group_rows
from cab_cli.console import data_console, print_json, say, words_console
from cab_cli.desk import Desk, open_desk
from cab_cli.drafts import today
from cab_cli.exits import Exit
from cab_cli.mapping import MappingFile, Row, RowFault, RowReader, read_mapping
from cab_cli.planning import Group, Planner
from cab_cli.spreadsheets import open_table
from cab_cli.submitting import Change, await_position
from cab_cli.tables import print_pairs, print_table
from cab_cli.writing import Sending, read_evidence, writes
from cab_registry.domain.errors import Fault, OperationalFault, Refusal

SHOWN = 5
PAGE = 500


@writes
def import_table(
    sending: Sending,
    file: Annotated[Path, typer.Argument(metavar="FILE.csv|FILE.xlsx", help="The table, with headings.")],
    *,
    mapping: Annotated[Path, typer.Option(metavar="FILE.yaml", help="Which column is which field.", dir_okay=False)],
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Where refused rows are told.", show_default="beside FILE")
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Bring names, numbers and sites of your bodies up to the table.")
    ] = False,
) -> None:
    """Import bodies and rights from a table, in submissions of at most 500 rows that never split a body.

    A row that cannot be taken is left out and told in the report, with line, column and reason; the exit code is then
    1. An import that broke off goes on where it was: run it again. With --dry-run the server checks every row and
    enters none. The mapping file:

    columns: {Laboratory: body.name, Country: body.economy, FCC No: body.identifier.fcc-designation,
    Rule: designation.scope.requirement, Since: designation.from}

    constants: {body.kind: testing_laboratory, designation.agreement: apec-tel-us-kr, designation.annex: phase-1}

    date_formats: ["%d.%m.%Y"]

    Examples:
      cab import laboratories.xlsx --mapping mapping.yaml --dry-run
      cab import laboratories.csv --mapping mapping.yaml --reason "List of 1 March" --report refused.csv
    """
    sending.require_consent()
    citations = sending.citations
    told = report or file.with_name(f"{file.name}.refused.csv")
    mapped = read_mapping(mapping)
    with open_desk(sending.server, sending.profile) as desk:
        ledger = Ledger(told, _ground(file, mapping, desk))
        if sending.dry_run:
            ledger.done, ledger.faults, ledger.resumed = set(), [], False
        reader, rows, faults = _read_rows(file, mapped)
        count = len(rows) + len({fault.line for fault in faults})
        planner = Planner(reader, desk.authority, _find_requirements(desk), update=update)
        column = reader.heading_of("body.id") or reader.heading_of("body.name")
        groups = group_rows(rows, planner.name_body, column, faults)
        left = _left(groups, ledger)
        _preview(file, reader, left, count, ledger)
        if not sending.dry_run and sending.asks and not typer.confirm("Send them?", err=True):
            raise Refusal("nothing was sent")
        frame = _frame(desk, sending, mapped, file)
        cite = partial(Change.citing, citations=citations, read_on=today())
        courier = Courier(desk, planner, frame, known=_list_bodies(desk), cite=cite)
        done = _deliver(courier, left, ledger, Done(faults=tuple(faults)), dry_run=sending.dry_run)
        if not sending.dry_run:
            await_position(desk, max((each.position for each in done if each.position is not None), default=None))
    ledger.write_report()
    _summarise(sending, done, ledger, told, count)
    raise typer.Exit(Exit.FAILURE if ledger.faults else Exit.DONE)


def _ground(file: Path, mapping: Path, desk: Desk) -> str:
    """Name what an import rests on; with another ground it begins anew."""
    digest = hashlib.sha256()
    try:
        for place in (file, mapping):
            with place.open("rb") as opened:
                digest.update(hashlib.file_digest(opened, "sha256").digest())
    except OSError as error:
        raise Refusal(f"{file} cannot be read: {error.strerror}") from None
    digest.update(f"{desk.client.server}\n{desk.authority}".encode())
    return digest.hexdigest()


def _read_rows(file: Path, mapping: MappingFile) -> tuple[RowReader, list[Row], list[RowFault]]:
    faults: list[RowFault] = []
    rows: list[Row] = []
    reader: RowReader | None = None
    with open_table(file, mapping.sheet, mapping.encoding) as lines:
        for line in lines:
            if line.number < mapping.header_row:
                continue
            if reader is None:
                reader = RowReader(mapping, line.cells)
                continue
            row = reader.read(line, faults)
            if row is not None:
                rows.append(row)
    if reader is None:
        raise Refusal(f"{file} has no line {mapping.header_row} with headings", (Fault("/header_row", "mapping"),))
    return reader, rows, faults


def _left(groups: list[Group], ledger: Ledger) -> list[Group]:
    """Return what an earlier run did not come to."""
    for group in groups:
        group.rows = [row for row in group.rows if row.line not in ledger.done]
    return [group for group in groups if group.rows]


def _preview(file: Path, reader: RowReader, groups: list[Group], count: int, ledger: Ledger) -> None:
    say(f"{file.name}: {count} rows, {len(groups)} bodies to hand in.")
    if ledger.resumed:
        say(f"An earlier run broke off after {len(ledger.done)} lines; it goes on there.")
    if unread := reader.unread():
        say(f"Columns that the mapping does not name: {', '.join(unread)}.")
    shown = [row for group in groups[:SHOWN] for row in group.rows[:1]]
    if shown:
        fields = list(dict.fromkeys(reader.mapping.columns.values()))
        print_table(
            words_console(),
            ("line", *fields),
            ((row.line, *(row.values.get(field) for field in fields)) for row in shown),
        )


def _frame(desk: Desk, sending: Sending, mapping: MappingFile, file: Path) -> dict[str, Any]:
    reason = sending.reason or mapping.reason or f"Import of {file.name}"
    return {
        "kind": "records",
        "authority": desk.authority,
        "public_reason": reason.strip(),
        "private_reason": sending.private_reason,
        "evidence": [read_evidence(each) for each in (str(file), *sending.evidence)],
    }


def _list_bodies(desk: Desk) -> frozenset[str]:
    found: set[str] = set()
    cursor: str | None = None
    while True:
        page = desk.client.get("/v1/bodies", {"limit": str(PAGE), "cursor": cursor})
        found.update(each["id"] for each in page["items"])
        cursor = page["next"]
        if cursor is None:
            return frozenset(found)


class _Requirements(dict[str, str]):
    """Ids of requirements by id and by citation, as people write them."""

    def find(self, written: str) -> str | None:
        return self.get(_fold(written))


def _find_requirements(desk: Desk) -> Any:
    found = _Requirements()
    cursor: str | None = None
    while True:
        page = desk.client.get("/v1/requirements", {"limit": str(PAGE), "cursor": cursor})
        for each in page["items"]:
            record = each["record"]
            for name in (record["id"], record["citation"], *record.get("other_citations", [])):
                found.setdefault(_fold(name), record["id"])
        cursor = page["next"]
        if cursor is None:
            return found.find


def _fold(written: str) -> str:
    return " ".join(written.casefold().split())


def _deliver(courier: Courier, groups: list[Group], ledger: Ledger, first: Done, *, dry_run: bool) -> list[Done]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    done: list[Done] = []
    if dry_run:
        ledger.faults += first.faults
    else:
        ledger.begin()
        ledger.note(
            msgspec.structs.replace(first, faults=tuple(each for each in first.faults if each.line not in ledger.done))
        )
    console = words_console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("rows", total=sum(len(group.rows) for group in groups))
        for batch in cut_batches(groups):
            count = sum(len(group.rows) for group in batch)
            try:
                for each in courier.deliver(batch, dry_run=dry_run):
                    done.append(each)
                    if dry_run:
                        ledger.faults += each.faults
                    else:
                        ledger.note(each)
            except OperationalFault as fault:
                raise OperationalFault(
                    f"{fault}\nThe same command goes on from here; nothing is entered twice."
                ) from None
            progress.advance(task, count)
    if not dry_run:
        ledger.finish()
    return done


def _summarise(sending: Sending, done: list[Done], ledger: Ledger, report: Path, rows: int) -> None:
    refused = len({fault.line for fault in ledger.faults})
    flips = [sentence for each in done for sentence in each.sentences]
    submissions = [each.submission for each in done if each.submission]
    summary: dict[str, Any] = {
        "rows": rows,
        "entered": sum(len(each.entered) for each in done),
        "unchanged": sum(len(each.unchanged) for each in done),
        "refused": refused,
        "submissions": submissions,
        "waiting": sum(each.waiting for each in done),
        "dry_run": sending.dry_run,
        "report": str(report),
        "flips": flips,
    }
    if sending.as_json:
        print_json({**summary, "faults": [msgspec.to_builtins(fault) for fault in ledger.faults]})
        return
    console = data_console()
    names = {"entered": "would be entered" if sending.dry_run else "entered", "unchanged": "there already"}
    shown = ("rows", "entered", "unchanged", "refused")
    print_pairs(console, {names.get(name, name): summary[name] for name in shown})
    if not sending.dry_run:
        say(f"{len(submissions)} submissions, {summary['waiting']} of them wait for a second pair of eyes.")
    if refused:
        say(f"Every refused row is told in {report}.")
    for sentence in flips[:SHOWN]:
        console.print(sentence)
    if len(flips) > SHOWN:
        console.print(f"and {len(flips) - SHOWN} more answers that flip, which --json lists")
