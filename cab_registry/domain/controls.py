"""Characters that steer a terminal or reorder what is read, made visible."""

import re
from typing import Final

# Controls but tab and ends of lines; marks that reorder, hide or join text; halves of surrogate pairs; tags.
_UNSEEN: Final = re.compile(
    "\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
_LARGEST_OF_BYTE: Final = 0xFF
_LARGEST_OF_BASIC_PLANE: Final = 0xFFFF


def show_controls(text: str) -> str:
    r"""Return a text in which each such character is spelled out, as `\x1b` or `\u202e`; lines and tabs stay."""
    return _UNSEEN.sub(lambda found: _spell(ord(found[0])), text)


def escape_controls(json_text: str) -> str:
    r"""Return the same JSON with each such character written as JSON escapes it, as `\u001b`."""
    # Between values a carriage return is a space of JSON, and within a text there is none.
    return _UNSEEN.sub(lambda found: "\n" if found[0] == "\r" else _escape(ord(found[0])), json_text)


def _spell(code: int) -> str:
    if code <= _LARGEST_OF_BYTE:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= _LARGEST_OF_BASIC_PLANE else f"\\U{code:08x}"


def _escape(code: int) -> str:
    if code <= _LARGEST_OF_BASIC_PLANE:
        return f"\\u{code:04x}"
    beyond = code - 0x10000
    return f"\\u{0xD800 + (beyond >> 10):04x}\\u{0xDC00 + (beyond & 0x3FF):04x}"
