"""Texts in files, as people hand them over: what is not a text in UTF-8 is told by what it is."""

import json
import re
from pathlib import Path
from typing import Any, Final

from cab_cli.csv_reading import say_kind
from cab_registry.domain.errors import Fault, Refusal

LONGEST: Final = 8_388_608
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
        with place.open("rb") as file:
            raw = file.read(LONGEST + 1)
    except OSError as error:
        raise Refusal(f"{place} cannot be read: {error.strerror}") from None
    return decode(raw, str(place), wanted)


def decode(raw: bytes, name: str, wanted: str) -> str:
    """Decode a text in UTF-8, with or without its mark.

    Raises:
        Refusal: it is something else.
    """
    if len(raw) > LONGEST:
        raise Refusal(f"{name} is longer than {LONGEST} bytes: too long for {wanted}")
    if kind := say_kind(raw):
        raise Refusal(f"{name} {_ADVICE.sub('', kind)}, not {wanted}")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Refusal(f"{name} is not in UTF-8", (Fault("", "save it as UTF-8", f"{name}:{line}"),)) from None


def parse_json(text: str) -> Any:
    """Read JSON, whatever it is.

    Raises:
        NotJson: it is none; it says where.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise NotJson(f"{error.msg} (column {error.colno})", error.lineno) from None
    except RecursionError:
        raise NotJson("it is nested too deeply", 1) from None
    except ValueError as error:
        raise NotJson(str(error).partition(";")[0], 1) from None


class NotJson(ValueError):
    """A text is no JSON.

    Attributes:
        line: on which it is not.
    """

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number of JSON")
