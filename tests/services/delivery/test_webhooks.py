"""Webhooks against a receiver that is real: signed, to the vetted address only, and never for longer than allowed."""

import os
import re
import runpy
import ssl
import time
from asyncio import StreamWriter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
import trustme
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from cab_registry.services.delivery.addresses import Resolver
from cab_registry.services.delivery.attempts import Attempt
from cab_registry.services.delivery.webhooks import (
    LONGEST_ANSWER,
    WebhookSender,
    join_secrets,
    make_secret,
    sign,
    split_secrets,
)
from cab_registry.settings import Network
from tests.services.delivery.receiving import (
    HERE,
    HOST,
    Behaviour,
    Received,
    Receiver,
    answer,
    certified,
    drip_body,
    drip_head,
    hang,
    hang_up,
    receiving,
    resolving,
    trusting,
)

AT = datetime(2026, 11, 21, 8, tzinfo=UTC)
SECRET = make_secret(lambda count: bytes(range(count)))
NOTICE = "5b9b9a3e-7f55-5c0e-9f0b-0d3f7c1a4b58"
BODY = '{"data":{"headline":"Änderung"},"type":"watch.changed"}'.encode()
LOCAL = resolving(["127.0.0.1"])


@asynccontextmanager
async def sending(
    resolver: Resolver = LOCAL,
    networks: Sequence[Network] = HERE,
    trust: ssl.SSLContext | None = None,
    seconds: float = 10,
) -> AsyncIterator[WebhookSender]:
    span = timedelta(seconds=seconds)
    sender = WebhookSender(resolver, networks, trust=trust or ssl.create_default_context(), deadline=span)
    yield sender
    await sender.close()


async def attempt(behaviour: Behaviour, *, seconds: float = 10) -> tuple[Attempt, Receiver, float]:
    async with receiving(behaviour) as receiver, sending(seconds=seconds) as sender:
        began = time.monotonic()
        made = await sender.send(receiver.url(), [SECRET], NOTICE, BODY, AT)
        return made, receiver, time.monotonic() - began


def test_the_signature_is_that_of_the_standards_example() -> None:
    headers = sign(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        b'{"test": 2432232314}',
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-timestamp"] == "1614265330"


async def test_another_implementation_verifies_what_was_received() -> None:
    old, now = make_secret(os.urandom), datetime.now(UTC)
    async with receiving(answer(204)) as receiver, sending() as sender:
        made = await sender.send(receiver.url(path="/in?of=me"), [SECRET, old], NOTICE, BODY, now)
    assert (made.outcome, made.status, made.words) == ("delivered", 204, "204 No Content")
    (request,) = receiver.received
    assert (request.path, request.body) == ("/in?of=me", BODY)
    assert request.headers["content-type"] == "application/json"
    assert request.headers["host"] == f"{HOST}:{receiver.port}"
    for secret in (SECRET, old):
        assert Webhook(secret).verify(request.body, request.headers)["type"] == "watch.changed"
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(request.body + b" ", request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(make_secret(os.urandom)).verify(request.body, request.headers)


def test_what_receivers_are_told_to_run_verifies_what_is_sent(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "webhooks.md").read_text("utf-8")
    (told,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    script = tmp_path / "verifying.py"
    script.write_text(told)
    verify, now = runpy.run_path(str(script))["verify"], datetime.now(UTC)
    headers = sign([make_secret(os.urandom), SECRET], NOTICE, now, BODY)
    assert verify(SECRET, headers, BODY)
    assert not verify(SECRET, headers, BODY + b" ")
    assert not verify(make_secret(os.urandom), headers, BODY)
    assert not verify(SECRET, sign([SECRET], NOTICE, now - timedelta(minutes=6), BODY), BODY)


def test_two_secrets_sign_while_one_is_replaced() -> None:
    secrets = [make_secret(os.urandom) for _ in range(3)]
    assert split_secrets(join_secrets(secrets)) == tuple(secrets[:2])


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "delivered"), (299, "delivered"), (410, "gone"), (400, "refused"), (404, "refused"), (500, "refused")],
)
async def test_the_status_says_what_came_of_it(status: int, outcome: str) -> None:
    made, _, _ = await attempt(answer(status, body=b"whatever"))
    assert (made.outcome, made.status) == (outcome, status)
    assert "whatever" not in made.words


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(status: int) -> None:
    async with receiving(answer(200)) as target:
        for address in (target.url("127.0.0.1"), target.url(), "http://169.254.169.254/latest", "/elsewhere"):
            made, receiver, _ = await attempt(answer(status, headers=f"Location: {address}\r\n"))
            assert (made.outcome, made.status, len(receiver.received)) == ("redirected", status, 1)
        assert target.received == []


@pytest.mark.parametrize("behaviour", [hang, drip_head, drip_body])
async def test_who_answers_too_slowly_is_left_in_time(behaviour: Behaviour) -> None:
    made, receiver, took = await attempt(behaviour, seconds=0.5)
    assert (made.outcome, made.status) == ("timeout", None)
    assert len(receiver.received) == 1
    assert took < 2


async def test_who_hangs_up_or_speaks_otherwise_is_unreachable() -> None:
    made, _, _ = await attempt(hang_up)
    assert made.outcome == "unreachable"

    async def speak_otherwise(_: Received, writer: StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")

    made, _, _ = await attempt(speak_otherwise)
    assert made.outcome == "unreachable"
    async with receiving(answer(200)) as receiver:
        url = receiver.url()
    async with sending() as sender:
        assert (await sender.send(url, [SECRET], NOTICE, BODY, AT)).outcome == "unreachable"


async def test_no_more_of_an_answer_is_read_than_allowed() -> None:
    written = 0

    async def pour(_: Received, writer: StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while written < 1_000_000_000:
            writer.write(bytes(65536))
            await writer.drain()
            written += 65536

    made, _, took = await attempt(pour)
    assert (made.outcome, made.status) == ("delivered", 200)
    assert written < 1000 * LONGEST_ANSWER
    assert took < 5


async def test_a_packed_answer_is_not_unpacked() -> None:
    made, _, _ = await attempt(answer(200, headers="Content-Encoding: gzip\r\n", body=b"no gzip at all"))
    assert made.outcome == "delivered"


@pytest.mark.parametrize(
    ("status", "header", "wait"),
    [
        (429, "120", timedelta(seconds=120)),
        (503, "0", timedelta()),
        (503, "Sat, 21 Nov 2026 09:00:00 GMT", timedelta(hours=1)),
        (503, "Sat, 21 Nov 2026 07:00:00 GMT", timedelta()),
        (503, "Sat, 21 Nov 2026 09:00:00 -0000", timedelta(hours=1)),
        (429, "9" * 60, timedelta(seconds=10**8)),
        (429, "soon", None),
        (429, "-5", None),
        (429, "", None),
        (500, "120", None),
    ],
)
async def test_how_long_the_receiver_wants_to_be_left_alone(status: int, header: str, wait: timedelta | None) -> None:
    made, _, _ = await attempt(answer(status, headers=f"Retry-After: {header}\r\n"))
    assert (made.outcome, made.retry_after) == ("refused", wait)


async def test_a_name_that_changes_to_this_machine_is_not_followed_there() -> None:
    async with receiving(answer(200)) as receiver:
        resolver = resolving(["127.0.0.1"], ["127.0.0.2"])
        async with sending(resolver, [ip_network("127.0.0.1/32")]) as sender:
            first = await sender.send(receiver.url(), [SECRET], NOTICE, BODY, AT)
            second = await sender.send(receiver.url(), [SECRET], NOTICE, BODY, AT)
        assert (first.outcome, second.outcome, len(receiver.received)) == ("delivered", "unreachable", 1)


async def test_the_name_is_asked_for_once_an_attempt_and_the_connection_goes_to_that_answer() -> None:
    """Rebinding: were the name resolved again for the connection, it would go to another address than was vetted."""
    asked = 0

    async def rebinding(host: str, port: int) -> Sequence[str]:
        nonlocal asked
        asked += 1
        return ["127.0.0.1"] if asked == 1 else ["127.0.0.9"]

    async with receiving(answer(200)) as receiver, sending(rebinding) as sender:
        made = await sender.send(receiver.url("rebinding.example"), [SECRET], NOTICE, BODY, AT)
    assert (made.outcome, asked, len(receiver.received)) == ("delivered", 1, 1)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "localtest.example"])
async def test_nothing_is_sent_to_this_machine_unless_allowed(host: str) -> None:
    async with receiving(answer(200)) as receiver, sending(networks=()) as sender:
        made = await sender.send(receiver.url(host), [SECRET], NOTICE, BODY, AT)
        assert (made.outcome, made.status) == ("unreachable", None)
        assert receiver.received == []


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving(answer(200)) as proxy, receiving(answer(204)) as receiver:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url("127.0.0.1", ""))
        async with sending() as sender:
            made = await sender.send(receiver.url(), [SECRET], NOTICE, BODY, AT)
    assert (made.status, proxy.received) == (204, [])


async def test_the_certificate_is_that_of_the_name_and_of_an_authority_that_is_trusted() -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    async with receiving(answer(200), certified(HOST, authority)) as receiver:
        async with sending(trust=trusting(authority)) as sender:
            right = await sender.send(receiver.url(), [SECRET], NOTICE, BODY, AT)
            wrong = await sender.send(receiver.url("other.example"), [SECRET], NOTICE, BODY, AT)
            again = await sender.send(receiver.url(), [SECRET], NOTICE, BODY, AT)
        async with sending(trust=trusting(stranger)) as sender:
            unknown = await sender.send(receiver.url(), [SECRET], NOTICE, BODY, AT)
    assert [each.outcome for each in (right, wrong, again, unknown)] == [
        "delivered", "certificate", "delivered", "certificate",
    ]  # fmt: skip
    assert "certificate" in wrong.words
    assert len(receiver.received) == 2


async def test_another_ip_address_of_the_host_is_tried() -> None:
    async with receiving(answer(200)) as receiver, sending(resolving(["127.0.0.2", "127.0.0.1"])) as sender:
        made = await sender.send(receiver.url(), [SECRET], NOTICE, BODY, AT)
    assert made.outcome == "delivered"
