"""Which fixed word was meant by another."""

from __future__ import annotations

import pytest

from cab_registry.domain.nearest import find_nearest

KEYS = ("issuer", "issuer_economy", "issued_on", "ordered_on", "kind")


@pytest.mark.parametrize(
    ("word", "meant"),
    [("issued", "issued_on"), ("isuer", "issuer"), ("issuer_eco", "issuer_economy"), ("kindd", "kind"), ("zzz", None)],
)
def test_a_beginning_is_nearer_than_another_spelling(word: str, meant: str | None) -> None:
    assert find_nearest(word, KEYS) == meant
