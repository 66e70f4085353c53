"""The way to a server: time-outs, repeated attempts where repeating is harmless, and refusals in the server's words."""

import ipaddress
import ssl
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import msgspec

from cab_cli.connecting import explain, hold_registry
from cab_cli.group import Conflict, ServerFailure
from cab_registry import __version__
from cab_registry.domain.errors import Fault, OperationalFault, Refusal

if TYPE_CHECKING:
    import httpx

DEFAULT_SERVER: Final = "http://127.0.0.1:8000"
CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 30.0
ATTEMPTS: Final = 3
FIRST_PAUSE_SECONDS: Final = 0.3
LONGEST_PAUSE_SECONDS: Final = 10.0
_PASSING: Final = frozenset({429, 502, 503, 504})
_BETWEEN: Final = frozenset({407, 500})
"""What something between says, or a server that has a bug: it may say it in any form."""

_ANYTHING: Final = "*/*"
_SCHEMES: Final = frozenset({"http", "https"})
_ABSENT: Final = 404
_CONFLICTS: Final = frozenset({409, 412})


class NotFound(Refusal):
    """The register has no such record."""


class Client:
    """A connection to one server. Every call here only reads, so each may be repeated."""

    def __init__(self, server: str, *, attempts: int = ATTEMPTS) -> None:
        import httpx

        self.server = server.rstrip("/")
        self._attempts = attempts
        try:
            address = httpx.URL(self.server)
            near = _is_loopback(address.host)
            self._http = httpx.Client(
                base_url=self.server,
                timeout=_patience(ANSWER_SECONDS),
                headers={"accept": "application/json", "user-agent": f"cab/{__version__}"},
                # To read all that this machine trusts takes longer than an answer, and here nothing is asked of it.
                verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if near and address.scheme == "http" else True,
                # Proxies of the environment are for the world outside; this machine is never reached through one.
                trust_env=not near,
                follow_redirects=True,
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise Refusal(f"{server!r} is not the address of a server: {error}") from None
        if self._http.base_url.scheme not in _SCHEMES or not self._http.base_url.host:
            hint = f"write it with its scheme, for example {DEFAULT_SERVER}"
            raise Refusal(f"{server!r} is not the address of a server", (Fault("--server", hint),))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, where: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, path: str, parameters: Mapping[str, str | None], *, seconds: float = ANSWER_SECONDS) -> Any:
        """Read a document; a parameter without a value is left out, and `seconds` are waited for the answer.

        Raises:
            NotFound: the register has no such record.
        """
        given = {name: value for name, value in parameters.items() if value is not None}
        return msgspec.json.decode(self._call("GET", path, params=given, timeout=_patience(seconds)).content)

    def fetch(self, path: str, parameters: Mapping[str, str | None]) -> bytes:
        """Read what is no JSON, as it was sent; a parameter without a value is left out.

        Raises:
            NotFound: the server has no such address.
        """
        given = {name: value for name, value in parameters.items() if value is not None}
        return self._call("GET", path, params=given, headers={"accept": _ANYTHING}).content

    def ask(self, question: dict[str, Any]) -> bytes:
        """Put a question and return the server's document untouched; asking twice changes nothing."""
        return self._call("POST", "/v1/acceptance", json=question).content

    def _call(self, method: str, path: str, *, attempts: int | None = None, **parts: Any) -> "httpx.Response":
        import httpx

        pause, problem = FIRST_PAUSE_SECONDS, ""
        most = attempts or self._attempts
        for attempt in range(1, most + 1):
            try:
                response = self._http.request(method, path, **parts)
            except (httpx.TransportError, httpx.TooManyRedirects) as error:
                problem = explain(error, self.server, _seconds_of(parts.get("timeout")))
            except httpx.InvalidURL as error:
                raise Refusal(f"{self.server!r} is not the address of a server: {error}") from None
            else:
                if response.status_code not in _PASSING:
                    if response.request.headers.get("accept") != _ANYTHING and response.status_code not in _BETWEEN:
                        hold_registry(response, self.server)
                    return read_reply(response)
                problem = f"{self.server} is unavailable: {_title(response)}"
                pause = max(pause, _asked_pause(response))
            if attempt == most or pause > LONGEST_PAUSE_SECONDS:
                break
            time.sleep(pause)
            pause *= 2
        raise OperationalFault(problem)


def read_reply(response: "httpx.Response") -> "httpx.Response":
    """Give back a reply that is an answer.

    Raises:
        Refusal: the server refuses what was sent; every fault that it lists is in it.
        NotFound: the server has no such record, or no such address.
        Conflict: the server refuses because somebody else changed something.
        ServerFailure: the server has a bug.
    """
    if response.is_success:
        return response
    title = _title(response)
    if response.is_server_error:
        raise ServerFailure(f"the server failed: {title}")
    kind = Conflict if response.status_code in _CONFLICTS else NotFound if response.status_code == _ABSENT else Refusal
    problem = _problem(response)
    raise kind(title, (*_faults(problem), *_differences(problem)), more=problem.get("more") is True)


def _problem(response: "httpx.Response") -> dict[str, Any]:
    try:
        problem = msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        return {}
    return problem if isinstance(problem, dict) else {}


def _title(response: "httpx.Response") -> str:
    problem = _problem(response)
    title, detail = (str(problem.get(key, "")) for key in ("title", "detail"))
    same = title.lower() == detail.lower()
    words = ": ".join(part for part in (title, "" if same else detail) if part)
    words = words or f"status {response.status_code} from {response.url.path}"
    request = problem.get("request_id")
    return f"{words} (request {request})" if request else words


def _faults(problem: dict[str, Any]) -> list[Fault]:
    listed = [each for each in problem.get("faults", []) if isinstance(each, dict)]
    return [Fault(str(each.get("pointer", "")), str(each.get("message", ""))) for each in listed]


def _differences(problem: dict[str, Any]) -> Iterator[Fault]:
    """Tell of each record that was changed meanwhile by whom, why, and how."""
    for each in problem.get("differences", []):
        yield Fault(str(each["id"]), f"version {each['expected']} was read, version {each['found']} stands now")
        for version in each.get("since", []):
            why = f": {version['public_reason']}" if version["public_reason"] else ""
            yield Fault("", f"  version {version['version']}, by {version['principal']}{why}")
        yield from (Fault("", f"  {words}") for words in each.get("changes", []))


def _asked_pause(response: "httpx.Response") -> float:
    wanted = response.headers.get("retry-after", "")
    return float(wanted) if wanted.isdigit() else 0.0


def _patience(seconds: float) -> "httpx.Timeout":
    import httpx

    return httpx.Timeout(seconds, connect=CONNECT_SECONDS)


def _seconds_of(timeout: object) -> float:
    read = getattr(timeout, "read", timeout)
    return float(read) if isinstance(read, int | float) else ANSWER_SECONDS


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
