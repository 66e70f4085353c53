"""Very many bodies from one table: the good rows go in, each bad one is told, also where the import was killed."""

import csv
import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cab_cli.exits import Exit
from tests.cli.officers import Office, Officer
from tests.sizes import SOAK, sized
from tests.story.served import PROGRAM, Served, peak_memory, plain_environment

BODIES = sized(1_200, whole=10_000)
BAD_EACH = 100
MOST_SECONDS = 120
MOST_MEMORY = 500_000_000
HEADINGS = ("Laboratory", "Country", "FCC No", "Rule", "Since")
FIRST_LINE = 2
RULE = "us-47cfr-15c"
MAPPING = """
columns:
  Laboratory: body.name
  Country: body.economy
  FCC No: body.identifier.kr-lab
  Rule: designation.scope.requirement
  Since: designation.from
constants:
  body.kind: testing_laboratory
  designation.agreement: apec-tel-us-kr
  designation.annex: phase-1
date_formats: ["%d.%m.%Y"]
reason: List of the year
"""


@dataclass
class Table:
    """A table with its mapping, and what is wrong with it: line, column."""

    file: Path
    mapping: Path
    report: Path
    bad: dict[int, str]


def make_table(folder: Path, count: int) -> Table:
    """Write a table in which three of each hundred rows are wrong, each in its own way."""
    bad: dict[int, str] = {}
    rows = []
    for number in range(count):
        row = [f"Pruefstelle {number:05}", "KR", f"KX{number:05}", RULE, "01.03.2020"]
        if (wrong := {7: "Since", 41: "Country", 83: "Rule"}.get(number % BAD_EACH)) is not None:
            bad[number + FIRST_LINE] = wrong
            cells = {"Since": "31.02.2020", "Country": "Atlantis", "Rule": "Part 15 of what"}
            row[HEADINGS.index(wrong)] = cells[wrong]
        rows.append(row)
    table = Table(folder / "list.csv", folder / "mapping.yaml", folder / "refused.csv", bad)
    with table.file.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows([HEADINGS, *rows])
    table.mapping.write_text(MAPPING, "utf-8")
    return table


@dataclass
class Run:
    """A run of `cab import` in a process of its own."""

    process: subprocess.Popen[str]
    memory: int = 0

    def watch(self) -> None:
        """Wait for its end, and see how much memory it had."""
        while self.process.poll() is None:
            self.memory = max(self.memory, peak_memory(self.process.pid))
            time.sleep(0.05)

    def read(self) -> Any:
        said, complaint = self.process.communicate()
        assert self.process.returncode == Exit.FAILURE, complaint
        return json.loads(said)


def start(officer: Officer, table: Table) -> Run:
    words = (
        "import",
        str(table.file),
        "--mapping",
        str(table.mapping),
        "--report",
        str(table.report),
        "--json",
        "--yes",
    )
    return Run(
        subprocess.Popen(
            [str(PROGRAM), *words],
            env=plain_environment() | officer.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    )


def hold_report(table: Table) -> None:
    with table.report.open(encoding="utf-8-sig", newline="") as opened:
        told = list(csv.DictReader(opened))
    assert {int(each["line"]): each["column"] for each in told} == table.bad
    assert len(told) == len(table.bad)
    assert all(each["value"] and each["reason"] for each in told)


def count_bodies(officer: Officer) -> int:
    """Count the bodies of the authority, one page after another."""
    import httpx

    found, cursor = 0, None
    with httpx.Client(base_url=officer.server, trust_env=False) as client:
        while True:
            parameters = {"type": "designation", "by": "kr-rra", "limit": "500"} | (
                {"cursor": cursor} if cursor else {}
            )
            page = client.get("/v1/records", params=parameters).json()
            found += len(page["items"])
            cursor = page["next"]
            if cursor is None:
                return found


def await_bodies(officer: Officer, expected: int) -> None:
    """Hold how many bodies there are, once the server has read the log as far as the import wrote it."""
    deadline = time.monotonic() + 30
    while (found := count_bodies(officer)) < expected and time.monotonic() < deadline:
        time.sleep(0.1)
    assert found == expected


@pytest.mark.timeout(400)
@pytest.mark.xdist_group("import")
def test_very_many_bodies_come_in(office: Office, service: Served, tmp_path: Path) -> None:
    rra = office.officer("kr-rra")
    table = make_table(tmp_path, BODIES)
    assert len(table.bad) == BODIES * 3 // 100
    began = time.monotonic()
    run = start(rra, table)
    run.watch()
    done = run.read()
    if SOAK:
        assert time.monotonic() - began <= MOST_SECONDS
    assert max(run.memory, service.memory()) < MOST_MEMORY
    assert (done["entered"], done["refused"], done["waiting"]) == (BODIES - len(table.bad), len(table.bad), 0)
    hold_report(table)
    await_bodies(rra, BODIES - len(table.bad))


@pytest.mark.timeout(200)
@pytest.mark.xdist_group("import")
def test_an_import_that_was_killed_goes_on(office: Office, tmp_path: Path) -> None:
    rra = office.officer("kr-rra")
    count = 1_500
    table = make_table(tmp_path, count)
    run = start(rra, table)
    state = table.report.with_name(f"{table.report.name}.state")
    deadline = time.monotonic() + 60
    # The first batches may hold bad rows and no body: what was entered is asked of the register itself.
    while not count_bodies(rra):
        assert run.process.poll() is None, run.process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    run.process.kill()
    assert run.process.wait() < 0
    run.process.communicate()
    assert 0 < count_bodies(rra) < count - len(table.bad)

    again = start(rra, table)
    again.watch()
    done = again.read()
    assert done["refused"] == len(table.bad)
    assert 0 < done["entered"] < count - len(table.bad)
    hold_report(table)
    await_bodies(rra, count - len(table.bad))
    assert not state.exists()
    # A third run finds everything there, and enters nothing.
    third = start(rra, table)
    third.watch()
    assert (third.read()["entered"], count_bodies(rra)) == (0, count - len(table.bad))
