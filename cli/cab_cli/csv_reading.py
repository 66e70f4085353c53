"""CSV as people send it: its encoding, its delimiter and its lines, or words on why it is not a table."""

import codecs
import csv
import difflib
import encodings.aliases
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

from cab_registry.domain.errors import Fault, Refusal

Tell = Callable[[str], None]
USUAL: Final = "utf-8-sig"
_DELIMITERS: Final = ",;\t|"
_HEAD: Final = 4096
_SHOWN: Final = 60
_FEW: Final = 4
# The longer marks come first: that of UTF-32 begins as that of UTF-16 does.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NOT_OF_FILES: Final = frozenset({"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape"})
_GUESSES: Final = ("utf-8", "cp1252", "cp1250", "cp1251", "cp932", "cp949", "gb18030", "cp950")
_NAMES: Final = {"windows-1252", "windows-1250", "windows-1251", "shift_jis", "euc_kr", "iso-8859-1", "utf-16", "utf-8"}
_NICKNAMES: Final = {"ansi": "windows-1252", "unicode": "utf-16"}
_SEPARATOR: Final = re.compile(r'"?sep=(.)"?[;,\t]*\r?\n?', re.IGNORECASE)
_QUOTED: Final = re.compile(r'"(?:[^"]|"")*"')
_KINDS: Final = (
    (b"%PDF", "is a PDF, not a table: ask for the list as .xlsx or .csv, or copy its table into a spreadsheet"),
    (b"\xd0\xcf\x11\xe0", "is a spreadsheet of the old kind (.xls), or has a password: save it as .xlsx without one"),
    (b"PK\x03\x04", "is a packed file, perhaps a spreadsheet: give it a name that ends in .xlsx"),
    (b"\x1f\x8b", "is packed (gzip): unpack it first"),
    (b"{\\rtf", "is a text document (RTF), not a table: save its table as .csv"),
    (b"\x89PNG", "is an image, not a table"),
    (b"\xff\xd8\xff", "is an image, not a table"),
)
_PAGES: Final = (b"<!doctype html", b"<html", b"<table")


def say_kind(head: bytes) -> str | None:
    """Say what a file is by its first bytes, where it is certainly not a text."""
    if head.startswith(b"PK") and b"application/vnd.oasis.opendocument" in head:
        return "is an OpenDocument file (.ods): save its table as .xlsx or .csv"
    for mark, words in _KINDS:
        if head.startswith(mark):
            return words
    text = head.lstrip(codecs.BOM_UTF8 + b" \r\n\t").lower()
    return "is a web page, not a table: save it as .xlsx or .csv" if text.startswith(_PAGES) else None


def read_csv(place: Path, named: str, header_row: int, tell: Tell) -> Generator[tuple[int, list[str]], None, None]:
    """Yield the lines of a CSV file with the number of the physical line on which each begins.

    Args:
        place: the file.
        named: the encoding that the mapping or the command names; a byte order mark in the file wins.
        header_row: the line of the headings, by which the delimiter is found.
        tell: is told what was done without having been asked for.

    Raises:
        Refusal: it cannot be decoded, or is not CSV.
    """
    codec, marked = _find_codec(place, named, tell)
    if not marked and not codec.startswith("utf"):
        _require_no_utf_8(place, codec)
    try:
        with _open_text(place, codec, marked=marked) as text:
            skipped, delimiter = _find_delimiter(text, header_row, tell)
        with _open_text(place, codec, marked=marked) as text:
            for _ in range(skipped):
                text.readline()
            yield from _read_lines(place, text, skipped, delimiter)
    except UnicodeError:
        raise _undecodable(place, codec) from None


def _require_no_utf_8(place: Path, codec: str) -> None:
    """Refuse a file whose letters are all UTF-8 and which is named otherwise: most encodings read anything.

    Raises:
        Refusal: it is UTF-8; a line shows how it reads in both.
    """
    first: tuple[int, bytes] | None = None
    with place.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.isascii():
                continue
            if not _decodes(line, "utf-8"):
                return
            first = first or (number, line)
    if first is None:
        return
    number, line = first
    hint = (
        f"its letters are UTF-8: {_try(line, 'utf-8')!r}, which reads as {_try(line, codec)!r} in {codec}; name utf-8"
    )
    raise Refusal(f"{place} is not in {codec}", (Fault("encoding", hint, f"{place}:{number}"),))


@contextmanager
def _open_text(place: Path, codec: str, *, marked: bool) -> Iterator[TextIO]:
    with place.open(encoding=codec, newline="") as text:
        if marked:
            text.read(1)
        yield text


def _read_lines(place: Path, text: TextIO, skipped: int, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    number = skipped + 1
    try:
        for row in reader:
            yield number, row
            number = skipped + reader.line_num + 1
    except csv.Error as error:
        fault = Fault("", f"{error}; is a quotation mark open?", f"{place}:{number}")
        raise Refusal(f"{place} is not proper CSV", (fault,)) from None


def _find_codec(place: Path, named: str, tell: Tell) -> tuple[str, bool]:
    """Return the codec, and whether the file begins with its mark."""
    asked = look_up(named)
    with place.open("rb") as file:
        head = file.read(_HEAD)
    for mark, codec in _MARKS:
        if head.startswith(mark):
            if not codec.startswith(asked.removesuffix("-sig")):
                tell(f"the file begins with the mark of {codec}, and is read so, not as {named}")
            elif codec != "utf-8" and named == USUAL:
                tell(f"read as {codec}, by the mark at its beginning")
            return codec, True
    even, odd = head[::2].count(b"\0"), head[1::2].count(b"\0")
    if asked.startswith("utf-8") and even + odd > len(head) // _FEW and _FEW * min(even, odd) < max(even, odd):
        order = "le" if odd > even else "be"
        raise Refusal(
            f"{place} is not in UTF-8", (Fault("encoding", f"it looks like UTF-16: name it as utf-16-{order}"),)
        )
    return asked.removesuffix("-sig"), False


def look_up(named: str) -> str:
    """Return the name that the program has for an encoding.

    Raises:
        Refusal: it does not know it; those that it may have been are named.
    """
    wrong = named
    if not _is_of_files(named):
        known = _NAMES | set(encodings.aliases.aliases) | set(encodings.aliases.aliases.values())
        named = _NICKNAMES.get(named.lower(), named)
        near = difflib.get_close_matches(named.lower().replace(" ", "-"), sorted(known), n=3, cutoff=0.5)
        near = [each for each in near if _is_of_files(each)]
        hint = f"did you mean {', '.join(near)}?" if near else f"known are, for example: {', '.join(sorted(_NAMES))}"
        raise Refusal(f"the encoding {wrong!r} is not known", (Fault("encoding", hint),))
    return codecs.lookup(named).name


def _is_of_files(named: str) -> bool:
    """Whether a file can be spelt in an encoding."""
    try:
        found = codecs.lookup(named).name
        "a".encode(found)
    except (LookupError, ValueError):
        return False
    return found not in _NOT_OF_FILES


def _find_delimiter(text: TextIO, header_row: int, tell: Tell) -> tuple[int, str]:
    """Return how many lines come before the table, and what stands between its cells."""
    line = text.readline(_HEAD)
    if found := _SEPARATOR.fullmatch(line):
        tell(f"its first line says that {found.group(1)!r} stands between the cells")
        return 1, found.group(1)
    for _ in range(header_row - 1):
        line = text.readline(_HEAD) or line
    outside = _QUOTED.sub("", line)
    return 0, max(_DELIMITERS, key=outside.count)


def _undecodable(place: Path, codec: str) -> Refusal:
    """Say on which line the file cannot be read, and how it may have been meant."""
    with place.open("rb") as file:
        wrong = next(((n, line) for n, line in enumerate(file, 1) if not _decodes(line, codec)), None)
    if wrong is None:
        return Refusal(f"{place} is not in {codec}", (Fault("encoding", "name the right one"),))
    number, line = wrong
    readings = [f"{each}: {reading!r}" for each in _GUESSES if (reading := _try(line, each))]
    hint = f"name its encoding; this line reads as {'; '.join(readings)}" if readings else "name its encoding"
    return Refusal(f"{place} is not in {codec}", (Fault("encoding", hint, f"{place}:{number}"),))


def _decodes(line: bytes, codec: str) -> bool:
    try:
        line.decode(codec)
    except UnicodeError:
        return False
    return True


def _try(line: bytes, codec: str) -> str:
    try:
        text = line.decode(codec).strip()
    except UnicodeError:
        return ""
    if not text.replace("\t", "").isprintable():
        return ""
    first = next((place for place, sign in enumerate(text) if not sign.isascii()), 0)
    return text[max(first - _SHOWN // 2, 0) :][:_SHOWN]
