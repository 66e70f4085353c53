"""An id that nothing has is told with the one that may be meant."""

import pytest

from cab_registry.domain.records import read_record
from cab_registry.register.references import find_unknown, list_known
from tests.engine.whole import whole
from tests.register.test_competence import right


@pytest.mark.parametrize(("written", "meant"), [("eu-us-mra", "us-eu-mra"), ("us-eu-mrra", "us-eu-mra")])
def test_an_agreement_that_is_written_otherwise_is_suggested(written: str, meant: str) -> None:
    known = list_known(record for record, _ in whole().records.values())
    document = right("designation", "kr-rra", agreement=written)
    (fault,) = [each for each in find_unknown(read_record(document), known) if each.pointer == "/agreement"]
    assert f"did you mean {meant}?" in fault.message
