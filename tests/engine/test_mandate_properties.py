"""No record of an authority changes an answer in a market where it has no say, about a body on which it has none."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.test_mandate import GRANT, KOREA, US_GMP, ask, inspection, listed, notice, position, right, same
from tests.engine.whole import whole
from tests.sizes import sized

STRANGERS = sorted(
    key
    for key, authority in whole().law.authorities.items()
    if authority.economy is not None
    and authority.economy not in whole().facts.side_ever("DE") | whole().facts.side_ever("US")
    and not whole().facts.side_ever(authority.economy) & {"EU"}
    and "arrangement" not in authority.roles
)
MARKETS = st.lists(st.sampled_from(["DE", "EU", "US", "KR", "AT"]), min_size=1, unique=True)
BY = st.sampled_from([None, "DE", "EU", "US", "us-fda", "eu-commission", "de-agmp"])
EFFECTS = st.sampled_from(["non_compliance", "refused", "cancelled", "restricted", "superseded", "prohibited_entity"])
ABOUT = st.sampled_from([US_GMP, {"agreement": "us-eu-mra"}, {}, {**US_GMP, "body": "us-fda"}])
GROUND = st.sampled_from([US_GMP, KOREA, {"scheme": "asdf"}])


@st.composite
def foreign(draw: st.DrawFn) -> dict[str, Any]:
    """Any record that says something of an inspection by FDA in Germany, and comes from neither side."""
    owner, by = draw(st.sampled_from(STRANGERS)), draw(BY)
    kind = draw(st.sampled_from(["position", "notice", "designation", "recognition", "accreditation", "coverage"]))
    named = {"by": by} if by is not None else {}
    if kind == "position":
        says = draw(st.sampled_from(["accepted", "not_accepted"]))
        return position(owner, *draw(MARKETS), says=says, about=draw(ABOUT), **named)
    if kind == "notice":
        named = named if by is not None or draw(st.booleans()) else {"by": None}
        about = draw(st.sampled_from([{"body": "us-fda"}, {"number": "NO-1"}, {"body": "us-fda", "number": "NO-1"}]))
        return notice(owner, effect=draw(EFFECTS), about=about, **named)
    if kind == "coverage":
        return listed(owner, completeness=draw(st.sampled_from(["complete", "partial"])), **draw(GROUND), **named)
    events = [{"event": "granted", "on": "2015-01-01"}]
    if draw(st.booleans()):
        events.append({"event": draw(st.sampled_from(["suspended", "withdrawn"])), "on": "2024-01-01"})
    if kind == "accreditation":
        named = {"by": "us-a2la"} if by is not None else {}
    return right(kind, owner, timeline=events, **(GRANT if kind == "accreditation" else draw(GROUND)), **named)


@settings(max_examples=sized(20, whole=300), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(foreign(), min_size=1, max_size=3))
def test_strangers_change_nothing(records: list[dict[str, Any]]) -> None:
    told = [{**record, "id": f"{record['id']}-{index}"} for index, record in enumerate(records)]
    asked = inspection(number="NO-1")
    assert same(ask(whole(), *told, **asked), ask(whole(), **asked))
