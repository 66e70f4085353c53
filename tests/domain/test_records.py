"""Records are read from plain documents and written back, and their dated items know their days."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cab_registry.domain.days import ALWAYS, NEVER, Period, When, parse_when
from cab_registry.domain.records import RECORD_TYPES, Economy, Record, read_record, write_record
from cab_registry.domain.records.common import Dated, read_custom, write_custom
from cab_registry.register.examples import list_examples
from tests.register.documents import valid_documents
from tests.sizes import sized


def dated(**fields: Any) -> Dated:
    return msgspec.convert(fields, Dated, dec_hook=read_custom)


@settings(max_examples=sized(60, whole=600))
@given(st.sampled_from(sorted(RECORD_TYPES)).flatmap(lambda name: valid_documents(RECORD_TYPES[name])))
def test_a_record_is_read_as_it_was_written(document: dict[str, Any]) -> None:
    record = read_record(document)
    written = write_record(record)
    assert written["type"] == document["type"]
    assert read_record(written) == record
    assert write_record(read_record(written)) == written
    assert hash(record.id) == hash(document["id"])


@pytest.mark.parametrize("name", sorted(RECORD_TYPES))
def test_each_type_reads_its_own_struct(name: str) -> None:
    (document,) = list_examples(name)
    assert type(read_record(document)) is RECORD_TYPES[name]


@pytest.mark.parametrize("name", sorted(RECORD_TYPES))
def test_records_are_frozen_and_know_their_head(name: str) -> None:
    record = read_record(list_examples(name)[0])
    assert isinstance(record, Record)
    assert {"id", "owner", "sources", "note", "known_from"} <= set(record.__struct_fields__)
    with pytest.raises(AttributeError):
        record.id = "other"  # type: ignore[misc] # that it cannot be set is the point


def test_defaults_are_not_written() -> None:
    record = read_record(list_examples("economy")[0])
    assert isinstance(record, Economy)
    assert record.kind == "economy"
    assert "kind" not in write_record(record)
    assert "note" not in write_record(record)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"extra": 1}, "unknown field `extra`"),
        ({"id": "X"}, "matching regex"),
        ({"id": "xa-"}, "matching regex"),
        ({"id": "xa--b"}, "matching regex"),
        ({"id": "xa\n"}, "matching regex"),
        ({"id": "a" * 121}, "length <= 120"),
        ({"code": "xa"}, "matching regex"),
        ({"code": "XA\n"}, "matching regex"),
        ({"names": {}}, "length >= 1"),
        ({"names": {"en": ""}}, "length >= 1"),
        ({"known_from": "2021-02-30"}, "not a day of the calendar"),
        ({"known_from": 1}, "never null"),
        ({"type": "land"}, "land"),
    ],
)
def test_what_is_no_record_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        read_record({**list_examples("economy")[0], **change})
    assert message in str(caught.value)


@pytest.mark.parametrize("code", ["XA", "EU", "EEA", "EFTA", "GB-NIR", "WORLD"])
def test_codes_of_economies_unions_and_regions_are_taken(code: str) -> None:
    read_record({**list_examples("economy")[0], "code": code})


def test_a_period_ends_with_the_last_day_however_it_is_stated() -> None:
    assert (
        dated(**{"from": "2021-01-01", "until": "2021-12-31"}).period
        == dated(**{"from": "2021-01-01", "invalid_from": "2022-01-01"}).period
    )
    assert dated(**{"from": "always"}).period == Period(ALWAYS, NEVER)


def test_of_two_ends_the_earlier_counts() -> None:
    item = dated(**{"from": "always", "until": "2021-12-31", "invalid_from": "2021-07-01"})
    assert item.period.end == parse_when("2021-06-30")


def test_the_first_invalid_day_may_be_a_window() -> None:
    item = dated(**{"from": "always", "invalid_from": {"not_before": "2021-06-01", "not_after": "2021-06-02"}})
    assert item.period.end == parse_when({"not_before": "2021-05-31", "not_after": "2021-06-01"})


def test_only_moments_are_custom() -> None:
    assert read_custom(When, "always") == ALWAYS
    assert write_custom(ALWAYS) == "always"
    with pytest.raises(TypeError, match="cannot read"):
        read_custom(complex, "1j")
    with pytest.raises(TypeError, match="cannot write"):
        write_custom(1j)
