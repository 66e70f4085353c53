"""Batches of an import: rows handed in together, each refused row told, the rest sent again without it."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from cab_cli.desk import Desk
from cab_cli.import_reports import Done
from cab_cli.planned import Group, Planned
from cab_cli.planning import Planner
from cab_cli.rows import Row, RowFault
from cab_cli.submitting import PATH, Change
from cab_registry.domain.errors import Fault, Refusal

MOST_ROWS: Final = 500
MOST_RECORDS: Final = 500
_UNNAMED: Final = "without-an-id"


def cut_batches(groups: Iterable[Group]) -> Iterator[list[Group]]:
    """Put the rows of whole bodies together, up to what one submission holds."""
    batch: list[Group] = []
    rows = 0
    for group in groups:
        if batch and (rows + len(group.rows) > MOST_ROWS):
            yield batch
            batch, rows = [], 0
        batch.append(group)
        rows += len(group.rows)
    if batch:
        yield batch


class Courier:
    """Hands batches in."""

    def __init__(
        self,
        desk: Desk,
        planner: Planner,
        frame: dict[str, Any],
        *,
        known: frozenset[str],
        cite: Callable[[Change], Change] = lambda change: change,
    ) -> None:
        self._desk = desk
        self._planner = planner
        self._frame = frame
        self._known = known
        self._cite = cite

    def deliver(self, batch: list[Group], *, dry_run: bool = False) -> Iterator[Done]:
        """Hand a batch in, in as many submissions as its records need; refused rows are left out and told."""
        for group in batch:
            self._look_up(group)
        part: list[Group] = []
        count = 0
        for group in batch:
            records = len(self._planner.plan(group, []))
            if part and count + records > MOST_RECORDS:
                yield self._deliver(part, dry_run=dry_run)
                part, count = [], 0
            part.append(group)
            count += records
        if part:
            yield self._deliver(part, dry_run=dry_run)

    def _look_up(self, group: Group) -> None:
        if group.body in self._known:
            group.held = self._desk.read(group.body)
            group.rights = self._desk.rights_of(group.body)

    def _deliver(self, groups: list[Group], *, dry_run: bool) -> Done:
        told: list[RowFault] = []
        while True:
            faults: list[RowFault] = []
            planned = [each for group in groups for each in self._planner.plan(group, faults)]
            faults += self._list_local(planned)
            if not faults and planned:
                answer, faults = self._send(planned, dry_run=dry_run)
                if answer is not None:
                    return self._tell(groups, planned, told, answer)
            if not faults:
                return self._tell(groups, planned, told, {})
            told += faults
            bad = {fault.line for fault in faults}
            for group in groups:
                group.rows = [row for row in group.rows if row.line not in bad]

    def _list_local(self, planned: list[Planned]) -> list[RowFault]:
        """List what is wrong with the shape of records, without asking the server."""
        from cab_registry.register.schemas import list_faults

        found: list[RowFault] = []
        for each in planned:
            document = {"id": _UNNAMED, **each.change.document}
            for fault in list_faults(document):
                found += self._blame(each, fault.pointer, fault.message)
        return _once(found)

    def _send(self, planned: list[Planned], *, dry_run: bool) -> tuple[Any, list[RowFault]]:
        request = {**self._frame, "records": [self._cite(each.change).plain() for each in planned]}
        body = msgspec.json.encode(request)
        # Named by what it holds: sent again after a crash, it is the same submission.
        key = f"import-{hashlib.sha256(body).hexdigest()}"
        try:
            if dry_run:
                return self._desk.client.send(PATH, {**request, "dry_run": True}), []
            return self._desk.client.send(PATH, request, key=key), []
        except Refusal as refusal:
            return None, _once(self._read_refusal(refusal, planned))

    def _read_refusal(self, refusal: Refusal, planned: list[Planned]) -> Iterator[RowFault]:
        by_id = {each.change.document.get("id"): each for each in planned}
        found = False
        for fault in refusal.faults:
            each, pointer = _locate(fault, planned, by_id)
            if each is not None:
                found = True
                yield from self._blame(each, pointer, fault.message)
        if not found:
            said = "; ".join(str(fault) for fault in refusal.faults)
            for each in planned:
                yield from (RowFault(row.line, "", "", f"{refusal}{': ' if said else ''}{said}") for row in each.rows)

    def _blame(self, planned: Planned, pointer: str, message: str) -> Iterator[RowFault]:
        column = self._planner.field_of(planned, pointer)
        field = self._planner.reader.field_of(column)
        place = "" if column else f"{planned.change.document['type']}{pointer}: "
        for row in planned.rows_at(pointer):
            yield RowFault(row.line, column, row.values.get(field, ""), f"{place}{message}")

    @staticmethod
    def _tell(groups: list[Group], planned: list[Planned], told: list[RowFault], answer: dict[str, Any]) -> Done:
        lines = {row.line for group in groups for row in group.rows}
        entered = {row.line for each in planned for row in each.rows} if answer else set[int]()
        return Done(
            entered=tuple(sorted(entered)),
            unchanged=tuple(sorted(lines - entered)),
            faults=tuple(told),
            submission=answer.get("id"),
            position=answer.get("position"),
            waiting=answer.get("state") == "submitted",
            sentences=tuple((answer.get("effect") or {}).get("sentences", ())),
        )


def _locate(fault: Fault, planned: list[Planned], by_id: dict[Any, Planned]) -> tuple[Planned | None, str]:
    """Find the record that a fault of the server is about, and the place in it."""
    parts = fault.pointer.split("/")
    if len(parts) > 2 and parts[1] == "records" and parts[2].isdigit() and int(parts[2]) < len(planned):
        rest = parts[4:] if parts[3:4] == ["document"] else parts[3:]
        return planned[int(parts[2])], "".join(f"/{part}" for part in rest)
    return by_id.get(fault.pointer), ""


def _once(faults: Iterable[RowFault]) -> list[RowFault]:
    return list(dict.fromkeys(faults))


def group_rows(
    rows: Iterable[Row], settle: Callable[[Row], str | None], column: str, faults: list[RowFault]
) -> list[Group]:
    """Put the rows of each body together, wherever they stand.

    Args:
        rows: of the table.
        settle: returns whom a row is about, or nothing for a row that is refused.
        column: which names the body in faults.
        faults: takes those of bodies with too many rows.
    """
    groups: dict[str, Group] = {}
    for row in rows:
        body = settle(row)
        if body is not None:
            groups.setdefault(body, Group(body, [])).rows.append(row)
    for body, group in list(groups.items()):
        if len(group.rows) > MOST_ROWS:
            reason = f"the body {body} has {len(group.rows)} rows, and a submission holds {MOST_ROWS}"
            faults.extend(RowFault(row.line, column, body, reason) for row in group.rows)
            del groups[body]
    return list(groups.values())
