"""Reading the register: agreements, bodies and other records, with states as of a day."""

from __future__ import annotations

from collections.abc import Iterable

from cab_registry.domain.errors import Fault, Refusal


class WrongParameters(Refusal):
    """Query parameters that cannot be taken."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        super().__init__("the query parameters cannot be taken", tuple(faults))


class NoSuchRecord(Refusal):
    """The register has no record of that kind with that id."""

    def __init__(self, kind: str, record_id: str) -> None:
        super().__init__(f"the register has no {kind} {record_id!r}")
