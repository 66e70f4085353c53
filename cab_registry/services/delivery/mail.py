"""Notices as mail: plain text, with a way out in each, over any mail server."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from typing import Final

import msgspec

from cab_registry.services.delivery.attempts import Attempt
from cab_registry.services.delivery.sealing import Sealer
from cab_registry.services.logs import make_logger
from cab_registry.settings import MailServer

MOST_AT_ONCE: Final = 4
DEADLINE: Final = timedelta(seconds=60)
EACH_STEP: Final = timedelta(seconds=15)
UNSUBSCRIBING: Final = "unsubscribe"
"""The purpose of the mark in the address of the way out."""

_LONGEST_LINE: Final = 998
_WAY_OUT: Final = "List-Unsubscribe"
_ONE_CLICK: Final = "List-Unsubscribe-Post"
_WHOLE: Final = frozenset((_WAY_OUT, _ONE_CLICK))
_LONGEST_SUBJECT: Final = 150
_PERMANENT: Final = range(500, 600)


class Link(msgspec.Struct, frozen=True):
    """Where more is to be read; an address that starts with / is of this registry."""

    title: str
    address: str


class NoticeText(msgspec.Struct, frozen=True):
    """What every notice says in words."""

    headline: str
    sentences: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()


class _Payload(msgspec.Struct, frozen=True):
    data: NoticeText


def read_notice(payload: bytes) -> NoticeText:
    """Read the words of a notice from its payload.

    Raises:
        msgspec.MsgspecError: it has none.
    """
    return msgspec.json.decode(payload, type=_Payload).data


def unsubscribe_address(public_address: str, endpoint: str, sealer: Sealer) -> str:
    """The address that ends all mail to an endpoint: opened, it asks; with a POST, it does so (RFC 8058)."""
    return f"{public_address}/unsubscribe/{endpoint}/{sealer.mark(UNSUBSCRIBING, endpoint)}"


class _WholePolicy(EmailPolicy):
    """Writes what leads out as it stands: on one line, however long, with no encoded words (RFC 8058)."""

    def fold(self, name: str, value: str) -> str:
        return f"{name}: {value}{self.linesep}" if name in _WHOLE else super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode() if name in _WHOLE else super().fold_binary(name, value)


class Composer:
    """Writes mails that come from one address and lead to one registry."""

    def __init__(self, mail_from: str, public_address: str) -> None:
        self._from = mail_from
        self._public = public_address
        self._domain = parseaddr(mail_from)[1].rpartition("@")[2]

    def compose(self, notice: str, texts: Sequence[NoticeText], to: str, way_out: str, at: datetime) -> EmailMessage:
        """Write the mail of a notice, or of several together; line breaks in the words cannot make headers.

        Args:
            notice: id of the first notice, by which repeated mails are told.
            texts: what each says, one at least.
            to: the mail address.
            way_out: the address that ends all mail to it.
            at: when it is sent.

        Raises:
            ValueError: the mail address, or the way out, is none that a header can carry.
        """
        if not _fits_header(way_out) or not to.isprintable():
            raise ValueError("a header cannot carry this address")
        message = EmailMessage(policy=_WholePolicy(linesep="\r\n", utf8=not to.isascii()))
        message["From"] = self._from
        message["To"] = to
        message["Subject"] = _subject(_headline(texts))
        message["Date"] = format_datetime(at)
        message["Message-ID"] = f"<{notice}@{self._domain}>"
        message[_WAY_OUT] = f"<{way_out}>"
        message[_ONE_CLICK] = "List-Unsubscribe=One-Click"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(self._body(texts, way_out), cte="quoted-printable")
        return message

    def _body(self, texts: Sequence[NoticeText], way_out: str) -> str:
        paragraphs = [_headline(texts), "\n".join(_list(texts))] if len(texts) > 1 else []
        for number, text in enumerate(texts, 1):
            paragraphs += self._paragraphs(text, f"{number}. " if len(texts) > 1 else "")
        paragraphs.append(f"-- \nThis registry: {self._public}/\nNo more mail to this address: {way_out}")
        return "\n\n".join(paragraphs) + "\n"

    def _paragraphs(self, text: NoticeText, mark: str) -> list[str]:
        links = [f"{_line(each.title)}: {self._whole(each.address)}" for each in text.links]
        paragraphs = [f"{mark}{_line(text.headline)}", *(_line(each) for each in text.sentences)]
        return [*paragraphs, "\n".join(links)] if links else paragraphs

    def _whole(self, address: str) -> str:
        return self._public + address if address.startswith("/") else _line(address)


class Mailer:
    """Hands mails to a mail server, in threads of its own, so that a slow one delays nothing else."""

    def __init__(
        self,
        server: MailServer,
        *,
        trust: ssl.SSLContext | None = None,
        deadline: timedelta = DEADLINE,
        each_step: timedelta = EACH_STEP,
    ) -> None:
        self._server = server
        self._trust = trust or ssl.create_default_context()
        self._deadline = deadline.total_seconds()
        self._step = each_step.total_seconds()
        self._threads = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="mail")

    def close(self) -> None:
        """Let go of the threads; one that still waits for the mail server ends by its own time limit."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def send(self, message: EmailMessage, to: str) -> Attempt:
        """Hand over a mail once and say what came of it."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._deadline):
                return await loop.run_in_executor(self._threads, self._hand_over, message, to)
        except TimeoutError:
            return Attempt(outcome="not_sent", words=f"the mail server took more than {self._deadline:g} seconds")

    def _hand_over(self, message: EmailMessage, to: str) -> Attempt:
        try:
            connection = self._connect()
        except (OSError, smtplib.SMTPException) as fault:
            return _unserved(fault)
        try:
            connection.send_message(message, to_addrs=[to])
            # It is taken; what goes wrong with the farewell changes nothing.
            with suppress(OSError):
                connection.quit()
        except smtplib.SMTPRecipientsRefused as refusal:
            return _refused(*refusal.recipients[to])
        except smtplib.SMTPDataError as refusal:
            return _refused(refusal.smtp_code, refusal.smtp_error)
        except smtplib.SMTPNotSupportedError:
            return Attempt(outcome="refused", words="the mail server takes no such address")
        except (OSError, smtplib.SMTPException) as fault:
            return _unserved(fault)
        finally:
            connection.close()
        return Attempt(outcome="delivered", status=250, words="the mail server took it")

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        connection: smtplib.SMTP
        if server.encryption == "tls":
            connection = smtplib.SMTP_SSL(server.host, server.port, timeout=self._step, context=self._trust)
        else:
            connection = smtplib.SMTP(server.host, server.port, timeout=self._step)
        try:
            if server.encryption == "starttls":
                connection.starttls(context=self._trust)
            if server.user:
                connection.login(server.user, server.password)
        except BaseException:
            connection.close()
            raise
        return connection


def _unserved(fault: Exception) -> Attempt:
    return Attempt(outcome="not_sent", words=f"the mail server does not serve: {type(fault).__name__}")


def _refused(status: int, said: bytes | str) -> Attempt:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    # What it said names machines of the operator: it is for the log, the status for whoever wanted the mail.
    make_logger().info("mail_refused", status=status, said=" ".join(text.split())[:_LONGEST_SUBJECT])
    kind = "for good" if status in _PERMANENT else "for now"
    return Attempt(outcome="refused", status=status, words=f"the mail server refused it {kind}")


def _fits_header(address: str) -> bool:
    """Whether an address can stand in a header as it is: visible ASCII, on one line of a mail."""
    line = f"{_WAY_OUT}: <{address}>"
    return address.isascii() and address.isprintable() and " " not in address and len(line) <= _LONGEST_LINE


def _headline(texts: Sequence[NoticeText]) -> str:
    return _line(texts[0].headline) if len(texts) == 1 else f"{len(texts)} notices for you"


def _list(texts: Sequence[NoticeText]) -> list[str]:
    return [f"{number}. {_line(text.headline)}" for number, text in enumerate(texts, 1)]


def _subject(headline: str) -> str:
    line = _line(headline)
    return line if len(line) <= _LONGEST_SUBJECT else line[: _LONGEST_SUBJECT - 1] + "\u2026"


def _line(text: str) -> str:
    return " ".join(_printable(text.split()))


def _printable(words: Sequence[str]) -> list[str]:
    return ["".join(letter for letter in word if letter.isprintable()) for word in words]
