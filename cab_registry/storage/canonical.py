"""The one spelling of a document: the bytes that are hashed, chained and kept.

Canonical bytes are UTF-8 JSON with keys sorted by code point, without spaces, with no escape that JSON does not
require. For keys of the basic plane this is RFC 8785, so that anyone can verify the log with tools of their own.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

HASH_LENGTH: Final = 32
DEEPEST: Final = 64
# Beyond this, readers that hold every number as a double would read another number than was written.
LARGEST_INTEGER: Final = 2**53 - 1

# A document as it travels: the contents of a JSON object.
Document = Mapping[str, Any]


class NotCanonical(ValueError):
    """A value has no canonical form.

    Attributes:
        pointer: JSON Pointer (RFC 6901) to the offending value; empty for the document itself.
        reason: what is wrong with it.
    """

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(f"{pointer or '(the document)'}: {reason}")
        self.pointer = pointer
        self.reason = reason


def canonical_bytes(value: Any) -> bytes:
    """Spell a value canonically.

    Days become ISO 8601 strings; instants become UTC with six digits of fraction and a Z.

    Raises:
        NotCanonical: the value holds a float, an integer beyond 2**53 - 1, a key that is no string, an instant without
            an offset, a character that UTF-8 or PostgreSQL cannot hold, another type, or more than 64 levels.
    """
    plain = _plain(value, ())
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def sha256(content: bytes) -> bytes:
    """Hash bytes; 32 bytes long."""
    return hashlib.sha256(content).digest()


def canonical_hash(value: Any) -> bytes:
    """Hash the canonical bytes of a value.

    Raises:
        NotCanonical: as canonical_bytes.
    """
    return sha256(canonical_bytes(value))


def spell_instant(instant: datetime) -> str:
    """Spell an instant as it is hashed: UTC, microseconds, Z.

    Raises:
        ValueError: the instant has no offset.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant needs an offset from UTC")
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _plain(value: Any, path: tuple[str | int, ...]) -> Any:
    if len(path) > DEEPEST:
        raise _refused(path, f"more than {DEEPEST} levels deep")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value, path)
    if isinstance(value, int):
        if abs(value) > LARGEST_INTEGER:
            raise _refused(path, "an integer beyond 2**53 - 1; write it as a string")
        return int(value)
    if isinstance(value, float):
        raise _refused(path, "a float; write it as a string or as an integer of a smaller unit")
    if isinstance(value, Mapping):
        return _plain_object(value, path)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return [_plain(item, (*path, index)) for index, item in enumerate(value)]
    return _plain_time(value, path)


def _plain_object(value: Mapping[Any, Any], path: tuple[str | int, ...]) -> dict[str, Any]:
    for key in value:
        if not isinstance(key, str):
            raise _refused(path, f"the key {key!r} is no string")
    return {_text(key, path): _plain(item, (*path, key)) for key, item in value.items()}


def _plain_time(value: Any, path: tuple[str | int, ...]) -> str:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise _refused(path, "an instant without an offset from UTC")
        return spell_instant(value)
    if isinstance(value, date):
        return value.isoformat()
    raise _refused(path, f"a {type(value).__name__} has no place in JSON")


def _text(value: str, path: tuple[str | int, ...]) -> str:
    if "\x00" in value:
        raise _refused(path, "the character U+0000, which PostgreSQL cannot hold")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _refused(path, "half of a surrogate pair, which UTF-8 cannot hold") from None
    return str(value)


def _refused(path: tuple[str | int, ...], reason: str) -> NotCanonical:
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in path)
    return NotCanonical("".join(f"/{step}" for step in steps), reason)
