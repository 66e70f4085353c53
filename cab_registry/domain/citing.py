"""How acts are cited, as keys under which two spellings of one citation meet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from cab_registry.domain.folding import fold, fold_words

_CFR: Final = re.compile(
    r"^(?:(?P<title>\d{1,2}) ?cfr|(?P<fcc>fcc)(?: rules?)?) ?(?:parts?|pts?|sections?|sec|ss)? ?(?P<part>\d{1,4})"
    r"(?: (?P<section>\d{1,4})(?= |$))?(?P<paragraphs>(?: [a-z0-9]{1,4})*?)"
    r"(?: ?(?:subpart )?(?P<subpart>[a-z]))?$"
)
_FCC_TITLE: Final = "47"
CODE: Final = "cfr "
"""The keys of places in the US Code of Federal Regulations begin so."""
_ACT: Final = re.compile(
    r"(?<![\d/.])(\d{1,4})/(\d{1,4})(?:[/ ]?(?:eu|ec|eec|euratom|eg|ewg|ue|ce|cee|we|ewe|ef|ey|es|ehs|ek|eb))?(?![\d/])"
)
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
        "reglamento",
        "regolamento",
        "regulamento",
        "verordening",
        "rozporzadzenie",
        "forordning",
        "directiva",
        "direttiva",
        "diretiva",
        "richtlijn",
        "dyrektywa",
        "direktiv",
        "direktivet",
        "smernice",
        "we",
        "ewe",
        "ef",
    )
)
"""Words for types of acts, and for the communities that gave them, in the languages in which documents cite them."""
_YEAR_AND_NUMBER: Final = re.compile(r"\b(\d{4}),? (?:no|nr)\.? ?(\d{1,4})\b")
_INSTRUMENT: Final = re.compile(r"\bs\. ?i\.? ?")
_CODE: Final = re.compile(r"\bc f r\b|\b(?:us )?code of federal regulations\b")
_EDITION: Final = re.compile(
    r"[\s,;]*(?:"
    r"[\s,;(\[](?:issue|iss|edition|editie|ausgabe|ed|revision|rev|version|ver|amendment|amd)\.?\s*(?:no\.?\s*)?"
    r"(?P<named>[\dA-Z][\w.]*)\s*[)\]]?"
    r"|[(\[]\s*(?P<dated>(?:19|20)\d\d(?:[-/.]\d\d?)?(?:-\d\d)?|\d\d?[/.](?:19|20)\d\d)\s*[)\]]"
    r"|\s*:\s*(?P<year>(?:19|20)\d\d(?:-\d\d)?)(?:\s*\+\s*A\d+(?::\s*(?:19|20)\d\d)?)*"
    r"|[\s,]\s*(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+(?:19|20)\d\d"
    r")\s*$",
    re.IGNORECASE,
)
"""What stands behind a citation and names an edition of it: an issue, a revision, a year."""

_PLACE: Final = (
    r"(?:art(?:icles?|ikel|icolo|iculo|ículo|s?\.?)|annex(?:es|e)?|anhang|allegato|anexo|schedules?|sch\.?|clauses?"
    r"|chapters?|kapitel|sections?|sec\.?|parts?|pt\.?|§+)\s*\.?\s*(?:\d|[ivxlc]+\b)[\w.]*(?:\s*\(\w{1,4}\))*"
)
_AHEAD: Final = re.compile(
    rf"^\s*{_PLACE},?\s+(?:(?:of|der|des|de la|du|della|del)\s+)?(?:the\s+)?(?=\S)", re.IGNORECASE
)
_BEHIND: Final = re.compile(rf"[\s,]+{_PLACE}\s*$", re.IGNORECASE)
"""An article, an annex, a part of an act, before or behind its citation."""

_BARE_SECTION: Final = re.compile(
    r"^\s*(?:§+|sections?|sec\.?|rules?|parts?|pt\.?)?\s*(\d{1,4})\.(\d{1,4})(?:\s*\([a-z0-9]{1,4}\))*\s*$",
    re.IGNORECASE,
)
_BARE_SUBPART: Final = re.compile(
    r"^\s*(?:parts?|pt\.?)?\s*(\d{1,4}),?\s*(?:subpart\s+|sub\s+)?([a-z])\s*$", re.IGNORECASE
)
_BARE_PART: Final = re.compile(r"^\s*(?:parts?|pt\.?)\s*(\d{1,4})\s*$", re.IGNORECASE)
_FAMILY: Final = re.compile(r"(?<=\d)x+", re.IGNORECASE)

_PARTS: Final = re.compile(r"[,;()]\s*(?:and\s+)?|\s+and\s+(?=[A-Z]+\s?\d)")
_DATED: Final = re.compile(r" of \d{4}-\d{2}-\d{2}$")
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
    return f"{CODE}{found.title} {found.part}{section}{f' {found.subpart}' if found.subpart else ''}"


@lru_cache(maxsize=1 << 13)
def read_section(text: str) -> Section | None:
    """Read a citation of the US Code of Federal Regulations: part, subpart or section; none where it is no such."""
    found = _CFR.match(_order_code(fold_words(text.replace("§", " "))))
    if found is None:
        return None
    section, subpart = found["section"], found["subpart"]
    if section is not None and found["paragraphs"] + (subpart or ""):
        subpart = None
    elif found["paragraphs"]:
        return None
    title = _FCC_TITLE if found["fcc"] else found["title"]
    return Section(title, found["part"], int(section) if section else None, subpart)


def read_bare_section(text: str) -> Section | None:
    """Read a place in the Code without its title (`15.247`, `15C`, `Part 15`); its title is empty."""
    if (hit := _BARE_SECTION.match(text)) is not None:
        return Section("", hit[1], int(hit[2]))
    if (hit := _BARE_SUBPART.match(text)) is not None:
        return Section("", hit[1], None, hit[2].casefold())
    hit = _BARE_PART.match(text)
    return Section("", hit[1]) if hit is not None else None


@lru_cache(maxsize=1 << 13)
def split_edition(text: str) -> tuple[str, str | None]:
    """Return a citation without the edition that stands behind it, and that edition: `RSS-247 Issue 2`."""
    found: str | None = None
    while (hit := _EDITION.search(text)) is not None and hit.start():
        text, found = text[: hit.start()], hit["named"] or hit["dated"] or hit["year"] or found or hit[0].strip(" ,;")
    return text.strip(), found


def split_place(text: str) -> str | None:
    """Return a citation without the article, annex or part of it that stands before or behind; none without any."""
    for pattern in (_BEHIND, _AHEAD):
        if (hit := pattern.search(text)) is not None and hit[0].strip() != text.strip():
            return (text[: hit.start()] + text[hit.end() :]).strip()
    return None


def match_family(citation: str, text: str) -> bool:
    """Whether a citation stands for a family (`HKCA 10XX`), and a text cites one of it."""
    if _FAMILY.search(citation) is None:
        return False
    family = fold(citation)
    pattern = _FAMILY.sub(lambda hit: rf"\d{{{len(hit[0])}}}", re.escape(family))
    return re.fullmatch(pattern, fold(text)) is not None


def split_citation(citation: str) -> Iterator[str]:
    """Yield the parts of a citation that stand for the whole: its beginning, and others with a number in them."""
    parts = [_DATED.sub("", part).strip() for part in _PARTS.split(citation)]
    for index, part in enumerate(parts):
        if part and (index == 0 or any(sign.isdigit() for sign in part)):
            yield part


@lru_cache(maxsize=1 << 13)
def split_act(text: str) -> tuple[str, frozenset[str]] | None:
    """Return the number of the one act that a text cites, and the words beside it that say more than its type."""
    key = _key_act(text) or _key_act(_TAIL.sub("", text))
    if key is None:
        return None
    _, number, *words = key.split()
    return number, frozenset(words)


def bare_words(name: str) -> frozenset[str]:
    """Return the words of a name without those for types of acts."""
    return frozenset(word for word in fold_words(name).split() if word not in _TYPES)


def _order_code(words: str) -> str:
    """Bring spellings of a place in the Code (`CFR 47 Part 15`, `Title 47 Part 15 of the CFR`) into its usual order."""
    plain = _CODE.sub("cfr", words)
    plain = re.sub(r"^(?:fcc )?cfr ?(\d{1,2})\b", r"\1 cfr", re.sub(r"^title ", "", plain))
    plain = re.sub(r"^(\d{1,2}) ((?!cfr).*?) (?:of (?:the )?)?cfr$", r"\1 cfr \2", plain)
    return re.sub(r"\bfcc ?(?:rules? ?)?", "", plain) if "cfr" in plain else plain


def _key_act(text: str) -> str | None:
    plain = _YEAR_AND_NUMBER.sub(r"\1/\2", _INSTRUMENT.sub("si ", text.casefold()))
    found = list(_ACT.finditer(plain))
    if len(found) != 1:
        return None
    hit = found[0]
    one, two = hit.groups()
    rest = f"{plain[: hit.start()]} {plain[hit.end() :]}"
    words = [word for word in fold_words(rest).split() if word not in _TYPES] if fold(rest).isalnum() else []
    return " ".join(("act", f"{int(one)}/{int(two)}", *words))
