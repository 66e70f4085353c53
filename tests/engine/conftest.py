"""Scratch registers over the packaged catalogue, compiled once per process."""

from __future__ import annotations

import pytest

from cab_registry.services.cases import ScratchRegisters, catalogue_scratch


@pytest.fixture(scope="session")
def registers() -> ScratchRegisters:
    """Scratch registers over the catalogue's law."""
    return catalogue_scratch()
