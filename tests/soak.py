"""What `make soak` was asked for, and the journal of what it has done, by which a run that was ended goes on.

docs/soak.md tells the settings. `python -m tests.soak` prints what is in the journal. A round counts for the commit at
which it was ridden; at another one it is ridden again.
"""

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.sizes import sized

CHECKOUT = Path(__file__).resolve().parents[1]
JOURNAL = CHECKOUT / ".soak" / "rounds.jsonl"


def asked(name: str, short: int, *, whole: int) -> int:
    """Return how many of something are asked for: the setting in a soak, the short form else."""
    return sized(short, whole=int(os.environ.get(f"CAB_SOAK_{name}", whole)))


KILLS = asked("KILLS", 100, whole=10_000)
REQUESTS = asked("REQUESTS", 1_200, whole=200_000)
MOST_SECONDS = float(os.environ.get("CAB_SOAK_SECONDS", "2"))
SEED = int(os.environ.get("CAB_SOAK_SEED", "1"))


def rounds_of(total: int, each: int) -> list[tuple[int, int]]:
    """Split a number into rounds; give the seed of each round and its share."""
    return [(SEED * 1_000_000 + first, min(each, total - first)) for first in range(0, total, each)]


def read_journal() -> Iterator[dict[str, Any]]:
    """Yield the rounds that were ridden at this commit."""
    if JOURNAL.exists():
        commit = find_commit()
        yield from (row for row in map(json.loads, JOURNAL.read_text().splitlines()) if row["commit"] == commit)


def was_ridden(kind: str, seed: int, size: int) -> bool:
    return any((row["kind"], row["seed"], row["size"]) == (kind, seed, size) for row in read_journal())


def write_round(kind: str, seed: int, size: int, **found: Any) -> None:
    """Add a round that held to the journal; processes that write at once do so by whole lines."""
    row = {"commit": find_commit(), "kind": kind, "seed": seed, "size": size, **found}
    JOURNAL.parent.mkdir(exist_ok=True)
    with JOURNAL.open("a") as journal:
        journal.write(json.dumps(row) + "\n")


def find_commit() -> str:
    found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    return found.stdout.strip()


def main() -> None:
    total: dict[str, Counter[str]] = {}
    for row in read_journal():
        figures = {name: value for name, value in row.items() if isinstance(value, int | float) and name != "seed"}
        most = {name: figures.pop(name) for name in list(figures) if name.startswith("most_")}
        kind = total.setdefault(row["kind"], Counter())
        kind.update({"rounds": 1, **figures})
        kind.update({name: max(0, value - kind[name]) for name, value in most.items()})
    for name, counts in total.items():
        print(f"{name}: " + ", ".join(f"{key} {round(value, 3)}" for key, value in counts.items()))  # noqa: T201
    if not total:
        print("No round was ridden at this commit yet.")  # noqa: T201


if __name__ == "__main__":
    main()
