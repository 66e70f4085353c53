"""`cab import`: a table of bodies and rights becomes submissions, row by row accounted for."""

import hashlib
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from cab_cli.batches import Courier, cut_batches, group_rows
from cab_cli.console import data_console, print_json, say, words_console
from cab_cli.desk import Desk, open_desk
from cab_cli.drafts import read_when, today
from cab_cli.exits import Exit
from cab_cli.identities import Identifier, KnownBody
from cab_cli.import_reports import Done, Ledger, require_place, write_notes
from cab_cli.mapping import MappingFile, read_mapping
from cab_cli.planned import Group
from cab_cli.planning import Planner
from cab_cli.reading_tables import Table, read_table
from cab_cli.register_words import list_bodies, list_gone, read_codes, read_economies, read_requirements, read_unions
from cab_cli.rows import OnRecord, RowFault, RowNote, RowReader
from cab_cli.spreadsheets import require_file
from cab_cli.submitting import Change, await_position
from cab_cli.tables import print_pairs, print_table
from cab_cli.writing import Sending, read_evidence, writes
from cab_registry.domain.errors import Fault, OperationalFault, Refusal

SHOWN: Final = 5
MOST_SHOWN: Final = 100
"""How many faults, and how many notes, are shown on a terminal; the files hold all of them."""


@writes
def import_table(
    sending: Sending,
    file: Annotated[Path, typer.Argument(metavar="FILE.csv|FILE.xlsx", help="The table, with headings.")],
    *,
    mapping: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.yaml",
            help="Which column is which field.",
            show_default="only for what cab export wrote",
            dir_okay=False,
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="Where refused rows are listed.", show_default="beside FILE"),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="How a CSV file spells its letters.", show_default="the mapping's, or UTF-8"),
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Bring names, numbers and sites of your bodies up to the table.")
    ] = False,
    names_from: Annotated[
        str | None,
        typer.Option(
            metavar="DAY", help="With --update: the day from which other names of bodies on record hold; ask for it."
        ),
    ] = None,
) -> None:
    """Import bodies and rights from a table, in submissions of at most 500 rows that never split a body.

    A row that cannot be taken is left out and listed in the report, with line, column and reason; the exit code is
    then 1. Mend the rows there and import the report itself. What was read in another way than it is written is
    listed, too. An import that broke off goes on where it was: run it again. With --dry-run the server checks every
    row and enters none. The mapping file:

    columns: {Laboratory: body.name, Country: body.economy, FCC No: body.identifier.fcc-designation,
    Rule: designation.scope.requirement, Since: designation.from}

    constants: {body.kind: testing_laboratory, designation.agreement: apec-tel-us-kr, designation.annex: phase-1}

    date_formats: ["%d.%m.%Y"]

    Examples:
      cab import laboratories.xlsx --mapping mapping.yaml --dry-run
      cab import laboratories.csv --mapping mapping.yaml --reason "List of 1 March" --report refused.csv
      cab import laboratories.csv --mapping mapping.yaml --update --names-from 2026-03-01 --reason "New names"
    """
    sending.require_consent()
    citations = sending.citations
    told = report or file.with_name(f"{file.name}.refused.csv")
    if told.absolute() == file.absolute():
        raise Refusal("the report would overwrite the table", (Fault("--report", "name another file"),))
    if names_from is not None and not update:
        raise Refusal("names change with --update only", (Fault("--names-from", "add --update"),))
    since = _read_day(names_from)
    require_file(file)
    require_place(told)
    mapped = read_mapping(mapping) if mapping is not None else None
    with open_desk(sending.server, sending.profile) as desk:
        ledger = Ledger(told, _ground([file, *([mapping] if mapping else [])], desk, encoding, update, since))
        if sending.dry_run:
            ledger.done, ledger.faults, ledger.resumed = set(), [], False
        held = list_bodies(desk)
        table, reader = read_table(file, mapped, encoding, read_economies(desk), _list_known(desk, held))
        identifier = Identifier(reader, desk.authority, table.found, update=update, names_from=since)
        identifier.learn(held)
        planner = Planner(reader, desk.authority, read_requirements(desk), update=update, names_from=since)
        column = reader.heading_of("body.id") or reader.heading_of("body.name")
        groups = group_rows(table.rows, identifier.settle, column, table.found.faults)
        gone = [] if table.partial else list_gone(desk, groups, identifier)
        left = _left(groups, ledger)
        _preview(table, reader, left, ledger, gone)
        _show_notes(file, table.found.notes)
        if not sending.dry_run and sending.asks and not typer.confirm("Send them?", err=True):
            raise Refusal("nothing was sent")
        frame = _frame(desk, sending, mapped, file)
        cite = partial(Change.citing, citations=citations, read_on=today())
        courier = Courier(desk, planner, frame, known=frozenset(each.id for each in held), cite=cite)
        done = _deliver(courier, left, ledger, Done(faults=tuple(table.found.faults)), dry_run=sending.dry_run)
        if not sending.dry_run:
            await_position(desk, max((each.position for each in done if each.position is not None), default=None))
    ledger.write_report(table)
    notes = [*table.found.notes, *planner.notes]
    place = told.with_name(f"{file.name}.read-as.csv")
    write_notes(place, notes)
    _show_notes(file, planner.notes)
    _summarise(sending, done, ledger, (told, place), table, notes, gone)
    raise typer.Exit(Exit.FAILURE if ledger.faults else Exit.DONE)


def _read_day(names_from: str | None) -> str | None:
    if names_from is None:
        return None
    since = read_when("--names-from", names_from)
    if not isinstance(since, str) or since == "always":
        raise Refusal("a day cannot be read", (Fault("--names-from", "one day: write YYYY-MM-DD"),))
    return since


def _list_known(desk: Desk, held: Iterable[KnownBody]) -> OnRecord:
    bodies = list(held)
    names = frozenset(name for body in bodies for name in body.names)
    numbers = ((scheme, each) for body in bodies for scheme, values in body.numbers.items() for each in values)
    return OnRecord(names, frozenset(numbers), read_codes(desk), read_unions(desk))


def _ground(places: Iterable[Path], desk: Desk, *options: object) -> str:
    """Name what an import rests on; with another ground it begins anew."""
    digest = hashlib.sha256()
    for place in places:
        try:
            with place.open("rb") as opened:
                digest.update(hashlib.file_digest(opened, "sha256").digest())
        except OSError as error:
            raise Refusal(f"{place} cannot be read: {error.strerror}") from None
    digest.update(f"{desk.client.server}\n{desk.authority}\n{options}".encode())
    return digest.hexdigest()


def _left(groups: list[Group], ledger: Ledger) -> list[Group]:
    """Return what an earlier run did not come to."""
    for group in groups:
        group.rows = [row for row in group.rows if row.line not in ledger.done]
    return [group for group in groups if group.rows]


def _preview(table: Table, reader: RowReader, groups: list[Group], ledger: Ledger, gone: list[str]) -> None:
    say(f"{table.file.name}: {len(table.rows)} rows, {len(groups)} bodies to hand in.")
    for words in table.words:
        say(f"{table.file.name}: {words}.")
    if ledger.resumed:
        say(f"An earlier run broke off after {len(ledger.done)} lines; it goes on there.")
    if unread := reader.unread():
        say(f"Columns that the mapping does not name: {', '.join(unread)}.")
    if gone:
        more = f" and {len(gone) - MOST_SHOWN} more" if len(gone) > MOST_SHOWN else ""
        say(f"On record, and not in this list: {', '.join(gone[:MOST_SHOWN])}{more}.")
        say("An import never ends anything: if they are gone, use cab withdraw.")
    if refused := len({fault.line for fault in table.found.faults}):
        say(f"{refused} rows cannot be taken as they stand.")
    shown = [row for group in groups[:SHOWN] for row in group.rows[:1]]
    if shown:
        fields = list(dict.fromkeys(reader.mapping.columns.values()))
        print_table(
            words_console(),
            ("line", *fields),
            ((row.line, *(row.values.get(field) for field in fields)) for row in shown),
        )


def _show_notes(file: Path, notes: Iterable[RowNote]) -> None:
    """Say what was read in another way than it is written."""
    listed = sorted(notes, key=lambda each: (each.line, each.column))
    for note in listed[:MOST_SHOWN]:
        where = f"{file.name}:{note.line}" + (f": {note.column}" if note.column else "")
        what = f" {note.value!r}" if note.value else ""
        say(f"{where}:{what} {note.reason}")
    if len(listed) > MOST_SHOWN:
        say(f"and {len(listed) - MOST_SHOWN} more, which {file.name}.read-as.csv lists")


def _frame(desk: Desk, sending: Sending, mapping: MappingFile | None, file: Path) -> dict[str, Any]:
    reason = sending.reason or (mapping.reason if mapping else None) or f"Import of {file.name}"
    return {
        "kind": "records",
        "authority": desk.authority,
        "public_reason": reason.strip(),
        **({"although": sending.although.strip()} if sending.although else {}),
        "private_reason": sending.private_reason,
        "evidence": [read_evidence(each) for each in (str(file), *sending.evidence)],
    }


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


def _summarise(
    sending: Sending,
    done: list[Done],
    ledger: Ledger,
    places: tuple[Path, Path],
    table: Table,
    notes: list[RowNote],
    gone: list[str],
) -> None:
    refused = len({fault.line for fault in ledger.faults})
    flips = [sentence for each in done for sentence in each.sentences]
    submissions = [each.submission for each in done if each.submission]
    summary: dict[str, Any] = {
        "rows": len(table.rows),
        "entered": sum(len(each.entered) for each in done if not each.waiting),
        "to_approve": sum(len(each.entered) for each in done if each.waiting),
        "unchanged": sum(len(each.unchanged) for each in done),
        "refused": refused,
        "submissions": submissions,
        "waiting": sum(each.waiting for each in done),
        "dry_run": sending.dry_run,
        "report": str(places[0]),
        "flips": flips,
        "gone": gone,
    }
    if sending.as_json:
        faults, listed = _first(ledger.faults), _first(notes)
        more = {"more_faults": len(ledger.faults) - len(faults), "more_notes": len(notes) - len(listed)}
        words = {"words": table.words, "notes": listed, "faults": faults, **more, "read_as": str(places[1])}
        print_json({**summary, **words})
        return
    console = data_console()
    names = {
        "entered": "would be entered" if sending.dry_run else "entered",
        "to_approve": "would wait for approval" if sending.dry_run else "wait for approval",
        "unchanged": "there already",
    }
    shown = ("rows", "entered", *(("to_approve",) if summary["to_approve"] else ()), "unchanged", "refused")
    print_pairs(console, {names.get(name, name): summary[name] for name in shown})
    if not sending.dry_run:
        say(f"{len(submissions)} submissions, {summary['waiting']} of them wait for a second pair of eyes.")
    if notes:
        say(f"What was read in another way than it is written is listed in {places[1]}.")
    if refused:
        _show_faults(table.file, ledger, places[0])
    for sentence in flips[:SHOWN]:
        console.print(sentence)
    if len(flips) > SHOWN:
        console.print(f"and {len(flips) - SHOWN} more answers that flip, which --json lists")


def _first(findings: Sequence[RowFault] | Sequence[RowNote]) -> list[Any]:
    """Return the first of what was found, by line; the files beside the table hold all of it."""
    ordered = sorted(findings, key=lambda each: (each.line, each.column))
    return [msgspec.to_builtins(each) for each in ordered[:MOST_SHOWN]]


def _show_faults(file: Path, ledger: Ledger, report: Path) -> None:
    faults = sorted(ledger.faults, key=lambda each: (each.line, each.column))
    for fault in faults[:MOST_SHOWN]:
        where = f"{file.name}:{fault.line}" + (f": {fault.column}" if fault.column else "")
        what = f" {fault.value!r}" if fault.value else ""
        say(f"{where}:{what} {fault.reason}")
    if len(faults) > MOST_SHOWN:
        say(f"and {len(faults) - MOST_SHOWN} more faults")
    say(f"Refused rows are listed in {report}: mend them there, and import that file.")
