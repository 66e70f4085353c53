"""The acceptance cases: the project's own, and the shared suite where it stands beside the project; read once."""

import os
from functools import cache
from pathlib import Path

from cab_registry.services.cases import Case, read_cases

OWN = Path(__file__).resolve().parent / "cases"
SHARED = Path(os.environ.get("CAB_SHARED_CASES", OWN.parents[2] / "shared" / "cases"))
FIELDS = ("telecom", "pharma", "eu_ch", "lifecycle", "sharper")


@cache
def every_case() -> tuple[Case, ...]:
    """Return the project's own cases, those taken over included."""
    return tuple(case for path in sorted(OWN.rglob("*.yaml")) for case in read_cases(path))


def shared_files() -> list[Path]:
    """Return the files of the shared suite; none where it does not stand beside the project."""
    return [path for field in FIELDS if (path := SHARED / f"{field}.yaml").is_file()]


@cache
def shared_cases() -> tuple[Case, ...]:
    """Return the cases of the shared suite."""
    return tuple(case for path in shared_files() for case in read_cases(path))
