"""Texts in files, as people hand them over: what is not a text in UTF-8 is told by what it is."""

import re
from pathlib import Path
from typing import Final

from cab_cli.csv_reading import say_kind
from cab_registry.domain.errors import Fault, Refusal

_ADVICE: Final = re.compile(r"[,:] .*")


def read_text(place: Path, wanted: str) -> str:
    """Read a text in UTF-8, with or without its mark.

    Args:
        place: the file.
        wanted: what it should be, as `a question in JSON`.

    Raises:
        Refusal: there is no such file, or it is no such text.
    """
    try:
        raw = place.read_bytes()
    except OSError as error:
        raise Refusal(f"{place} cannot be read: {error.strerror}") from None
    return decode(raw, str(place), wanted)


def decode(raw: bytes, name: str, wanted: str) -> str:
    """Decode a text in UTF-8, with or without its mark.

    Raises:
        Refusal: it is something else.
    """
    if kind := say_kind(raw):
        raise Refusal(f"{name} {_ADVICE.sub('', kind)}, not {wanted}")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Refusal(f"{name} is not in UTF-8", (Fault("", "save it as UTF-8", f"{name}:{line}"),)) from None
