"""What the shell offers after a flag: read from the packaged law by pattern, which is quicker than reading records."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from cab_registry.domain.codes import ResultKind

_ECONOMY = re.compile(r"^-? *\{?(?:.*\bcode:) \"?([A-Z]{2,5}(?:-[A-Z]{2,3})?)\"?", re.MULTILINE)
_SECTOR = re.compile(r"\bsectors?: (?:\[([a-z_, ]+)\]|([a-z_]+)(?= *(?:[,}#]|$)))", re.MULTILINE)

_HEAD = re.compile(r"^(?:- )?\{?type: (\w+)(?:, |\n +|\n)id: \"?([a-z0-9-]+)", re.MULTILINE)


def _law() -> Path:
    import cab_registry

    return Path(cab_registry.__file__).parent / "catalogue" / "law"


def _starting(words: set[str], incomplete: str) -> list[str]:
    return sorted(word for word in words if word.startswith(incomplete))


def _texts(pattern: str) -> Iterator[str]:
    for path in _law().glob(pattern):
        yield path.read_text("utf-8")


def complete_economy(incomplete: str) -> list[str]:
    """Offer the codes of economies."""
    found = {code for text in _texts("base/economies.yaml") for code in _ECONOMY.findall(text)}
    return _starting(found, incomplete.upper())


def complete_agreement(incomplete: str) -> list[str]:
    """Offer the ids of agreements: each has a folder of its name."""
    return _starting({folder.name for folder in (_law() / "agreements").iterdir() if folder.is_dir()}, incomplete)


def complete_sector(incomplete: str) -> list[str]:
    """Offer the sectors that any record of the law names."""
    named = (each for text in _texts("**/*.yaml") for found in _SECTOR.findall(text) for each in found)
    return _starting({word.strip() for each in named for word in each.split(",")} - {""}, incomplete)


def complete_kind(incomplete: str) -> list[str]:
    """Offer the kinds of results."""
    return _starting(set(get_args(ResultKind)), incomplete)


def complete_requirement(incomplete: str) -> list[str]:
    """Offer the ids of requirements."""
    return _starting(_ids("requirement"), incomplete)


def complete_authority(incomplete: str) -> list[str]:
    """Offer the ids of authorities."""
    return _starting(_ids("authority"), incomplete)


def _ids(kind: str) -> set[str]:
    return {name for text in _texts("**/*.yaml") for found, name in _HEAD.findall(text) if found == kind}
