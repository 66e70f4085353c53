"""Headings of a table: which column is which field of the mapping, and which columns are not read."""

import difflib
from collections.abc import Callable, Sequence

from cab_cli.cleaning import clean
from cab_cli.mapping import MappingFile
from cab_registry.domain.errors import Fault, Refusal


def clean_heading(heading: str, tell: Callable[[str], None]) -> str:
    """Return a heading without signs that nobody sees."""
    cleaned = clean(heading)
    odd = [words for words in cleaned.done if not words.startswith("blanks")]
    if odd:
        tell(f"heading {cleaned.text!r}: {', '.join(odd)}")
    return cleaned.text


def match_headings(mapping: MappingFile, headings: Sequence[str]) -> list[tuple[int, str]]:
    """Return the place and the field of each column that the mapping names.

    Raises:
        Refusal: the table lacks one, or has two of its name.
    """
    wanted = {clean(heading).text: heading for heading in mapping.columns}
    faults = []
    for cleaned, heading in wanted.items():
        count = headings.count(cleaned)
        if not count:
            shown = ", ".join(filter(None, headings))
            near = difflib.get_close_matches(cleaned, headings, n=1)
            hint = f"; did you mean {near[0]!r}?" if near and near[0] else ""
            faults.append(Fault(f"/columns/{heading}", f"the table has no such column{hint}; it has: {shown}"))
        elif count > 1:
            faults.append(Fault(f"/columns/{heading}", "the table has two columns of that name"))
    if len(faults) == len(wanted):
        hint = "if the headings stand on another line, say so in the mapping: header_row: LINE"
        faults.append(Fault("/header_row", hint))
    if faults:
        raise Refusal("the mapping does not fit the table", tuple(faults))
    return [(index, mapping.columns[wanted[heading]]) for index, heading in enumerate(headings) if heading in wanted]


def tell_unread(headings: Sequence[str], mapped: set[int], tell: Callable[[str], None]) -> None:
    """Tell of columns that no mapping can name."""
    again = {each for index, each in enumerate(headings) if each and index not in mapped and headings.count(each) > 1}
    if again:
        tell(f"these headings stand over several columns, which are not read: {', '.join(sorted(again))}")
    if empty := [str(index + 1) for index, heading in enumerate(headings) if not heading]:
        tell(f"these columns have no heading, and are not read: {', '.join(empty)}")
