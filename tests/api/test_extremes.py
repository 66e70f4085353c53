"""Nothing that a client can write into a parameter, a path or a body makes the service fail: it answers or refuses."""

from __future__ import annotations

import copy
import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import msgspec
import pytest

from cab_registry.api.openapi import make_document
from cab_registry.settings import Settings
from tests.api.conftest import Asker, question
from tests.api.test_problems import check_shape
from tests.api.test_submissions import Office, engine, office
from tests.sizes import sized

__all__ = ["engine", "office"]

# In the suite a share of all requests, each run of it a fixed one; `make soak` sends all of them.
SHARE = sized(53, whole=1)
PLACE = re.compile(r"\{\w+\}")
Sent = tuple[str, str, Any]

DAYS = (
    "0001-01-01", "0000-00-00", "9999-12-31", "10000-01-01", "-0001-01-01", "1900-02-29", "2000-02-29", "2024-02-29",
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999-23:59", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z",
    "2024-02-29T24:00:00Z", "2016-12-31T23:59:60Z", "2024-02-29T00:00:00+99:99", "20240229", "2024-W01-1",
)  # fmt: skip
NUMBERS = (
    "-1", "0", "1", "9" * 18, "9" * 19, "9" * 5000, "-" + "9" * 40, "1e999", "NaN", "Infinity", "-0", "0x10", "1_0",
)  # fmt: skip
TEXTS = (
    "", " ", "=", "-", "\0", "a\0b", "\x1b[2J", "\r\nX-Evil: 1", "\u202e", "\ufeff", "\uffff", "'; --",
    "../../etc/passwd", "%s%n", "a" * 1001, "\ufdfa" * 300,
)  # fmt: skip
RAW = ("%ED%A0%80", "%FF", "%C0%80", "%", "%zz", "%F4%90%80%80")


def forge(*values: object) -> str:
    return urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


INSTANTS = (None, "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59Z")
CURSORS = (
    "x", "AAAA", "9" * 30, "1.1", f"{2**80}.{2**80}", "-1.-1", "2024-01-01T00:00:00+00:00~x",
    "0001-01-01T00:00:00+23:59~x", "9999-12-31T23:59:59-23:59~x", "2024-01-01T00:00:00~x",
    *(forge(position, instant, "", "") for position in (-1, 2**63, 2**64) for instant in INSTANTS),
    b64encode(b"[" * 500).decode(),
)  # fmt: skip
VALUES = (*DAYS, *NUMBERS, *TEXTS, *CURSORS)
BODY_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 2**31, 2**53, 2**63, 2**64, 10**300, 1.5, [], {}, [[]], [{}], "", "\0", "a" * 100_000,
    "0001-01-01", "9999-12-31", "9999-12-31T23:59:59-23:59", "\x1b[2J", "\u202e",
    {"from": "0001-01-01", "to": "9999-12-31"}, {"not_before": "9999-12-31"}, {"not_after": "0001-01-01"},
)  # fmt: skip
PAGES: dict[str, tuple[str, ...]] = {
    "/": (),
    "/answer": (),
    "/agreements": (),
    "/agreements/{id}": (),
    "/bodies": ("name", "scheme", "value", "economy", "sector", "requirement", "status", "as_of", "cursor"),
    "/bodies/{id}": ("as_of",),
    "/reference": (),
    "/problems/{id}": (),
    "/static/{id}": (),
    "/watches/confirm": ("token",),
    "/unsubscribe/{id}/{id}": (),
}
KNOWN = {"record_id": "x-kr-lab", "id": "x-kr-lab", "name": "body"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, secret_keys=b64encode(b"k" * 32).decode())


def flat(document: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in document.items():
        if isinstance(value, dict):
            yield from flat(value, f"{above}{key}.")
        else:
            yield above + key, str(value)


def list_requests() -> Iterator[Sent]:
    for path, methods in make_document()["paths"].items():
        for method, operation in methods.items():
            given = operation.get("parameters", [])
            queried = [each["name"] for each in given if each["in"] == "query"]
            base = dict(flat(question())) if "acceptance" in path and method == "get" else {}
            yield from list_addresses(method, path, queried, base)
            for content in operation.get("requestBody", {}).get("content", {}).values():
                example = next(iter(content["examples"].values()))["value"]
                yield from ((method, fill(path), broken) for broken in break_at_each(example))
    for path, names in PAGES.items():
        yield from list_addresses("get", path, names, {})
    yield from list_addresses("get", "/answer", list(dict(flat(question()))), dict(flat(question())))


def list_addresses(method: str, path: str, queried: Sequence[str], base: dict[str, str]) -> Iterator[Sent]:
    for value in (*map(quote, VALUES), *RAW):
        for name in queried:
            rest = urlencode({key: each for key, each in base.items() if key != name})
            yield method, f"{fill(path)}?{rest}{'&' if rest else ''}{quote(name)}={value}", None
        if "{" in path:
            yield method, (value or "-").join(PLACE.split(path)), None


def fill(path: str) -> str:
    return PLACE.sub(lambda place: KNOWN.get(place[0][1:-1], "x"), path)


def break_at_each(example: Any) -> Iterator[Any]:
    for path in list_places(example):
        for value in BODY_VALUES:
            whole = copy.deepcopy(example)
            if not path:
                yield value
                continue
            place = whole
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = value
            yield whole


def list_places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict):
        for key, part in value.items():
            yield from list_places(part, (*path, key))
    elif isinstance(value, list):
        for index, part in enumerate(value[:1]):
            yield from list_places(part, (*path, index))


async def send(client: httpx.AsyncClient, method: str, path: str, body: Any) -> httpx.Response:
    url = httpx.URL(path.partition("?")[0]).copy_with(raw_path=path.encode())
    content = None if body is None else json.dumps(body).encode()
    return await client.request(method.upper(), url, content=content, headers={"content-type": "application/json"})


async def test_no_value_makes_the_service_fail(office: Office) -> None:
    registrar = await office.client(office.registrars.first)
    failed = []
    for number, sent in enumerate(list_requests()):
        if number % SHARE == 0 and (await send(registrar, *sent)).status_code >= 500:
            failed.append(sent)
    assert failed == []


async def test_what_failed_once_is_answered_or_refused(office: Office) -> None:
    registrar = await office.client(office.registrars.first)
    for path in (
        "/v1/expiries?as_of=9999-12-31",
        "/v1/expiries.ics?as_of=9999-12-31",
        "/v1/expiries?as_of=0001-01-01&within=3650d",
        "/v1/bodies?name=%3D",
        "/v1/authorities?name=%3D",
        "/bodies?name=-",
        "/v1/submissions?cursor=0001-01-01T00%3A00%3A00%2B23%3A59~x",
    ):
        assert (await registrar.get(path)).status_code < 500, path


async def test_an_issuer_of_signs_alone_is_an_open_answer(ask: Asker) -> None:
    for name in ("=", "-", " / "):
        assert (await ask.post(question(result__issuer={"name": name}))).json()["verdict"] == "cannot_tell"


async def test_a_cursor_that_was_made_elsewhere_is_refused(ask: Asker) -> None:
    # As they were spelled before they were signed: with the digest of the list that everyone can work out.
    asked = msgspec.json.encode(("Paging", {"known_at": None}))
    for position in (-1, 0, 2**62, 2**63, 2**64):
        for instant in INSTANTS:
            forged = forge(position, instant, "", blake2b(asked, digest_size=6).hexdigest())
            refused = check_shape(await ask.get("/v1/requirements", params={"cursor": forged}))
            assert refused["type"] == "/problems/wrong-parameters"
            assert "start the list again" in refused["faults"][0]["message"]
