"""What stands on record and speaks of the result, but comes from somebody who has no say on it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, Final

from cab_registry.domain.days import Truth
from cab_registry.engine.document import list_on_result
from cab_registry.engine.finding import PASS
from cab_registry.engine.inquiry import Inquiry, View
from cab_registry.engine.judge import Trace
from cab_registry.engine.notices import may_say
from cab_registry.engine.representation import find_actor
from cab_registry.engine.rights import covered, given_by

_MOST: Final = 8
"""So many are named in one answer."""

Said = tuple[str, dict[str, Any]]


def list_disregarded(inquiry: Inquiry, best: Trace) -> Iterator[Said]:
    """Yield, as key and values of a sentence, what the answer leaves out because of who says it."""
    view = View(inquiry, inquiry.question.presented_on)
    yield from islice(chain(_positions(view, best), _notices(view, best), _rights(view, best)), _MOST)


def _say(view: View, record: str, by: str | None, owner: str) -> Said:
    own = by is None or find_actor(by, owner, view.facts) is not None
    key = "assumed.no_say" if own else "assumed.in_other_name"
    return key, {"by": by or owner, "owner": owner, "record": record}


def _positions(view: View, best: Trace) -> Iterator[Said]:
    for stance in best.stances:
        if stance.disregarded:
            yield _say(view, stance.position.id, stance.position.by, stance.position.owner)


def _notices(view: View, best: Trace) -> Iterator[Said]:
    for notice, _ in list_on_result(view):
        if not may_say(view, best.rf, notice) and view.reached(notice.on) is not Truth.NO:
            yield _say(view, notice.id, notice.by, notice.owner)


def _rights(view: View, best: Trace) -> Iterator[Said]:
    """Yield the rights that would count had somebody else given them, where a right is asked for and was not found."""
    rule = best.rf.route.issuer
    missed = {finding.code for finding in best.findings if finding.outcome != PASS}
    for kind, asked in (("designation", rule.designation), ("recognition", rule.recognition)):
        if asked is None or kind not in missed:
            continue
        for right in (each for holder in view.inquiry.right_holders for each in holder.rights(kind)):
            if covered(right, best.rf, asked.under) is not None and not given_by(view, best.rf, asked.by, right):
                yield _say(view, right.record, right.by, right.owner)
