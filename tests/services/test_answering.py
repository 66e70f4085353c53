"""What a question about a past moment seeks by its own words is what the engine reads in them."""

from __future__ import annotations

from typing import Any

import pytest

from cab_registry.domain.question import read_question
from cab_registry.services.answering import seek


@pytest.mark.parametrize(
    ("issuer", "sought"),
    [
        ({"value": "FCC Designation No. TW0003"}, {("fcc-designation", "TW0003")}),
        ({"scheme": "fcc-designation", "value": "FCC Designation No. TW0003"}, {("fcc-designation", "TW0003")}),
        ({"scheme": "nando", "value": "0123, 0124"}, {("nando", "0123"), ("nando", "0124")}),
        ({"scheme": "unheard-of", "value": "ab 12"}, {("unheard-of", "AB12")}),
        ({"name": "NB 0123"}, {("nando", "0123")}),
    ],
)
def test_a_number_among_words_is_sought(issuer: dict[str, Any], sought: set[tuple[str, str]]) -> None:
    document = {"destination": "DE", "result": {"kind": "certificate", "issuer": issuer, "issued_on": "2024-01-01"}}
    assert set(seek(read_question(document)).identifiers) >= sought
