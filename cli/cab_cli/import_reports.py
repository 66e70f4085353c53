"""What became of the rows of an import: kept while it runs, and reported so that refused rows can be mended."""

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

import msgspec

from cab_cli.reading_tables import HEADINGS, Table
from cab_cli.rows import RowFault, RowNote
from cab_registry.domain.errors import Fault, Refusal
from cab_registry.services.cells import write_csv

NOTE_HEADINGS: Final = ("line", "column", "value", "read_as", "reason")


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch.

    Attributes:
        entered: lines whose records were handed in.
        unchanged: lines that say what the register holds.
        faults: what is wrong with the other lines.
        submission: its id, where anything was handed in.
        position: the position that shows it.
        waiting: whether it waits for a second pair of eyes.
        sentences: answers that flip, where it was only tried.
    """

    entered: tuple[int, ...] = ()
    unchanged: tuple[int, ...] = ()
    faults: tuple[RowFault, ...] = ()
    submission: str | None = None
    position: int | None = None
    waiting: bool = False
    sentences: tuple[str, ...] = ()


def require_place(report: Path) -> None:
    """Refuse a place where no report can be written, before anything is sent.

    Raises:
        Refusal: it is a folder, or nothing can be written beside it.
    """
    fault = Fault("--report", "name a file in a folder in which files can be written")
    if report.is_dir():
        raise Refusal(f"{report} is a folder", (fault,))
    try:
        with TemporaryFile(dir=report.absolute().parent):
            pass
    except OSError as error:
        raise Refusal(f"{report} cannot be written: {error.strerror}", (fault,)) from None


class Ledger:
    """What became of each line so far, beside the report: an import that broke off goes on from there."""

    def __init__(self, report: Path, ground: str) -> None:
        self._report = report
        self._place = report.with_name(f"{report.name}.state")
        self._ground = ground
        self.faults: list[RowFault] = []
        self.done: set[int] = set()
        self.resumed = self._read()

    def _read(self) -> bool:
        """Read what an earlier run of the same import left; another file or another mapping begins anew."""
        try:
            head, *lines = self._place.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError, ValueError):
            return False
        if head != self._ground:
            return False
        for line in lines:
            try:
                done = msgspec.json.decode(line, type=Done)
            except msgspec.MsgspecError:  # the line at which it broke off
                break
            self._take(done)
        return True

    def _take(self, done: Done) -> None:
        self.faults += done.faults
        self.done.update(done.entered, done.unchanged, (fault.line for fault in done.faults))

    def begin(self) -> None:
        """Begin to keep what becomes of the lines."""
        if not self.resumed:
            self._place.write_text(f"{self._ground}\n", "utf-8")

    def note(self, done: Done) -> None:
        """Keep what became of a batch, before the next is sent."""
        self._take(done)
        with self._place.open("ab") as file:
            file.write(msgspec.json.encode(done) + b"\n")

    def finish(self) -> None:
        """Forget the state of an import that came to its end."""
        self._place.unlink(missing_ok=True)

    def write_report(self, table: Table) -> None:
        """Write every refused row with what is wrong with it, so that it can be mended there and taken again."""
        by_line: dict[int, list[RowFault]] = {}
        for fault in sorted(self.faults, key=_order):
            by_line.setdefault(fault.line, []).append(fault)
        rows = ([line, *_join_faults(by_line[line]), *cells] for line, cells in table.reread(by_line))
        with self._report.open("w", encoding="utf-8-sig", newline="") as file:
            write_csv((*HEADINGS, *table.headings), rows, file)


def write_notes(place: Path, notes: Iterable[RowNote]) -> None:
    """Write what was done to cells; where nothing was, no file is left."""
    rows = [(each.line, each.column, each.value, each.read_as, each.reason) for each in notes]
    if not rows:
        place.unlink(missing_ok=True)
        return
    with place.open("w", encoding="utf-8-sig", newline="") as file:
        write_csv(NOTE_HEADINGS, sorted(rows), file)


def _join_faults(faults: list[RowFault]) -> tuple[str, str, str]:
    """Put all that is wrong with a row into one line."""
    if len(faults) == 1:
        (fault,) = faults
        return fault.column, fault.value, fault.reason
    columns, values = ("; ".join(dict.fromkeys(filter(None, each))) for each in zip(
        *((fault.column, fault.value) for fault in faults), strict=True))  # fmt: skip
    return (
        columns,
        values,
        "; ".join(f"{each.column}: {each.reason}" if each.column else each.reason for each in faults),
    )


def _order(fault: RowFault) -> tuple[int, str]:
    return fault.line, fault.column
