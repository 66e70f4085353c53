"""What a field takes: days, words, numbers; and what stands in a cell for nothing."""

import re
from typing import Final

from cab_cli.damaged_letters import lost_letters, lost_letters_within

DAYS: Final = ("from", "until", "name_from")
ENDS: Final = ("until",)
WORDS: Final = ("name", "other_name", "note", "address", "text")
LONG: Final = ("note", "address", "text")
NUMBER: Final = "body.identifier."
"""Begins the field of a number; the scheme follows."""

_PLACEHOLDERS: Final = frozenset({
    "n/a", "n.a.", "n.a", "n/v", "#n/a", "k.a.", "k.a", "s.o.", "-", "--", "---", "\N{EN DASH}", "\N{EM DASH}", "?",
    "??", ".", "/", "none", "null", "nil", "nan", "tbd", "tbc", "unknown", "not applicable", "not available",
    "not known", "unbekannt", "entfällt", "true", "false", "xxx", "keine", "undefined", "pending", "to follow",
    "to be confirmed", "to be determined", "to be announced", "test test", "[object object]",
})  # fmt: skip
# What stands for the cell above.
_DITTO: Final = frozenset({
    "ditto", "dito", "do.", "dto", "idem", "id.", "ibid", "same", "same as above", "as above", "see above", "above",
    "the same", "siehe oben", "s. o", "wie oben", "v. supra", "voir ci-dessus", "idem ci-dessus", "come sopra",
    "véase arriba", "j.w", "〃", "″", '"', "''", "“", "”", "„", "同上", "同左", "同前", "위와 같음", "상동",
})  # fmt: skip
_AROUND: Final = "()[]<>{}:. "
_DOTS: Final = "…."
_ADDRESS: Final = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+|(?:https?://|www\.)\S+", re.IGNORECASE)
_MARKUP: Final = re.compile(r"</?[A-Za-z][^>]*>|\{\{.*\}\}|\$\{.*\}|\[object ", re.IGNORECASE)
_REMARK: Final = re.compile(
    r"(?:notes?|remarks?|sources?|anmerkung(?:en)?|hinweis|quelle|nb|n\.b\.|remarque|nota|uwaga)\s*:|(?:\*+|\(?\d{1,2})\)\s",
    re.IGNORECASE,
)
_FORMULA: Final = re.compile(r"=\s*(?:[A-Za-z_.]+\(|'?[^'!]*'?!|\$?[A-Z]{1,3}\$?\d)")
_SAY: Final = "if it is one, say so in the mapping under `values`"
_LOST: Final = (
    "has a question mark where a letter was lost: export the list again as UTF-8; if it belongs there, say so in the "
    "mapping under `values`"
)
_ERRORS: Final = re.compile(
    r"#(?:REF!|N/A|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|SPILL!|CALC!|FIELD!|GETTING_DATA|MERGED!|##+)"
)


def fits_mark(kind: str, field: str, name: str) -> bool:
    """Whether a field can be read from a cell in which a spreadsheet keeps something else than text."""
    if kind in {"day", "moment"}:
        return name in DAYS
    if kind == "formula":
        return False
    if kind == "decimal":
        return not (field.startswith(NUMBER) or name in {"number", "id", "identifiers"})
    return True


def find_placeholder(text: str, name: str) -> str | None:
    """Say why a text is nothing that a field can hold, or nothing where it is."""
    if _ERRORS.match(text):
        return "is an error of a spreadsheet"
    if name in LONG:
        return _LOST if lost_letters_within(text) else None
    # NA is the code of Namibia, and nothing else stands for it.
    if _stands_for_nothing(text) or (name != "economy" and text.casefold() == "na"):
        if name in ENDS:
            return "does not say whether there is an end: leave it empty, or write unlimited, where there is none"
        return "stands for nothing: leave the cell empty, or say in the mapping under `values` what it means"
    if text.casefold() in _DITTO or text.casefold().strip(_AROUND) in _DITTO:
        return "stands for what is above it: write that itself"
    if name in WORDS:
        return _find_no_name(text)
    if text.startswith("="):
        return "is a formula: write the value itself"
    return None


def _stands_for_nothing(text: str) -> bool:
    folded = text.casefold()
    return folded in _PLACEHOLDERS or folded.strip(_AROUND) in _PLACEHOLDERS or not text.strip(_DOTS)


def _find_no_name(text: str) -> str | None:
    """Say why a text is not a name; a number, an address or a remark is none."""
    if _FORMULA.match(text):
        return "is a formula: write the value itself"
    if lost_letters(text):
        return _LOST
    if not any(sign.isalpha() for sign in text):
        return f"has no letter, and is not a name; {_SAY}"
    if _ADDRESS.fullmatch(text):
        return f"is an address, and not a name; {_SAY}"
    if found := _MARKUP.search(text):
        return f"holds {found.group()!r}, which a program wrote: write the name alone"
    if _REMARK.match(text):
        return "is a remark, and not a name: delete the row, or write the name"
    return None
