"""What is left out, weighed: every value that it may have is tried, and what differs is said (domain.md, section 9).

Where all values give one verdict, that is the answer. Where they do not, nobody can tell, and the value is missing.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from cab_registry.domain.codes import Verdict
from cab_registry.engine.deciding import OpenValue, Outcome, judge_routes, list_flips, order_verdicts
from cab_registry.engine.facts import RouteFacts
from cab_registry.engine.inquiry import Inquiry
from cab_registry.engine.leftout import LeftOut, find_left_out
from cab_registry.engine.merging import Labels, Leaf, merge
from cab_registry.engine.unread import withhold_refusal

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

    def __init__(self, routes: tuple[RouteFacts, ...], presented: int) -> None:
        self.routes = routes
        self.presented = presented
        self.left = BUDGET

    def explore(self, inquiry: Inquiry, labels: Labels = ()) -> _Node:
        """Judge a question, once for each value of the first thing left out, and so on."""
        outcome = judge_routes(inquiry, self.routes, self.presented)
        self.left -= 1 + len(outcome.traces) + len(outcome.discretionary)
        found = find_left_out(inquiry, outcome) if self.left > 0 else None
        if found is None:
            return _end(Leaf(inquiry, labels, outcome))
        return self._try_each(found, Leaf(inquiry, labels, outcome))

    def _try_each(self, found: LeftOut, plain: Leaf) -> _Node:
        nodes: list[_Node] = []
        for tried in found.tried:
            labels = (*plain.labels, (found.name, tried.labels))
            if self.left <= 0 or not tried.labels:
                nodes.append(_end(plain._replace(labels=labels))._replace(cut=True))
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


def decide(inquiry: Inquiry, routes: tuple[RouteFacts, ...], presented: int) -> Outcome:
    """Judge the routes that may reach the question on one day of presentation, whatever it leaves out."""
    return withhold_refusal(inquiry, _weigh(inquiry, routes, presented))


def _weigh(inquiry: Inquiry, routes: tuple[RouteFacts, ...], presented: int) -> Outcome:
    trial = _Trial(routes, presented)
    node = trial.explore(inquiry)
    if len(node.leaves) == 1:
        return node.leaves[0].outcome._replace(open=node.open)
    plain = judge_routes(inquiry, routes, presented)
    return merge(node.leaves, plain, presented)._replace(open=node.open)
