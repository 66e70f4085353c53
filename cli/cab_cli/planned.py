"""What rows of a table come to: the rows of one body, and the records that are made of them."""

from dataclasses import dataclass, field
from typing import NamedTuple

from cab_cli.desk import Held
from cab_cli.rows import Row
from cab_cli.submitting import Change


@dataclass(slots=True)
class Planned:
    """A record to hand in, and the rows from which it comes; `items` has the row of each scope item by its place."""

    change: Change
    rows: list[Row]
    items: dict[int, Row] = field(default_factory=dict)

    def rows_at(self, pointer: str) -> list[Row]:
        """Return the rows from which a place of the document comes."""
        parts = pointer.split("/")
        if len(parts) > 2 and parts[1] == "scope" and parts[2].isdigit() and int(parts[2]) in self.items:
            return [self.items[int(parts[2])]]
        return self.rows


@dataclass(slots=True)
class Group:
    """The rows of one body, and what the register holds of it."""

    body: str
    rows: list[Row]
    held: Held | None = None
    rights: list[Held] = field(default_factory=list)


class Unsettled(NamedTuple):
    """Why words of a row name no requirement."""

    words: str
