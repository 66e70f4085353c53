"""Scratch registers over the packaged catalogue, compiled once per process."""

from __future__ import annotations

from pathlib import Path

import pytest

from cab_registry.services.cases import Case, ScratchRegisters, catalogue_scratch, read_cases

CASES = Path(__file__).resolve().parent.parent / "cases"


def every_case() -> list[Case]:
    """Return the project's own acceptance cases, those taken over included."""
    return [case for path in sorted(CASES.rglob("*.yaml")) for case in read_cases(path)]


@pytest.fixture(scope="session")
def registers() -> ScratchRegisters:
    """Scratch registers over the catalogue's law."""
    return catalogue_scratch()
