"""Mail through a server that is real, on this machine: what arrives, what is refused, and what is our own fault."""

import asyncio
import os
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from hypothesis import given
from hypothesis import strategies as st

from cab_registry.services.delivery.mail import Composer, Link, Mailer, NoticeText, read_notice, unsubscribe_address
from cab_registry.services.delivery.sealing import Sealer
from cab_registry.settings import MailServer, read_mail_server
from tests.services.delivery.receiving import certified, trusting

AT = datetime(2026, 11, 21, 8, tzinfo=UTC)
NOTICE = "5b9b9a3e-7f55-5c0e-9f0b-0d3f7c1a4b58"
PUBLIC = "https://register.example"
WAY_OUT = f"{PUBLIC}/unsubscribe/e-1/mark"
TO = "kim@authority.example"
TEXT = NoticeText(
    "Prüfung läuft ab",
    ("From 3 January 2027 new reports are not accepted.", "Documents issued before stay accepted."),
    (Link("The laboratory", "/bodies/kr-kolas-001"), Link("KOLAS", "https://kolas.example/")),
)


class Catcher:
    """Keeps what it gets; refuses what it is told to."""

    def __init__(self, recipient: str = "250 OK", data: str = "250 OK", pause: float = 0) -> None:
        self.caught: list[tuple[str, list[str], EmailMessage]] = []
        self.raw: list[bytes] = []
        self._recipient = recipient
        self._data = data
        self._pause = pause

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, _: Any) -> str:  # noqa: N802
        if self._recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self._recipient

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        await asyncio.sleep(self._pause)
        if self._data.startswith("250"):
            message = message_from_bytes(envelope.content, policy=policy.default)
            self.caught.append((envelope.mail_from, envelope.rcpt_tos, message))
            self.raw.append(envelope.content)
        return self._data


@contextmanager
def catching(catcher: Catcher, **more: Any) -> Iterator[MailServer]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(catcher, hostname="127.0.0.1", port=port, enable_SMTPUTF8=True, **more)
    controller.start()
    try:
        yield MailServer(host="127.0.0.1", port=port, encryption="none")
    finally:
        controller.stop()


def compose(text: NoticeText = TEXT, to: str = TO, way_out: str = WAY_OUT) -> EmailMessage:
    return Composer("Register <notices@register.example>", PUBLIC).compose(NOTICE, [text], to, way_out, AT)


@contextmanager
def mailing(server: MailServer, **more: Any) -> Iterator[Mailer]:
    mailer = Mailer(server, **more)
    yield mailer
    mailer.close()


async def test_a_notice_arrives_with_a_way_out() -> None:
    catcher = Catcher()
    with catching(catcher) as server, mailing(server) as mailer:
        made = await mailer.send(compose(), TO)
    assert (made.outcome, made.status) == ("delivered", 250)
    ((sender, recipients, message),) = catcher.caught
    assert (sender, recipients) == ("notices@register.example", [TO])
    assert message["Subject"] == "Prüfung läuft ab"
    assert message["From"] == "Register <notices@register.example>"
    assert message["To"] == TO
    assert message["Message-ID"] == f"<{NOTICE}@register.example>"
    assert message["List-Unsubscribe"] == f"<{WAY_OUT}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Date"].datetime == AT
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "text/plain"
    body = message.get_content()
    for line in (*TEXT.sentences, f"The laboratory: {PUBLIC}/bodies/kr-kolas-001", "KOLAS: https://kolas.example/"):
        assert line in body
    assert body.rstrip().endswith(WAY_OUT)


# As the registry makes it, with a long name of the host, and as long as a line of a mail may be.
WAYS_OUT = [
    WAY_OUT,
    f"{PUBLIC}/unsubscribe/e-0123456789abcdef/{'x' * 43}",
    f"https://{'a' * 60}.{'b' * 60}.{'c' * 60}.example/registry-of-bodies/unsubscribe/e-0123456789abcdef/{'-_' * 22}",
    f"{PUBLIC}/unsubscribe/e-0123456789abcdef/{'y' * 800}",
]


def header_lines(raw: bytes, name: bytes) -> list[bytes]:
    """The physical lines of a header, with those that go on, as they came over the wire."""
    head = raw.partition(b"\r\n\r\n")[0]
    return re.findall(rb"(?im)^" + name + rb":[^\r\n]*(?:\r\n[ \t][^\r\n]*)*", head)


@pytest.mark.parametrize("to", [TO, f"{'k' * 64}@{'authority.' * 12}example", "김@authority.example"])
@pytest.mark.parametrize("way_out", WAYS_OUT)
async def test_the_way_out_arrives_as_one_line_that_any_mail_program_reads(way_out: str, to: str) -> None:
    catcher = Catcher()
    with catching(catcher) as server, mailing(server) as mailer:
        assert (await mailer.send(compose(to=to, way_out=way_out), to)).outcome == "delivered"
    (raw,) = catcher.raw
    assert header_lines(raw, b"List-Unsubscribe") == [f"List-Unsubscribe: <{way_out}>".encode()]
    assert header_lines(raw, b"List-Unsubscribe-Post") == [b"List-Unsubscribe-Post: List-Unsubscribe=One-Click"]
    # This policy decodes nothing: what is an encoded word stays one.
    read = message_from_bytes(raw, policy=policy.compat32)
    assert read["List-Unsubscribe"] == f"<{way_out}>"
    for name in (b"From", b"To", b"Message-ID", b"Date"):
        (lines,) = header_lines(raw, name)
        assert b"=?" not in lines
    assert parseaddr(str(read["To"]).replace("\r\n", ""))[1] == to or not to.isascii()


def test_a_way_out_longer_than_a_line_of_a_mail_is_refused() -> None:
    with pytest.raises(ValueError, match="header"):
        compose(way_out=f"{PUBLIC}/unsubscribe/e-1/{'x' * 1000}")


def test_the_words_of_a_notice_are_read_from_its_payload() -> None:
    payload = (
        b'{"type":"watch.changed","timestamp":"2026-11-21T08:00:00Z","data":{"headline":"A","sentences":["B"],'
        b'"links":[{"title":"C","address":"/d"}],"more":{"E":1}}}'
    )
    assert read_notice(payload) == NoticeText("A", ("B",), (Link("C", "/d"),))


@given(words=st.text(min_size=1, max_size=400))
def test_no_words_make_headers(words: str) -> None:
    text = NoticeText(words + "\r\nBcc: other@authority.example", (words,), (Link(words, words),))
    plain = {each.lower() for each in compose().keys()}  # noqa: SIM118 - a message is no mapping
    message = compose(text)
    read = message_from_bytes(message.as_bytes(), policy=policy.default)
    assert {each.lower() for each in read.keys()} == plain  # noqa: SIM118
    assert len(read.get_all("Subject") or []) == 1
    assert read["To"] == TO


@pytest.mark.parametrize(
    "to", ["kim@authority.example\r\nBcc: a@b.example", "kim@authority.example\nX: 1", "a\x00@b.c"]
)
def test_an_address_cannot_make_headers(to: str) -> None:
    with pytest.raises(ValueError, match="header"):
        compose(to=to)


def test_a_long_headline_is_cut_in_the_subject_only() -> None:
    message = compose(NoticeText("word " * 100))
    assert len(message["Subject"]) <= 150
    assert "word " * 99 in " ".join(message.get_content().split())


@pytest.mark.parametrize(
    ("catcher", "status"),
    [
        (Catcher(recipient="550 no such mailbox"), 550),
        (Catcher(recipient="451 greylisted, come again"), 451),
        (Catcher(data="554 not wanted"), 554),
    ],
)
async def test_what_the_mail_server_refuses_is_told(catcher: Catcher, status: int) -> None:
    with catching(catcher) as server, mailing(server) as mailer:
        made = await mailer.send(compose(), TO)
    assert (made.outcome, made.status) == ("refused", status)
    assert catcher.caught == []


async def test_an_address_in_any_script_is_reached() -> None:
    catcher = Catcher()
    with catching(catcher) as server, mailing(server) as mailer:
        made = await mailer.send(compose(to="김@authority.example"), "김@authority.example")
    assert made.outcome == "delivered"
    assert catcher.caught[0][1] == ["김@authority.example"]


async def test_a_mail_server_that_does_not_serve_is_our_own_fault() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        server = MailServer(host="127.0.0.1", port=silent.getsockname()[1], encryption="none")
        with mailing(server) as mailer:
            assert (await mailer.send(compose(), TO)).outcome == "not_sent"
        silent.listen()
        with mailing(server, each_step=timedelta(seconds=0.3)) as mailer:
            began = time.monotonic()
            assert (await mailer.send(compose(), TO)).outcome == "not_sent"
            assert time.monotonic() - began < 2
        with mailing(server, deadline=timedelta(seconds=0.2), each_step=timedelta(seconds=0.5)) as mailer:
            made = await mailer.send(compose(), TO)
            assert (made.outcome, "more than" in made.words) == ("not_sent", True)


def check_login(_: Any, __: Any, ___: Any, ____: Any, given: Any) -> AuthResult:
    return AuthResult(success=(given.login, given.password) == (b"cab", b"p@ss/word"))


def logging_in(authority: trustme.CA, host: str) -> dict[str, Any]:
    return {
        "tls_context": certified(host, authority),
        "require_starttls": True,
        "authenticator": check_login,
        "auth_required": True,
    }


@pytest.mark.parametrize(
    ("certificate", "password", "outcome"),
    [("127.0.0.1", "p%40ss%2Fword", "delivered"), ("127.0.0.1", "wrong", "not_sent"), ("a.b", "x", "not_sent")],
)
async def test_starttls_and_login(certificate: str, password: str, outcome: str) -> None:
    authority, catcher = trustme.CA(), Catcher()
    with catching(catcher, **logging_in(authority, certificate)) as plain:
        server = read_mail_server(f"smtp://cab:{password}@127.0.0.1:{plain.port}")
        assert server.encryption == "starttls"
        with mailing(server, trust=trusting(authority), each_step=timedelta(seconds=1)) as mailer:
            made = await mailer.send(compose(), TO)
    assert made.outcome == outcome
    assert len(catcher.caught) == (outcome == "delivered")
    assert "word" not in made.words


async def test_a_server_without_starttls_gets_nothing_when_it_was_asked_for() -> None:
    catcher = Catcher()
    with catching(catcher) as plain, mailing(read_mail_server(f"smtp://127.0.0.1:{plain.port}")) as mailer:
        made = await mailer.send(compose(), TO)
    assert (made.outcome, catcher.caught) == ("not_sent", [])


async def test_tls_from_the_first_byte() -> None:
    authority, catcher = trustme.CA(), Catcher()
    context: ssl.SSLContext = certified("127.0.0.1", authority)
    with catching(catcher, ssl_context=context) as plain:
        server = read_mail_server(f"smtps://127.0.0.1:{plain.port}")
        with mailing(server, trust=trusting(authority)) as mailer:
            assert (await mailer.send(compose(), TO)).outcome == "delivered"


def test_the_way_out_is_marked_by_this_registry() -> None:
    sealer = Sealer([bytes(32)], os.urandom)
    address = unsubscribe_address(PUBLIC, "e-0000000000000001", sealer)
    endpoint, mark = address.removeprefix(f"{PUBLIC}/unsubscribe/").split("/")
    assert sealer.is_marked("unsubscribe", endpoint, mark)


READ: list[tuple[str, Callable[[MailServer], bool]]] = [
    ("smtps://mail.example", lambda server: (server.port, server.encryption) == (465, "tls")),
    ("smtp://mail.example", lambda server: (server.port, server.encryption, server.user) == (587, "starttls", "")),
    ("smtp://a%40b:c@mail.example:25?tls=starttls", lambda server: (server.user, server.port) == ("a@b", 25)),
    ("smtp://mail.example:25?tls=none", lambda server: server.encryption == "none"),
    ("smtp://a:b@localhost:25?tls=none", lambda server: (server.user, server.password) == ("a", "b")),
]


@pytest.mark.parametrize(("url", "right"), READ)
def test_a_mail_server_is_read(url: str, right: Callable[[MailServer], bool]) -> None:
    assert right(read_mail_server(url))


@pytest.mark.parametrize(
    "url",
    [
        "", "mail.example", "http://mail.example", "smtp://", "smtp://mail.example?tls=maybe", "smtp://mail.example:x",
        "smtp://mail.example?tls=tls", "smtp://mail.example/path", "smtp://mail.example?more=1", "smtp://mail.example#a",
        "smtp://cab:secret@mail.example?tls=none",
    ],
)  # fmt: skip
def test_what_is_no_mail_server_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match=r"expected|encryption") as refused:
        read_mail_server(url)
    assert "secret" not in str(refused.value)
