"""How acts are cited, as keys under which two spellings of one citation meet."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from cab_registry.domain.folding import fold, fold_words

_CFR: Final = re.compile(
    r"^(?:(?P<title>\d{1,2}) ?(?:cfr|c f r)|(?P<fcc>fcc)(?: rules?)?) ?(?:parts?|sections?|sec|ss)? ?(?P<part>\d{1,4})"
    r"(?: (?P<section>\d{1,4})(?= |$))?(?P<paragraphs>(?: [a-z0-9]{1,4})*?)"
    r"(?: ?(?:subpart )?(?P<subpart>[a-z]))?$"
)
_FCC_TITLE: Final = "47"
_ACT: Final = re.compile(r"(?<![\d/.])(\d{1,4})/(\d{1,4})(?:[/ ]?(?:eu|ec|eec|euratom|eg|ewg|ue|ce|cee))?(?![\d/])")
_TYPES: Final = frozenset(
    (
        "regulation",
        "directive",
        "decision",
        "delegated",
        "implementing",
        "commission",
        "council",
        "european",
        "eu",
        "ec",
        "eec",
        "eg",
        "ewg",
        "ue",
        "ce",
        "cee",
        "no",
        "nr",
        "number",
        "of",
        "the",
        "parliament",
        "and",
        "verordnung",
        "richtlinie",
        "reglement",
    )
)
_TAIL: Final = re.compile(r" of the european parliament .*$| of \d{1,2} [a-z]+ \d{4} .*$", re.IGNORECASE)


class Section(NamedTuple):
    """A place in the US Code of Federal Regulations."""

    title: str
    part: str
    section: int | None = None
    subpart: str | None = None


def key_citation(text: str) -> tuple[str, ...]:
    """Return the keys under which a citation is compared, the strictest first; equal keys are one citation.

    Commas, brackets, case and blanks do not count. The number of an act of the European Union stands for the act,
    whatever words are around it (`Regulation (EU) 2016/425`, `2016/425/EU`); what else is said (`Art. 97`) counts.
    """
    keys = [fold(text)]
    act = _key_act(text) or _key_act(_TAIL.sub("", text))
    if act is not None:
        keys.append(act)
    shorter = _TAIL.sub("", text)
    if shorter != text and (short := _key_act(shorter)) is not None:
        keys.append(short)
    found = read_section(text)
    if found is not None:
        keys.append(key_section(found))
    return tuple(dict.fromkeys(keys))


def key_section(found: Section) -> str:
    """Return the key of a place in the Code."""
    section = f".{found.section}" if found.section is not None else ""
    return f"cfr {found.title} {found.part}{section}{f' {found.subpart}' if found.subpart else ''}"


def read_section(text: str) -> Section | None:
    """Read a citation of the US Code of Federal Regulations: part, subpart or section; none where it is no such."""
    found = _CFR.match(fold_words(text.replace("§", " ")))
    if found is None:
        return None
    section, subpart = found["section"], found["subpart"]
    if section is not None and found["paragraphs"] + (subpart or ""):
        subpart = None
    elif found["paragraphs"]:
        return None
    title = _FCC_TITLE if found["fcc"] else found["title"]
    return Section(title, found["part"], int(section) if section else None, subpart)


def _key_act(text: str) -> str | None:
    found = list(_ACT.finditer(text.casefold()))
    if len(found) != 1:
        return None
    hit = found[0]
    one, two = hit.groups()
    rest = f"{text.casefold()[: hit.start()]} {text.casefold()[hit.end() :]}"
    words = [word for word in fold_words(rest).split() if word not in _TYPES] if fold(rest).isalnum() else []
    return " ".join(("act", f"{int(one)}/{int(two)}", *words))
