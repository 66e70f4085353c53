"""Full answers in process: question in, answer with every check, `holds` and neighbours out, encoded as JSON."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from typing import NamedTuple

import msgspec

from bench.questions import Asked
from cab_registry.engine.answer import answer
from cab_registry.services.memory import keep_in_memory

ROUNDS = 7


class Rate(NamedTuple):
    """Answers a second of processor time: the median of the rounds and the best one, and microseconds by verdict."""

    median: float
    best: float
    by_verdict: dict[str, float]


def measure(asked: list[Asked]) -> Rate:
    """Answer the whole mix several times on one core."""
    encoder = msgspec.json.Encoder()
    keep_in_memory()
    rates = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        for item in asked:
            encoder.encode(answer(item.question, item.facts))
        rates.append(len(asked) / (time.process_time() - begun))
    spent: dict[str, list[float]] = defaultdict(list)
    for item in asked:
        begun = time.process_time()
        found = answer(item.question, item.facts)
        spent[found.verdict].append((time.process_time() - begun) * 1e6)
    return Rate(
        statistics.median(rates),
        max(rates),
        {verdict: statistics.mean(times) for verdict, times in sorted(spent.items())},
    )
