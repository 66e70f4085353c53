"""Records of any type: one by its id, or all that fit, as the register holds them."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from cab_registry.domain.codes import RecordType
from cab_registry.domain.records import Agreement, AnyRecord
from cab_registry.register.compiled import Register, Versioned, subject_of
from cab_registry.services.meant import list_meant
from cab_registry.services.narrowing import Narrowing
from cab_registry.services.reading import RecordFound, RecordPage, show_record
from cab_registry.services.views import Given, NoSuchRecord, Paging, View, cut_page


class RecordSearch(Paging, frozen=True, kw_only=True):
    """Parameters of the list of records of every type; all that are given must be met."""

    type: Annotated[RecordType | None, Meta(description="Only records of this type.")] = None
    body: Annotated[Given | None, Meta(description="Only records of or about this body.")] = None
    by: Annotated[Given | None, Meta(description="Only what this authority or party says.")] = None
    owner: Annotated[Given | None, Meta(description="Only records that belong to this authority.")] = None
    agreement: Annotated[Given | None, Meta(description="Only the agreement and what is held under it.")] = None


def find_any(view: View, record_id: str) -> RecordFound:
    """Return a record of any type with the state of the register.

    Raises:
        NoSuchRecord: there is none with that id, or it is retired.
    """
    versioned = view.held.register.records.get(record_id)
    if versioned is None:
        raise NoSuchRecord("record", record_id, list_meant(record_id, view.held.register.facts))
    shown = show_record(versioned)
    return RecordFound(version=shown.version, record=shown.record, state=view.state)


def list_any(view: View, wanted: RecordSearch) -> RecordPage:
    """Return a page of the records that fit, in order of id.

    Raises:
        WrongParameters: what narrows the list names nothing.
    """
    records = view.held.register.records
    meant = _read_words(view.held.register, wanted)
    fitting = [records[key] for key in sorted(records) if _fits(records[key], meant)]
    page, following = cut_page(fitting, lambda versioned: versioned.record.id, wanted, view)
    return RecordPage(items=[show_record(each) for each in page], next=following, state=view.state)


def _read_words(register: Register, wanted: RecordSearch) -> RecordSearch:
    """Return a search in the register's own ids; one that stands in a record is taken, be there none that has it."""

    def stands(text: str) -> bool:
        return any(text in _ids_in(versioned.record) for versioned in register.records.values())

    narrowing = Narrowing(register.facts, stands)
    meant = msgspec.structs.replace(
        wanted,
        body=narrowing.body("body", wanted.body),
        by=narrowing.authority("by", wanted.by),
        owner=narrowing.authority("owner", wanted.owner),
        agreement=narrowing.agreement("agreement", wanted.agreement),
    )
    narrowing.close()
    return meant


def _ids_in(record: AnyRecord) -> tuple[str | None, ...]:
    return subject_of(record), getattr(record, "by", None), record.owner, getattr(record, "agreement", None)


def _fits(versioned: Versioned, wanted: RecordSearch) -> bool:
    record = versioned.record
    if wanted.type is not None and record.__struct_config__.tag != wanted.type:
        return False
    if wanted.body is not None and subject_of(record) != wanted.body:
        return False
    if wanted.by is not None and getattr(record, "by", None) != wanted.by:
        return False
    if wanted.owner is not None and record.owner != wanted.owner:
        return False
    if wanted.agreement is None:
        return True
    under = record.id if isinstance(record, Agreement) else getattr(record, "agreement", None)
    return bool(under == wanted.agreement)
