from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cab_registry.domain.question import AskedQuestion
from cab_registry.services.asking import parse_known_at
from cab_registry.services.flat import Unreadable, build_document, list_fields, read_pairs, write_flat

FIELDS = list_fields(AskedQuestion)
WORDS = st.text(min_size=1, max_size=8).filter(lambda text: text.isprintable())
DOCUMENTS = st.fixed_dictionaries(
    {"destination": WORDS},
    optional={
        "result": st.fixed_dictionaries(
            {"kind": WORDS},
            optional={
                "attests": st.lists(WORDS, min_size=1, max_size=3),
                "performed_on": WORDS | st.fixed_dictionaries({"from": WORDS, "to": WORDS}),
                "subcontractors": st.lists(st.fixed_dictionaries({"id": WORDS}), min_size=1, max_size=4),
                "issuer": st.fixed_dictionaries({"scheme": WORDS, "value": WORDS}),
            },
        ),
        "known_at": WORDS,
    },
)


@given(DOCUMENTS)
def test_flat_names_say_the_same_as_the_document(document: dict[str, Any]) -> None:
    assert build_document(write_flat(document), FIELDS) == (document, [])


def test_nulls_are_left_out() -> None:
    assert write_flat({"a": None, "b": {"c": None}, "d": [1, 2]}) == [("d", "1"), ("d", "2")]


@pytest.mark.parametrize("query", [b"a=%ff", b"a=\xff", "&".join(["a=1"] * 501)])
def test_unreadable_queries(query: bytes | str) -> None:
    with pytest.raises(Unreadable):
        read_pairs(query)


@pytest.mark.parametrize(
    "pairs",
    [
        [("result.performed_on", "a"), ("result.performed_on.from", "b")],
        [("result.performed_on.from", "b"), ("result.performed_on", "a")],
        [("result.subcontractors.1.id", "b")],
        [("destination", "a"), ("destination", "b")],
        [("result.subcontractors.4.id", "b")],
    ],
)
def test_names_that_do_not_fit_together(pairs: list[tuple[str, str]]) -> None:
    assert build_document(pairs, FIELDS)[1]


@pytest.mark.parametrize(
    ("text", "zone", "instant"),
    [
        ("2020-01-31", "UTC", "2020-01-31T23:59:59.999999+00:00"),
        ("2020-01-31", "Asia/Tokyo", "2020-01-31T23:59:59.999999+09:00"),
        ("2020-03-29", "Europe/Berlin", "2020-03-29T23:59:59.999999+02:00"),
        ("2020-01-31T10:00:00Z", "Asia/Tokyo", "2020-01-31T10:00:00+00:00"),
    ],
)
def test_a_day_of_knowledge_is_its_last_instant_in_the_zone(text: str, zone: str, instant: str) -> None:
    assert parse_known_at(text, ZoneInfo(zone)).isoformat() == instant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2020",
        "2020-02-30",
        "9999-12-31",
        "2020-01-01T10:00:00",
        "2020-01-01T25:00:00Z",
        "yesterday morning",
        "9999-12-31T23:59:59-23:00",
    ],
)
def test_moments_that_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parse_known_at(text, ZoneInfo("UTC"))


def test_a_scratch_day_is_a_day() -> None:
    assert parse_known_at("2020-01-31", ZoneInfo("UTC")).date() == date(2020, 1, 31)
