"""Values that programs and people send by mistake or on purpose, and ways to spoil what was good."""

import copy
import json
import random
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

DAYS = (
    "2026-11-20", "2019-06-10", "2020-02-29", "0001-01-01", "9999-12-31", "2026-02-30", "2026-13-01", "20261120",
    "2026-11-20T00:00:00Z", "2026-11-20T23:59:60+14:00", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
    "2026-11-20T12:00:00.123456789Z", "2026-W47-5", "2026-11", "always", "now", "-0001-01-01",
)  # fmt: skip
NUMBERS = ("0", "1", "-1", "2", "50", "500", "501", "1e9", "1.5", "007", "9" * 20, "9" * 5000, "NaN", "Infinity", "٣")
TEXTS = (
    "", " ", "a", "A", "0", "null", "true", "Laboratory", "Prüflabor Suwon", "株式会社UL Japan", "مختبر", "Лаборатория",
    "\x00", "a\x00b", "\x1b[31mred\x1b[0m", "a\r\nset-cookie: b=c", "\u202egpj.exe", "\u200b", "\ufeff", "\ue000",
    "ﷺ" * 50, "e" + "\u0301" * 300, "ß" * 200, "İıſ", "😀" * 60, "x" * 300, "x" * 1001, "x y " * 2000, "%", "%%",
    "_", "%00",
    "../../etc/passwd", "..%2f..%2f", "' OR '1'='1", '"; DROP TABLE entry; --', "{{7*7}}", "${7*7}",
    "<script>alert(1)</script>",
    "=1+1", "@SUM(A1)", "https://register.example/", "javascript:alert(1)", "a@b", "a@" + "b." * 200 + "c", "*",
    "\\", "~", "::",
)  # fmt: skip
PLAIN: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 1e308, -0.0, 10**30, 2**63, [], {}, [[]], [{}], {"": ""}, [None, 0, ""],
)  # fmt: skip
JUNK = (
    b"", b"null", b"0", b'""', b"[]", b"{", b"}", b"[" * 5000, b'{"a":' * 3000, b"\xff\xfe\x00", b'"\\ud800"',
    b"{'a': 1}", b"NaN",
    b'{"a": 1, "a": 2}', b"\xef\xbb\xbf{}", b"a=b&c=d", b"<a/>", b"- yaml", b"9" * 6000, b"{}" * 1000, b"1e999",
)  # fmt: skip
KEYS = ("id", "x", "", "type", "__proto__", "constructor", "a" * 400, "\u0000", "$ref", "known_from")
LONG = 3000
MOST_ADDED = 100_000
"""Characters."""


class Rubbish:
    """Draws from all that, by one source of chance."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def text(self) -> str:
        """Draw a text that is hardly ever what is wanted."""
        return self.chance.choice(self.chance.choice((DAYS, NUMBERS, TEXTS)))

    def text_for(self, name: str, schema: dict[str, Any]) -> str:
        """Draw a text of the kind that a parameter takes, at its ends or beyond, or any text."""
        if self.chance.random() < 0.4:
            return self.text()
        timely = schema.get("format") == "date" or name in {"known_at", "before"}
        return self.chance.choice(DAYS if timely else NUMBERS if schema.get("type") == "integer" else TEXTS)

    def forge(self, cursor: str) -> str:
        """Return a cursor that nobody gave: another one put together from what this one holds."""
        try:
            held = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        except ValueError:
            return self.cut(cursor.encode()).decode("latin-1")
        if isinstance(held, list) and held:
            held[self.chance.randrange(len(held))] = self.value()
        else:
            held = self.spoil(held)
        return urlsafe_b64encode(json.dumps(held).encode()).decode().rstrip("=")

    def value(self) -> Any:
        """Draw a value of JSON that is hardly ever what is wanted."""
        kind = self.chance.randrange(10)
        if kind < 5:
            return self.text()
        if kind < 9:
            return copy.deepcopy(self.chance.choice(PLAIN))
        return self._large()

    def _large(self) -> Any:
        made: list[Callable[[], Any]] = [
            lambda: [self.text()[:9]] * LONG,
            lambda: {f"key{number}": number for number in range(LONG)},
            lambda: json.loads("[" * 90 + "]" * 90),
            lambda: [self.text() for _ in range(200)],
        ]
        return self.chance.choice(made)()

    def spoil(self, document: Any) -> Any:
        """Return a document with one of its parts replaced, taken away, doubled or added to."""
        holders = list(_holders(document))
        if not holders:
            return self.value()
        holder = self.chance.choice(holders)
        key = self.chance.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
        kind = self.chance.randrange(6)
        if kind < 3:
            holder[key] = self.value()
        elif kind == 3:
            del holder[key]
        elif isinstance(holder, dict):
            holder[self.chance.choice(KEYS)] = copy.deepcopy(holder[key]) if kind == 4 else self.value()
        else:
            often = min(self.chance.choice((1, 2, 120)), MOST_ADDED // len(json.dumps(holder[key])))
            holder.extend(copy.deepcopy(holder[key]) for _ in range(often))
        return document

    def cut(self, content: bytes) -> bytes:
        """Return bytes that are no longer what they were."""
        kind = self.chance.randrange(4)
        if kind == 0:
            return self.chance.choice(JUNK)
        if not content:
            return self.chance.randbytes(20)
        place = self.chance.randrange(len(content))
        if kind == 1:
            return content[:place]
        if kind == 2:
            return content[:place] + self.chance.randbytes(1) + content[place + 1 :]
        return content[:place] + content + content[place:]


def _holders(value: Any) -> Any:
    """Yield every object and list that is not empty."""
    if isinstance(value, dict | list) and value:
        yield value
        for each in list(value.values()) if isinstance(value, dict) else list(value):
            yield from _holders(each)
