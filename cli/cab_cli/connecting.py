"""Why a server cannot be reached, or is not a registry, in plain words: what is wrong and what to do."""

import socket
import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import msgspec

from cab_registry.domain.errors import Refusal

if TYPE_CHECKING:
    import httpx

CHOOSE: Final = "`make run`, or set CAB_SERVER"
_LOOK: Final = "Check --server or CAB_SERVER"
_RESOLVING: Final = ("name or service not known", "temporary failure in name resolution", "nodename nor servname")


class NotARegistry(Refusal):
    """Something answers at the address, and it is not a registry."""


def explain(fault: "httpx.TransportError | httpx.TooManyRedirects", server: str, seconds: float) -> str:
    """Say why a request got no answer, without the numbers of the operating system.

    Args:
        fault: what the connection came to.
        server: the address that was asked, as the reader wrote it.
        seconds: for how long an answer was waited for.
    """
    return f"{server} cannot be reached: {_explain(fault, seconds)}"


def name_fault(fault: "httpx.TransportError | httpx.TooManyRedirects", address: str, seconds: float) -> str:
    """Say why an address got no answer, without advice on registries."""
    return explain(fault, address, seconds).partition(". ")[0]


def _explain(fault: Exception, seconds: float) -> str:
    import httpx

    causes = list(_causes(fault))
    said = str(fault).lower()
    if isinstance(fault, httpx.ProxyError):
        return "the proxy of the environment (HTTP_PROXY, HTTPS_PROXY) does not let it through"
    if isinstance(fault, httpx.TooManyRedirects):
        return f"it sends from one address to the next without an end. {_LOOK}"
    if any(isinstance(each, ssl.SSLError) for each in causes) or "ssl" in said or "tls" in said:
        return _explain_tls(causes, said)
    if any(isinstance(each, socket.gaierror) for each in causes) or any(each in said for each in _RESOLVING):
        return f"no machine of that name is known. {_LOOK}, and your network"
    if isinstance(fault, httpx.ConnectTimeout):
        return f"it does not answer. Is the service running, and open to you? {CHOOSE}"
    if isinstance(fault, httpx.TimeoutException):
        return f"it took the request and did not answer within {seconds:g} seconds. Try again, or ask its operator"
    if isinstance(fault, httpx.ConnectError):
        return f"nothing answers there. Is the service running? {CHOOSE}"
    if isinstance(fault, httpx.RemoteProtocolError) and "disconnected" not in said and "closed" not in said:
        return f"what answers there does not speak HTTP. {_LOOK}; is it https where you wrote http?"
    return "the connection was cut. Try again; if it stays so, ask its operator"


def _explain_tls(causes: list[BaseException], said: str) -> str:
    refused = next((each for each in causes if isinstance(each, ssl.SSLCertVerificationError)), None)
    if refused is not None or "certificate" in said:
        why = f" ({refused.verify_message})" if refused is not None and refused.verify_message else ""
        return f"its certificate cannot be trusted{why}. {_LOOK}, or SSL_CERT_FILE for an authority of your own"
    return f"no secure connection came about. {_LOOK}; is it http where you wrote https?"


def _causes(fault: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    each: BaseException | None = fault
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__ or each.__context__


def hold_registry(response: "httpx.Response", server: str) -> None:
    """Hold that what answered is a registry: whatever it says, it says in JSON.

    Raises:
        NotARegistry: it is not, or it only sends on to another address.
    """
    target = response.headers.get("location")
    if response.is_redirect and target:
        moved = str(response.url.join(target)).partition("/v1/")[0]
        raise NotARegistry(f"{server} sends on to {moved}: set CAB_SERVER, or --server, to that address")
    try:
        msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        kind = response.headers.get("content-type", "").partition(";")[0].strip() or "no content type"
        answered = f"it answered with status {response.status_code} and {kind}, where a registry answers with JSON"
        raise NotARegistry(f"{server} is not a registry: {answered}. {_LOOK}") from None
