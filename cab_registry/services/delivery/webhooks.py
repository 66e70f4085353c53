"""Webhooks: signed as Standard Webhooks says, sent once to the vetted address, and what came of it."""

from __future__ import annotations

import asyncio
import hmac
import ssl
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Final

import httpx

from cab_registry import __version__
from cab_registry.services.delivery.addresses import AddressForbidden, AddressRefused, Resolver, Vetted, vet
from cab_registry.services.delivery.attempts import Attempt
from cab_registry.services.logs import make_logger
from cab_registry.settings import Network

PREFIX: Final = "whsec_"
SECRET_LENGTH: Final = 32
SECRETS_AT_ONCE: Final = 2
"""How many secrets sign while one is being replaced."""

DEADLINE: Final = timedelta(seconds=10)
CONNECTING: Final = timedelta(seconds=5)
LONGEST_ANSWER: Final = 64 * 1024

_TRIED_IPS: Final = 3
_WAITING: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


def make_secret(random: Callable[[int], bytes]) -> str:
    """Make a secret in the form in which receivers take it."""
    return PREFIX + b64encode(random(SECRET_LENGTH)).decode()


def join_secrets(secrets: Sequence[str]) -> bytes:
    """Give the secrets of an endpoint as they are sealed, the newest first; older ones than two are left out."""
    return " ".join(secrets[:SECRETS_AT_ONCE]).encode()


def split_secrets(joined: bytes) -> tuple[str, ...]:
    """Give the secrets of an endpoint, the newest first."""
    return tuple(joined.decode().split())


def sign(secrets: Sequence[str], notice: str, at: datetime, body: bytes) -> dict[str, str]:
    """Give the headers that let a receiver hold that a notice is ours and is of now, one signature for each secret."""
    second = int(at.timestamp())
    signed = f"{notice}.{second}.".encode() + body
    made = (hmac.digest(b64decode(secret.removeprefix(PREFIX)), signed, sha256) for secret in secrets)
    return {
        "webhook-id": notice,
        "webhook-timestamp": str(second),
        "webhook-signature": " ".join(f"v1,{b64encode(each).decode()}" for each in made),
    }


class WebhookSender:
    """Sends webhooks: no proxy, no redirect, a connection of its own each, to nothing but what was vetted.

    A connection is never used again: connections are told apart by IP address, and one IP address has many hosts.
    """

    def __init__(
        self,
        resolver: Resolver,
        allowed_networks: Sequence[Network] = (),
        *,
        trust: ssl.SSLContext | None = None,
        deadline: timedelta = DEADLINE,
        connecting: timedelta = CONNECTING,
    ) -> None:
        self._resolver = resolver
        self._networks = tuple(allowed_networks)
        self._deadline = deadline.total_seconds()
        self._client = httpx.AsyncClient(
            verify=trust or httpx.create_ssl_context(),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(self._deadline, connect=connecting.total_seconds()),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            headers={"User-Agent": f"cab-registry/{__version__}", "Accept": "*/*", "Accept-Encoding": "identity"},
        )

    async def close(self) -> None:
        """Let go of what is open."""
        await self._client.aclose()

    async def send(self, address: str, secrets: Sequence[str], notice: str, body: bytes, at: datetime) -> Attempt:
        """Send a notice once and say what came of it; the answer must be there within the deadline."""
        try:
            async with asyncio.timeout(self._deadline):
                vetted = await vet(address, self._resolver, self._networks)
                return await self._post(vetted, sign(secrets, notice, at, body), body, at)
        except AddressForbidden as refusal:
            make_logger().info("address_refused", notice=notice, reason=refusal.detail)
            return Attempt(outcome="unreachable", words=refusal.reason)
        except AddressRefused as refusal:
            return Attempt(outcome="forbidden_address", words=refusal.reason)
        except (TimeoutError, httpx.TimeoutException):
            return Attempt(outcome="timeout", words=f"no whole answer within {self._deadline:g} seconds")
        except httpx.TransportError as fault:
            return _lost(fault)

    async def _post(self, vetted: Vetted, signature: dict[str, str], body: bytes, at: datetime) -> Attempt:
        headers = {"Content-Type": "application/json", "Host": vetted.authority, **signature}
        *others, last = vetted.ips[:_TRIED_IPS]
        for ip in (*others, last):
            request = self._client.build_request(
                "POST",
                vetted.url_at(ip),
                content=body,
                headers=headers,
                extensions={"sni_hostname": vetted.host},
            )
            try:
                response = await self._client.send(request, stream=True)
            except (httpx.ConnectError, httpx.ConnectTimeout) as fault:
                if ip == last or _certificate_fault(fault):
                    raise
                continue
            try:
                await _read_some(response)
            finally:
                await response.aclose()
            return _judge(response, at)
        raise AssertionError("a vetted address has an IP address")


async def _read_some(response: httpx.Response) -> None:
    length = 0
    async for chunk in response.aiter_raw():
        length += len(chunk)
        if length >= LONGEST_ANSWER:
            return


def _judge(response: httpx.Response, at: datetime) -> Attempt:
    status = response.status_code
    words = f"{status} {httpx.codes.get_reason_phrase(status)}".strip()
    if 200 <= status < 300:
        return Attempt(outcome="delivered", status=status, words=words)
    if status == HTTPStatus.GONE:
        return Attempt(outcome="gone", status=status, words=words)
    if 300 <= status < 400:
        return Attempt(outcome="redirected", status=status, words=f"{words}: redirects are not followed")
    wait = _retry_after(response.headers.get("retry-after"), at) if status in _WAITING else None
    return Attempt(outcome="refused", status=status, words=words, retry_after=wait)


def _retry_after(value: str | None, at: datetime) -> timedelta | None:
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 10**8))
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(until - at, timedelta())


def _lost(fault: httpx.TransportError) -> Attempt:
    if (wrong := _certificate_fault(fault)) is not None:
        return Attempt(outcome="certificate", words=wrong)
    if isinstance(fault, httpx.ConnectError):
        return Attempt(outcome="unreachable", words="no connection could be made")
    return Attempt(outcome="unreachable", words="the connection was lost before a whole answer came")


def _certificate_fault(fault: BaseException) -> str | None:
    seen: BaseException | None = fault
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return f"the certificate is not accepted: {seen.verify_message}"
        seen = seen.__cause__ or seen.__context__
    return None
