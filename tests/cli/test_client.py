"""The way to a server: what is repeated, what is refused, and in whose words."""

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import msgspec
import pytest

from cab_cli import client as client_module
from cab_cli.client import Client, NotFound
from cab_cli.group import Conflict, ServerFailure
from cab_cli.sockets import address_of, listen
from cab_registry.domain.errors import OperationalFault, Refusal

Reply = tuple[int, dict[str, str], dict[str, Any]]
Start = Callable[[list[Reply]], "Server"]


class Server(ThreadingHTTPServer):
    """Gives the replies that it was made with, one after the other, the last one for ever."""

    replies: list[Reply]
    seen: int = 0


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        status, headers, body = self.server.replies[min(self.server.seen, len(self.server.replies) - 1)]
        self.server.seen += 1
        content = msgspec.json.encode(body)
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    monkeypatch.setattr(client_module, "FIRST_PAUSE_SECONDS", 0.01)
    running: list[tuple[Server, Thread]] = []

    def start_server(replies: list[Reply]) -> Server:
        server = Server(("127.0.0.1", 0), Handler)
        server.replies = replies
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((server, thread))
        return server

    yield start_server
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


def get(server: Server) -> Any:
    with Client(address_of(server.socket)) as client:
        return client.get("/v1/anything", {})


def test_what_passes_is_waited_for(start: Start) -> None:
    server = start([(503, {}, {"title": "busy"}), (502, {}, {}), (200, {}, {"found": True})])
    assert get(server) == {"found": True}
    assert server.seen == 3


def test_what_stays_is_an_outage(start: Start) -> None:
    server = start([(503, {}, {"title": "The register is being loaded", "detail": "again in a moment"})])
    with pytest.raises(OperationalFault, match="The register is being loaded: again in a moment"):
        get(server)
    assert server.seen == client_module.ATTEMPTS


def test_a_long_pause_is_not_waited_for(start: Start) -> None:
    server = start([(429, {"Retry-After": "3600"}, {})])
    with pytest.raises(OperationalFault):
        get(server)
    assert server.seen == 1


@pytest.mark.parametrize(("status", "kind"), [(400, Refusal), (404, NotFound), (409, Conflict), (422, Refusal)])
def test_a_refusal_lists_every_fault_and_is_not_repeated(start: Start, status: int, kind: type[Refusal]) -> None:
    faults = [{"pointer": "/a", "message": "one"}, {"pointer": "/b", "message": "two"}]
    server = start([(status, {}, {"title": "No", "detail": "because", "faults": faults})])
    with pytest.raises(kind, match="No: because") as refused:
        get(server)
    assert [str(fault) for fault in refused.value.faults] == ["/a: one", "/b: two"]
    assert server.seen == 1


def test_a_bug_of_the_server_is_told_with_its_request(start: Start) -> None:
    with pytest.raises(ServerFailure, match=r"The service failed \(request r-1\)"):
        get(start([(500, {}, {"title": "The service failed", "request_id": "r-1"})]))


def test_an_error_of_something_between_is_told(start: Start) -> None:
    with pytest.raises(Refusal, match="status 407 from /v1/anything"):
        get(start([(407, {}, {})]))


def test_this_machine_is_not_asked_through_a_proxy(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert get(start([(200, {}, {"found": True})])) == {"found": True}


def test_the_world_is_asked_through_the_proxy(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    proxy = start([(200, {}, {"by": "proxy"})])
    monkeypatch.setenv("HTTP_PROXY", address_of(proxy.socket))
    with Client("http://register.example") as client:
        assert client.get("/v1/anything", {}) == {"by": "proxy"}


def test_a_port_in_use_is_told() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(OperationalFault, match="is in use"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_an_address_of_elsewhere_is_told() -> None:
    with pytest.raises(OperationalFault, match=r"no address of this machine|cannot be taken"):
        listen("192.0.2.1", 0)
