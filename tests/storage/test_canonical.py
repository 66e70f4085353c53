import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cab_registry.storage.canonical import NotCanonical, canonical_bytes, canonical_hash, spell_instant

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)


def test_keys_are_sorted_and_nothing_is_escaped_or_spaced() -> None:
    assert (
        canonical_bytes({"b": [1, True, None], "a": "Ø\n", "A": {}}) == '{"A":{},"a":"Ø\\n","b":[1,true,null]}'.encode()
    )


def test_days_and_instants_are_strings() -> None:
    noon = datetime(2026, 7, 1, 12, 0, 0, 5, tzinfo=timezone(timedelta(hours=2)))
    spelled = canonical_bytes({"on": date(2026, 7, 1), "at": noon})
    assert spelled == b'{"at":"2026-07-01T10:00:00.000005Z","on":"2026-07-01"}'


@given(VALUES)
def test_reading_and_spelling_again_gives_the_same_bytes(value: Any) -> None:
    spelled = canonical_bytes(value)
    assert json.loads(spelled) == value
    assert canonical_bytes(json.loads(spelled)) == spelled


@given(st.dictionaries(WORDS, VALUES, max_size=5))
def test_the_order_of_keys_does_not_matter(document: dict[str, Any]) -> None:
    assert canonical_hash(dict(reversed(document.items()))) == canonical_hash(document)


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ({"a": [{"b/c": 1.5}]}, "/a/0/b~1c"),
        ({"a~": float("nan")}, "/a~0"),
        (2.0, ""),
        ({"n": 2**53}, "/n"),
        ({"n": Decimal(1)}, "/n"),
        ({"at": datetime(2026, 1, 1)}, "/at"),  # noqa: DTZ001 - the missing offset is the case
        ({"a": {1: "x"}}, "/a"),
        ({"a": "x\x00"}, "/a"),
        ({"a": "\ud800"}, "/a"),
        ({"a": b"x"}, "/a"),
        ({"a": {"x"}}, "/a"),
    ],
)
def test_what_has_no_one_spelling_is_refused_and_named(value: Any, pointer: str) -> None:
    with pytest.raises(NotCanonical) as refused:
        canonical_bytes(value)
    assert refused.value.pointer == pointer


def test_a_document_without_end_is_refused() -> None:
    deep: list[object] = []
    for _ in range(100):
        deep = [deep]
    with pytest.raises(NotCanonical, match="levels"):
        canonical_bytes(deep)


def test_an_instant_needs_an_offset() -> None:
    assert spell_instant(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000000Z"
    with pytest.raises(ValueError, match="offset"):
        spell_instant(datetime(2026, 1, 1))  # noqa: DTZ001 - the missing offset is the case
