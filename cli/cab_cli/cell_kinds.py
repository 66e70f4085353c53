"""What a field takes: days, words, numbers; and what stands in a cell for nothing."""

import re
from typing import Final

from cab_cli.cleaning import lost_letters

DAYS: Final = ("from", "until", "name_from")
ENDS: Final = ("until",)
WORDS: Final = ("name", "other_name", "note", "address", "text")
LONG: Final = ("note", "address", "text")
NUMBER: Final = "body.identifier."
"""Begins the field of a number; the scheme follows."""

_PLACEHOLDERS: Final = frozenset({
    "n/a", "n.a.", "n.a", "n/v", "#n/a", "k.a.", "k.a", "s.o.", "-", "--", "---", "\N{EN DASH}", "\N{EM DASH}", "?",
    "??", ".", "/", "none", "null", "nil", "nan", "tbd", "tbc", "unknown", "not applicable", "not available",
    "not known", "unbekannt", "entfällt", "true", "false", "xxx", "keine",
})  # fmt: skip
_ERRORS: Final = re.compile(
    r"#(?:REF!|N/A|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|SPILL!|CALC!|FIELD!|GETTING_DATA|MERGED!|##+)"
)


def fits_mark(kind: str, field: str, name: str) -> bool:
    """Whether a field can be read from a cell in which a spreadsheet keeps something else than text."""
    if kind in {"day", "moment"}:
        return name in DAYS
    if kind == "formula":
        return name in WORDS
    if kind == "decimal":
        return not (field.startswith(NUMBER) or name in {"number", "id", "identifiers"})
    return True


def find_placeholder(text: str, name: str) -> str | None:
    """Say why a text is nothing that a field can hold, or nothing where it is."""
    if _ERRORS.match(text):
        return "is an error of a spreadsheet"
    if name in LONG:
        return None
    # NA is the code of Namibia, and nothing else stands for it.
    if text.casefold() in _PLACEHOLDERS or (name != "economy" and text.casefold() == "na"):
        if name in ENDS:
            return "does not say whether there is an end: leave it empty, or write unlimited, where there is none"
        return "stands for nothing: leave the cell empty, or say in the mapping under `values` what it means"
    if name in WORDS and lost_letters(text):
        return "has a question mark where a letter was lost: export the list again as UTF-8"
    if name not in WORDS and text.startswith("="):
        return "is a formula: write the value itself"
    return None
