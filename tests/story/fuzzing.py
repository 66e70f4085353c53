"""Requests by chance: valid ones of every operation and page by the OpenAPI document, and the same spoilt."""

import copy
import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from tests.story.rubbish import Rubbish
from tests.story.wire import Got, Sent

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
IDS = re.compile(r'"((?:[a-z]-[0-9a-f]{16})|(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}))"')
NEXT = re.compile(r'"next":\s?(?:"([^"]+)"|(\d+))')
MOST_KEPT = 200
HEADERS: dict[bytes, tuple[bytes, ...]] = {
    b"accept": (b"text/html", b"application/json", b"*/*", b"", b"text/csv;q=x", b"a" * 3000, b"\xff"),
    b"accept-encoding": (b"gzip", b"br, *;q=0", b"\x01"),
    b"accept-language": (b"ko-KR,ko;q=0.9", b"*", b"-" * 500),
    b"if-none-match": (b"*", b'"a"', b'W/"a", "b"', b"," * 2000, b"\xc3\xa9"),
    b"if-modified-since": (b"Sat, 29 Feb 2025 25:61:61 GMT", b"0"),
    b"range": (b"bytes=0-1", b"bytes=9-1,1-", b"bytes=" + b"1-2," * 300),
    b"expect": (b"200-ok",),
    b"origin": (b"null", b"https://elsewhere.example"),
    b"cookie": (b"a=b; " * 300, b"session=\x80"),
    b"x-forwarded-for": (b"127.0.0.1", b"::1, evil", b"," * 500),
    b"x-forwarded-proto": (b"https", b"javascript"),
    b"x-forwarded-host": (b"elsewhere.example", b"a b"),
    b"x-request-id": (b"1", b"a" * 2000, b"\x7f"),
    b"x-http-method-override": (b"DELETE",),
    b"content-encoding": (b"gzip", b"identity", b"zstd"),
    b"idempotency-key": (b"once", b"a" * 201, b"a b", b"\xe9", b""),
    b"content-language": (b"x",),
    b"traceparent": (b"00-0-0-0",),
}
KINDS_OF_BODY = (
    b"application/json", b"application/json; charset=utf-16", b"text/plain", b"", b"multipart/form-data",
    b"application/x-www-form-urlencoded", b"application/merge-patch+json", b"application/json, application/json",
)  # fmt: skip
BAD_TOKENS = (
    b"",
    b"Bearer",
    b"Bearer ",
    b"Bearer x",
    b"Basic YTpi",
    b"bearer cab_0_0",
    b"Bearer cab_\xff",
    b"Bearer " + b"a" * 4000,
)


@dataclass(frozen=True)
class Operation:
    """What may be asked: a method, a path with names in braces, its parameters, and bodies that are good."""

    method: str
    path: str
    parameters: Sequence[dict[str, Any]] = ()
    bodies: Sequence[Any] = ()


@dataclass
class Fuzzer:
    """Draws requests, and learns from answers which ids and cursors there are.

    Attributes:
        operations: those of the OpenAPI document.
        pages: the paths that people open.
        words: good values by the name of a parameter or key.
        tokens: of people with different roles.
        kept_out: ids that must not be ended, since the tokens hang on them.
    """

    chance: random.Random
    operations: Sequence[Operation]
    pages: Sequence[Operation]
    words: dict[str, Sequence[str]]
    tokens: Sequence[str]
    kept_out: set[str] = field(default_factory=set)
    met: dict[str, list[str]] = field(default_factory=dict)
    pages_met: list[tuple[Sent, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rubbish = Rubbish(self.chance)

    def draw(self) -> Sent:
        """Draw a request: one of three as it should be, the others spoilt in one way or in several."""
        if self.pages_met and self.chance.random() < 0.04:
            return self._go_on()
        operation = self.chance.choice(self.operations if self.chance.random() < 0.8 else self.pages)
        faults = self.chance.choice((0, 0, 1, 1, 2, 3))
        method = self.chance.choice(METHODS) if faults and self.chance.random() < 0.1 else operation.method
        target = self._path(operation, faults) + self._query(operation, faults)
        body = self._body(operation, faults)
        headers = self._headers(operation, body, faults)
        return Sent(method, target, headers, body, chunked=body is not None and self.chance.random() < 0.1)

    def _go_on(self) -> Sent:
        """Ask for the next page of a list, by the cursor that it gave or by a forged one."""
        sent, cursor = self.chance.choice(self.pages_met)
        if self.chance.random() < 0.6:
            cursor = self.rubbish.forge(cursor)
        name = "after" if cursor.isdigit() else self.chance.choice(("cursor", "cursor", "after"))
        mark = b"&" if b"?" in sent.target else b"?"
        return replace(sent, target=sent.target + mark + f"{name}={_quoted(cursor)}".encode())

    def learn(self, sent: Sent, got: Got) -> None:
        """Keep ids and cursors of an answer for later requests."""
        text = got.body[:200_000].decode("utf-8", "replace")
        for found in IDS.findall(text):
            if found not in self.kept_out:
                self._meet(found[0] if found[1] == "-" else "submission", found)
        once = b"cursor=" not in sent.target and b"after=" not in sent.target
        if sent.method == "GET" and once and (found := NEXT.search(text)):
            self._meet("cursor", found[1] or found[2])
            self.pages_met.append((sent, found[1] or found[2]))
            del self.pages_met[:-MOST_KEPT]

    def _meet(self, kind: str, value: str) -> None:
        known = self.met.setdefault(kind, [])
        if len(known) < MOST_KEPT:
            known.append(value)
        else:
            known[self.chance.randrange(MOST_KEPT)] = value

    def _path(self, operation: Operation, faults: int) -> bytes:
        def fill(name: re.Match[str]) -> str:
            bad = faults and self.chance.random() < 0.2
            return quote(self.rubbish.text() if bad else self._word(name[1], operation.path), safe="")

        path = re.sub(r"\{(\w+)[^}]*\}", fill, operation.path)
        if faults and self.chance.random() < 0.05:
            path = self.chance.choice((path + "/", "/" + path, path + "/..", path.upper(), path + "%2f", path[:-1]))
        return path.encode() or b"/"

    def _query(self, operation: Operation, faults: int) -> bytes:
        pairs = [
            (each["name"], self._argument(each, operation.path))
            for each in operation.parameters
            if each["in"] == "query" and (each.get("required") or self.chance.random() < self._share(operation))
        ]
        for _ in range(faults):
            self._spoil_pairs(pairs, operation)
        if not pairs:
            return b""
        return b"?" + "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in pairs).encode()

    def _share(self, operation: Operation) -> float:
        return min(0.4, 4 / max(1, len(operation.parameters)))

    def _spoil_pairs(self, pairs: list[tuple[str, str]], operation: Operation) -> None:
        kind = self.chance.randrange(8)
        known = {each["name"]: each["schema"] for each in operation.parameters if each["in"] == "query"}
        if kind < 4 and known:
            name = self.chance.choice([*known, *(each for each, _ in pairs)])
            given = [pair for pair in pairs if pair[0] != name]
            pairs[:] = [*given, (name, self.rubbish.text_for(name, known.get(name, {})))]
        elif kind == 4 and pairs:
            pairs.extend([self.chance.choice(pairs)] * self.chance.choice((1, 1, 100)))
        elif kind == 5 and pairs:
            del pairs[self.chance.randrange(len(pairs))]
        elif kind == 6:
            pairs.append((self.rubbish.text()[:200], self.rubbish.text()))

    def _argument(self, parameter: dict[str, Any], path: str) -> str:
        schema = parameter["schema"]
        schema = schema.get("items", schema)
        if "enum" in schema:
            return str(self.chance.choice(schema["enum"]))
        if schema.get("type") == "boolean":
            return self.chance.choice(("true", "false"))
        if schema.get("type") == "integer":
            most = min(schema.get("maximum", 10), 3000)
            return str(self.chance.choice((schema.get("minimum", 0), most, self.chance.randint(0, most))))
        if schema.get("format") == "date":
            return self._word("day", path)
        return self._word(parameter["name"], path)

    def _word(self, name: str, path: str) -> str:
        """Draw a good value for a name; what was met in answers goes first."""
        last = name.rpartition(".")[2]
        if last == "record_id":
            last = path.split("/")[-2 if path.endswith("}") else -3]
        kind = {"cursor": "cursor", "submission_id": "submission"}.get(last)
        kind = kind or (last[0] if last in {"watch_id", "endpoint_id", "token_id", "principal_id", "principal"} else "")
        if met := self.met.get(kind):
            return self.chance.choice(met)
        return str(self.chance.choice(self.words.get(last) or self.words["any"]))

    def _body(self, operation: Operation, faults: int) -> bytes | None:
        if not operation.bodies:
            return self.rubbish.cut(b"{}") if faults and self.chance.random() < 0.05 else None
        document = copy.deepcopy(self.chance.choice(operation.bodies))
        self._refresh(document, operation.path)
        for _ in range(faults):
            document = self.rubbish.spoil(document)
        content = json.dumps(document, ensure_ascii=self.chance.random() < 0.5).encode("utf-8", "surrogatepass")
        return self.rubbish.cut(content) if faults and self.chance.random() < 0.2 else content

    def _refresh(self, value: Any, path: str) -> None:
        """Put other good values into a good body, by the names of its keys."""
        for key, inner in list(value.items()) if isinstance(value, dict) else []:
            if isinstance(inner, str) and key in self.words and self.chance.random() < 0.3:
                value[key] = self._word(key, path)
            else:
                self._refresh(inner, path)
        for inner in value if isinstance(value, list) else ():
            self._refresh(inner, path)

    def _headers(self, operation: Operation, body: bytes | None, faults: int) -> tuple[tuple[bytes, bytes], ...]:
        headers: list[tuple[bytes, bytes]] = []
        if body is not None:
            bad = faults and self.chance.random() < 0.1
            headers.append((b"content-type", self.chance.choice(KINDS_OF_BODY) if bad else KINDS_OF_BODY[0]))
        if operation in self.pages:
            headers.append((b"accept", b"text/html,*/*;q=0.1"))
        kind = self.chance.random()
        if kind < 0.6:
            headers.append((b"authorization", f"Bearer {self.chance.choice(self.tokens)}".encode()))
        elif kind < 0.65:
            headers.append((b"authorization", self.chance.choice(BAD_TOKENS)))
        for _ in range(self.chance.choice((0, 0, 0, faults))):
            name = self.chance.choice(list(HEADERS))
            headers.append((name, self.chance.choice(HEADERS[name])))
        return tuple(headers)


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def read_operations(document: dict[str, Any]) -> list[Operation]:
    """Read the operations of an OpenAPI document, with the bodies that it shows as examples."""
    return [
        Operation(method.upper(), path, operation.get("parameters", ()), _examples(operation))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method in {"get", "post", "put", "patch", "delete"}
    ]


def _examples(operation: dict[str, Any]) -> list[Any]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return [each["value"] for each in content.get("examples", {}).values()]
