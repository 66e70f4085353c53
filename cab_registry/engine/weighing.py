"""What is left out, weighed: every value that it may have is tried, and what differs is said (domain.md, section 9).

Where all values give one verdict, that is the answer. Where they do not, nobody can tell, and the value is missing.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from cab_registry.domain.codes import Verdict
from cab_registry.engine.deciding import OpenValue, Outcome, judge_routes, list_flips, order_verdicts
from cab_registry.engine.facts import RouteFacts
from cab_registry.engine.finding import UNKNOWN, Finding
from cab_registry.engine.inquiry import Inquiry
from cab_registry.engine.leftout import LeftOut, find_left_out
from cab_registry.engine.merging import CODES, Labels, Leaf, merge
from cab_registry.engine.unread import open_outcome, withhold_unread

BUDGET: Final = 600
"""How many routes are judged for one day of presentation; what is left out beyond that stays open."""


class _Node(NamedTuple):
    """A question with what came of it: judged as it stands, or once for each value of what it leaves out."""

    leaves: tuple[Leaf, ...]
    open: tuple[OpenValue, ...] = ()
    cut: bool = False
    """Whether there were more values than could be tried."""


class _Trial:
    """Tries the values of what one question leaves out, within the budget."""

    __slots__ = ("left", "presented", "routes")

    def __init__(self, routes: tuple[RouteFacts, ...], presented: int, budget: int) -> None:
        self.routes = routes
        self.presented = presented
        self.left = budget

    def explore(self, inquiry: Inquiry, labels: Labels = ()) -> _Node:
        """Judge a question, once for each value of the first thing left out, and so on."""
        outcome = judge_routes(inquiry, self.routes, self.presented)
        self.left -= 1 + len(outcome.traces) + len(outcome.discretionary)
        leaf = Leaf(inquiry, labels, outcome)
        found = find_left_out(inquiry, outcome)
        if found is None:
            return _end(leaf)
        return _cut(leaf, found.name) if self._stops(leaf) else self._try_each(found, leaf)

    def _stops(self, leaf: Leaf) -> bool:
        return self.left <= 0 or leaf.inquiry.effort.stops()

    def _try_each(self, found: LeftOut, plain: Leaf) -> _Node:
        nodes: list[_Node] = []
        for tried in found.tried:
            labels = (*plain.labels, (found.name, tried.labels))
            if not tried.labels or self._stops(plain):
                nodes.append(_cut(plain._replace(labels=labels), found.name))
                break
            nodes.append(self.explore(tried.inquiry, labels))
        leaves = tuple(leaf for node in nodes for leaf in node.leaves)
        matters = _matters(nodes, len(plain.labels) + 1)
        cut = any(node.cut for node in nodes)
        mattering = (OpenValue(found.name, _verdicts(nodes, cut=cut)),) if matters else ()
        return _Node(leaves, _join(mattering, *(node.open for node in nodes)), cut)


def _end(leaf: Leaf) -> _Node:
    """Return a question of which nothing more is tried; what its open checks lack stays open."""
    flips = list_flips(leaf.outcome) if leaf.outcome.verdict == "cannot_tell" else {}
    return _Node((leaf,), tuple(OpenValue(*item) for item in flips.items()))


def _cut(leaf: Leaf, name: str) -> _Node:
    """Return a question of which a value is left out that is not tried: nobody can tell what it would bring."""
    asked = Finding(CODES[name], UNKNOWN, "open.untried", {"what": (name,)}, missing=(name,))
    opened = open_outcome(leaf.outcome, (asked,))
    found = OpenValue(name, order_verdicts({"accepted", opened.verdict, leaf.outcome.verdict}))
    return _Node((leaf._replace(outcome=opened),), (found,), cut=True)


def _verdicts(nodes: list[_Node], *, cut: bool) -> tuple[Verdict, ...]:
    """Return the verdicts that came; where not every value was tried, a better one may come too."""
    found = {leaf.outcome.verdict for node in nodes for leaf in node.leaves}
    return order_verdicts(found | {"accepted"} if cut else found)


def _matters(nodes: list[_Node], depth: int) -> bool:
    """Whether one value gives another verdict than another value does, whatever else is left out."""
    if len({frozenset(leaf.outcome.verdict for leaf in node.leaves) for node in nodes}) > 1:
        return True
    found: dict[Labels, set[Verdict]] = {}
    for node in nodes:
        for leaf in node.leaves:
            found.setdefault(leaf.labels[depth:], set()).add(leaf.outcome.verdict)
    return any(len(verdicts) > 1 for verdicts in found.values())


def _join(*groups: tuple[OpenValue, ...]) -> tuple[OpenValue, ...]:
    """Put together what several questions leave open, each value once."""
    found: dict[str, set[Verdict]] = {}
    for group in groups:
        for value in group:
            found.setdefault(value.name, set()).update(value.verdicts)
    return tuple(OpenValue(name, order_verdicts(verdicts)) for name, verdicts in found.items())


def decide(inquiry: Inquiry, routes: tuple[RouteFacts, ...], presented: int, budget: int = BUDGET) -> Outcome:
    """Judge the routes that may reach the question on one day of presentation, whatever it leaves out.

    Args:
        inquiry: the question.
        routes: those that may reach it.
        presented: the day of presentation.
        budget: how many routes may be judged; what is not tried within it decides nothing.
    """
    return withhold_unread(inquiry, _weigh(inquiry, routes, presented, budget))


def _weigh(inquiry: Inquiry, routes: tuple[RouteFacts, ...], presented: int, budget: int) -> Outcome:
    trial = _Trial(routes, presented, budget)
    node = trial.explore(inquiry)
    if len(node.leaves) == 1:
        return node.leaves[0].outcome._replace(open=node.open)
    plain = judge_routes(inquiry, routes, presented)
    return merge(node.leaves, plain, presented)._replace(open=node.open)
