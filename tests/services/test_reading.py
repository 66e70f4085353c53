"""Bodies are found in the register by a part of a name, in any spelling of it."""

from __future__ import annotations

from datetime import date

import pytest

from cab_registry.services.heads import Held
from cab_registry.services.reading import BodySearch, search_bodies
from cab_registry.services.snapshots.cursors import CursorSigner
from cab_registry.services.views import View
from tests.engine.whole import whole

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize("name", ["tuev sued product", "TUEV SÜD Product", "tüv süd product", "TUV SUD PRODUCT"])
def test_a_part_of_a_name_is_found_with_umlauts_as_one_letter_and_as_two(name: str) -> None:
    view = View(Held(whole()), TODAY, CursorSigner(bytes(32), lambda: TODAY))
    assert "nando-0123" in [each.id for each in search_bodies(view, BodySearch(name=name)).items]


def test_a_body_is_found_by_a_number_among_words_and_not_by_one_in_a_name() -> None:
    view = View(Held(whole()), TODAY, CursorSigner(bytes(32), lambda: TODAY))
    found = search_bodies(view, BodySearch(name="Notified Body No. 0123")).items
    assert [each.id for each in found] == ["nando-0123"]
    assert not search_bodies(view, BodySearch(name="Laboratory Xyzzy 0123")).items
