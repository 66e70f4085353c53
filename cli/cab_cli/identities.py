"""Whom a row is about: a body that the register holds, one of an earlier row, or a new one; never two of them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Final

from cab_cli.rows import Findings, Row, RowFault, RowNote, RowReader
from cab_registry.domain.folding import fold
from cab_registry.domain.schemes import canonise
from cab_registry.register.minting import mint_id

Number = tuple[str, str]
_PARTS: Final = re.compile(r"[^\w.-]+")


@dataclass(slots=True)
class KnownBody:
    """A body as it is known here: from the register, or from a row of this table.

    Attributes:
        id: its id.
        names: all that it ever had, the present one first.
        economy: of its seat; empty where a row does not say.
        numbers: by scheme, as they are written.
        owner: to whom its record belongs; empty for one of this table.
        line: on which it first stands in this table; zero where only the register has it.
    """

    id: str
    names: list[str]
    economy: str
    numbers: dict[str, set[str]]
    owner: str = ""
    line: int = 0

    def __str__(self) -> str:
        """Return how a fault names it."""
        shown = ", ".join(f"{scheme} {value}" for scheme, values in self.numbers.items() for value in sorted(values))
        name = self.names[0] if self.names else "without a name"
        where = f"line {self.line}" if not self.owner else self.id
        return f"{name!r} ({', '.join(each for each in (where, self.economy, shown) if each)})"

    def is_called(self, name: str) -> bool:
        """Whether it has or had a name, in some spelling."""
        wanted = fold(name)
        return any(fold(each) == wanted for each in self.names)

    def has(self, number: Number) -> bool:
        """Whether it has a number."""
        scheme, value = number
        return any(canonise(scheme, each) == canonise(scheme, value) for each in self.numbers.get(scheme, ()))


def known_body(document: Mapping[str, Any]) -> KnownBody:
    """Return a body of the register as it is known here."""
    names = sorted(document["names"], key=lambda each: (each.get("until") is not None, each.get("kind") == "other"))
    numbers: dict[str, set[str]] = {}
    for each in document.get("identifiers", []):
        numbers.setdefault(each["scheme"], set()).add(each["value"])
    return KnownBody(
        document["id"], [each["name"] for each in names], document["economy"], numbers, owner=document["owner"]
    )


@dataclass(slots=True)
class _Claim:
    """What a row says of the body that it is about."""

    row: Row
    id: str
    name: str
    economy: str

    @classmethod
    def of(cls, row: Row) -> "_Claim":
        part = row.part("body")
        return cls(row, part.get("id", ""), part.get("name", ""), part.get("economy", ""))


@dataclass(slots=True)
class Identifier:
    """Settles for each row whom it is about.

    Attributes:
        reader: knows the columns.
        authority: for whom the table is imported, who can change its own bodies alone.
        found: takes faults and notes.
        update: whether a row may change what the register holds of its body.
        names_from: the day from which other names hold, where a row names none of its own.
        named: ids of the bodies that the table speaks of, those of refused rows too.
    """

    reader: RowReader
    authority: str
    found: Findings
    _: KW_ONLY
    update: bool = False
    names_from: str | None = None
    named: set[str] = field(default_factory=set)
    bodies: dict[str, KnownBody] = field(default_factory=dict)
    _by_number: dict[Number, list[str]] = field(default_factory=dict)
    _by_name: dict[str, list[str]] = field(default_factory=dict)

    def learn(self, bodies: Iterable[KnownBody]) -> None:
        """Take in what the register holds."""
        for body in bodies:
            self.bodies[body.id] = body
            self._index(
                body.id, body.names, ((scheme, value) for scheme, values in body.numbers.items() for value in values)
            )

    def settle(self, row: Row) -> str | None:
        """Return the id of the body that a row is about; what stands against it is added to what was found."""
        claim = _Claim.of(row)
        faults: list[RowFault] = []
        body = self._find(claim, faults)
        if body is not None:
            self.named.add(body.id)
        if row.refused:
            self._note_mentions(row)
            return None
        if faults:
            self.found.faults += faults
            return None
        if body is None:
            return self._begin(claim)
        self._note_spelling(body, claim)
        self._take_in(body, claim)
        return body.id

    def _note_spelling(self, body: KnownBody, claim: _Claim) -> None:
        """Say where a name fits in another spelling alone."""
        if claim.name in body.names or not body.is_called(claim.name):
            return
        spelt = next(each for each in body.names if fold(each) == fold(claim.name))
        words = f"taken as {body}, which is spelt otherwise there and stays so"
        column = self.reader.heading_of("body.name")
        self.found.notes.append(RowNote(claim.row.line, column, claim.name, spelt, words))

    def _note_mentions(self, row: Row) -> None:
        """Note every body that a refused row may speak of, so that nobody is missed who stands in the table."""
        for cell in row.cells:
            self.named.update(self._by_name.get(fold(cell), ()) if cell.strip() else ())
            self.named.update({cell} & self.bodies.keys())
            for scheme in self.reader.schemes():
                for part in (cell, *_PARTS.split(cell)):
                    self.named.update(self._by_number.get((scheme, canonise(scheme, part)), ()) if part else ())

    def _find(self, claim: _Claim, faults: list[RowFault]) -> KnownBody | None:
        """Return the one body that id, numbers and name agree on; none for a new one."""
        by_number = {number: self._with_number(number) for number in claim.row.numbers}
        numbered = {each.id: each for found in by_number.values() for each in found}
        namesakes = self._namesakes(claim)
        self.named.update(numbered)
        for number, found in by_number.items():
            if len(found) > 1:
                faults.append(self._fault(claim, number, f"is the number of two bodies: {_list(found)}"))
        if faults:
            return None
        if claim.id:
            return self._find_by_id(claim, by_number, namesakes, faults)
        if len(numbered) > 1:
            said = "; ".join(f"{_say(number)} is {each}" for number, found in by_number.items() for each in found)
            faults.append(self._fault(claim, claim.row.numbers[0], f"names two bodies by its numbers: {said}"))
            return None
        if numbered:
            (body,) = numbered.values()
            self._hold_name(body, claim, namesakes, faults)
            return body
        return self._find_by_name(claim, namesakes, faults)

    def _find_by_id(
        self,
        claim: _Claim,
        by_number: Mapping[Number, list[KnownBody]],
        namesakes: list[KnownBody],
        faults: list[RowFault],
    ) -> KnownBody | None:
        body = self.bodies.get(claim.id)
        for number, found in by_number.items():
            faults += [
                self._fault(claim, number, f"is the number of {each}, and this row names {body or claim.id}")
                for each in found
                if each.id != claim.id
            ]
        if body is not None:
            self.named.add(body.id)
            self._hold_name(body, claim, namesakes, faults)
        elif namesakes:
            column = self.reader.heading_of("body.name")
            words = f"is the name of {_list(namesakes)}, and this row names {claim.id}, which is new"
            faults.append(RowFault(claim.row.line, column, claim.name, words))
        return body

    def _find_by_name(self, claim: _Claim, namesakes: list[KnownBody], faults: list[RowFault]) -> KnownBody | None:
        column = self.reader.heading_of("body.name")
        self.named.update(each.id for each in namesakes)
        if len(namesakes) > 1:
            words = f"is the name of several bodies: {_list(namesakes)}; name it by its id or a number"
            faults.append(RowFault(claim.row.line, column, claim.name, words))
            return None
        if not namesakes:
            return None
        (body,) = namesakes
        for scheme, value in claim.row.numbers:
            if body.numbers.get(scheme):
                words = f"is a new number, and {body} has the name of this row and another number: is it one body?"
                faults.append(self._fault(claim, (scheme, value), words))
                return body
        if not claim.row.numbers and body.line and body.numbers and not body.owner:
            words = f"is the name of {body}, and this row has no number: write the number into it too"
            faults.append(RowFault(claim.row.line, column, claim.name, words))
        elif claim.row.numbers and body.owner:
            held = f"the register has {body} by its name, without this number"
            self.found.notes.append(
                RowNote(claim.row.line, column, claim.name, body.id, f"{held}; --update enters the number")
            )
        elif claim.row.numbers and not body.numbers:
            words = f"is the name of {body}, where no number stands: write the number into both"
            faults.append(RowFault(claim.row.line, column, claim.name, words))
        return body

    def _hold_name(self, body: KnownBody, claim: _Claim, namesakes: list[KnownBody], faults: list[RowFault]) -> None:
        """Hold that the name and the economy of a row are those of the body that its number or id names."""
        line, column = claim.row.line, self.reader.heading_of("body.name")
        if claim.economy and body.economy and claim.economy != body.economy:
            where = self.reader.heading_of("body.economy")
            faults.append(RowFault(line, where, claim.economy, f"{self._by(claim)} {body}, which is in {body.economy}"))
        if not claim.name or not body.names or body.is_called(claim.name):
            return
        if others := [each for each in namesakes if each.id != body.id]:
            words = f"is the name of {_list(others)}, and {self._by(claim)} {body}"
        elif not body.owner:
            words = f"line {body.line} says {body.names[0]!r} of the same body, {body}"
        elif body.owner != self.authority:
            words = f"{self._by(claim)} {body}, whose record belongs to {body.owner}: is it another body?"
        elif self.update and (self.names_from or "name_from" in claim.row.part("body")):
            return
        else:
            words = (
                f"{self._by(claim)} {body}: another name. If that body has a new name, import with --update and "
                "--names-from DAY; if it is another body, the number or id is wrong"
            )
        faults.append(RowFault(line, column, claim.name, words))

    def _by(self, claim: _Claim) -> str:
        if claim.id:
            return "the id of this row is that of"
        return f"{' and '.join(map(_say, claim.row.numbers))} of this row is the number of"

    def _begin(self, claim: _Claim) -> str | None:
        """Begin a new body, under an id that nobody has."""
        part = claim.row.part("body")
        document: dict[str, Any] = {
            "type": "body",
            "names": [{"name": claim.name}] if claim.name else [],
            "identifiers": [{"scheme": scheme, "value": value} for scheme, value in claim.row.numbers],
            **({"economy": part["economy"]} if "economy" in part else {}),
        }
        body_id = claim.id or mint_id(document, self.bodies.__contains__)
        if body_id is None:
            column = self.reader.heading_of("body.id") or self.reader.heading_of("body.name")
            words = "names no body: an id, a number, or a name with its economy"
            self.found.faults.append(RowFault(claim.row.line, column, "", words))
            return None
        self.named.add(body_id)
        body = KnownBody(body_id, [], claim.economy, {}, line=claim.row.line)
        self.bodies[body_id] = body
        self._take_in(body, claim)
        return body_id

    def _take_in(self, body: KnownBody, claim: _Claim) -> None:
        """Remember what an accepted row says of its body, for the rows that follow."""
        body.line = body.line or claim.row.line
        body.economy = body.economy or claim.economy
        if claim.name and not body.is_called(claim.name):
            body.names.append(claim.name)
        for scheme, value in claim.row.numbers:
            if not body.has((scheme, value)):
                body.numbers.setdefault(scheme, set()).add(value)
        self._index(body.id, [claim.name] if claim.name else [], claim.row.numbers)

    def _index(self, body_id: str, names: Iterable[str], numbers: Iterable[Number]) -> None:
        for key, index in (
            *((fold(name), self._by_name) for name in names),
            *(((scheme, canonise(scheme, value)), self._by_number) for scheme, value in numbers),
        ):
            there = index.setdefault(key, [])  # type: ignore[attr-defined]
            if body_id not in there:
                there.append(body_id)

    def _with_number(self, number: Number) -> list[KnownBody]:
        scheme, value = number
        return [self.bodies[each] for each in self._by_number.get((scheme, canonise(scheme, value)), ())]

    def _namesakes(self, claim: _Claim) -> list[KnownBody]:
        found = [self.bodies[each] for each in self._by_name.get(fold(claim.name), ())] if claim.name else []
        return [each for each in found if not claim.economy or not each.economy or each.economy == claim.economy]

    def _fault(self, claim: _Claim, number: Number, words: str) -> RowFault:
        scheme, value = number
        column = self.reader.heading_of(f"body.identifier.{scheme}") or self.reader.heading_of("body.identifiers")
        return RowFault(claim.row.line, column, value, words)


def _say(number: Number) -> str:
    return " ".join(number)


def _list(bodies: Iterable[KnownBody]) -> str:
    return " and ".join(map(str, bodies))
