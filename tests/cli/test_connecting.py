"""A server that is not there, or is not a registry, is told in plain words with what to do."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from typer.testing import CliRunner

from cab_cli import client as client_module
from cab_cli.exits import Exit
from cab_cli.main import app

Take = Callable[[socket.socket], None]
RUNNING = "Is the service running? `make run`, or set CAB_SERVER"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(client_module, "_patience", lambda _: httpx.Timeout(0.3))


def cab(server: str, *words: str) -> Any:
    done = CliRunner().invoke(app, [*(words or ("show", "us-eu-mra")), "--server", server])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert done.stdout == ""
    for technical in ("Errno", "errno", "Traceback", "_ssl.c", "httpx"):
        assert technical not in done.stderr
    return done


@contextmanager
def taking(take: Take, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Take connections on a free port and do as told with each."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)

        def serve() -> None:
            while not stop.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                with connection:
                    try:
                        take(tls.wrap_socket(connection, server_side=True) if tls else connection)
                    except OSError:
                        continue

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            stop.set()
            thread.join()


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        done = cab(f"http://127.0.0.1:{free.getsockname()[1]}")
    assert done.exit_code == Exit.UNAVAILABLE
    assert RUNNING in done.stderr


def test_no_machine_has_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)

    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    done = cab("http://register.invalid")
    assert done.exit_code == Exit.UNAVAILABLE
    assert "no machine of that name is known" in done.stderr
    assert "CAB_SERVER" in done.stderr


def test_it_never_answers() -> None:
    with taking(lambda connection: threading.Event().wait(1)) as port:
        done = cab(f"http://127.0.0.1:{port}")
    assert done.exit_code == Exit.UNAVAILABLE
    assert "did not answer within" in done.stderr


@pytest.mark.parametrize(
    ("said", "told"),
    [(b"", "the connection was cut"), (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "does not speak HTTP")],
)
def test_it_hangs_up_or_speaks_something_else(said: bytes, told: str) -> None:
    def take(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(said)

    with taking(take) as port:
        done = cab(f"http://127.0.0.1:{port}")
    assert done.exit_code == Exit.UNAVAILABLE
    assert told in done.stderr


def test_its_certificate_cannot_be_trusted() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with taking(lambda connection: None, context) as port:
        done = cab(f"https://127.0.0.1:{port}")
    assert done.exit_code == Exit.UNAVAILABLE
    assert "its certificate cannot be trusted" in done.stderr


def test_it_has_no_tls() -> None:
    with taking(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad\r\n\r\n")) as port:
        done = cab(f"https://127.0.0.1:{port}")
    assert done.exit_code == Exit.UNAVAILABLE
    assert "is it http where you wrote https?" in done.stderr


@contextmanager
def answering(status: int, content: bytes, **headers: str) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 - what the server calls

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("status", [200, 404, 403])
@pytest.mark.parametrize("words", [("show", "us-eu-mra"), ("search", "x"), ("check", "{question}")])
def test_something_else_answers(status: int, words: tuple[str, ...], tmp_path: Path) -> None:
    question = tmp_path / "question.json"
    question.write_text('{"destination": "DE", "result": {"kind": "certificate"}}', "utf-8")
    with answering(status, b"<html><title>Printer</title></html>", **{"Content-Type": "text/html"}) as server:
        done = cab(server, *(word.format(question=question) for word in words))
    assert done.exit_code == Exit.REFUSED
    assert f"{server} is not a registry" in done.stderr
    assert "text/html" in done.stderr


def test_a_token_is_not_carried_to_where_it_is_sent_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAB_TOKEN", "cab_a_b")
    with answering(301, b"", Location="https://register.example/v1/me") as server:
        done = cab(server, "inbox")
    assert done.exit_code == Exit.REFUSED
    assert "sends on to https://register.example: set CAB_SERVER" in done.stderr


@pytest.mark.parametrize("server", ["register.example", "localhost:8000", "ftp://register.example", "http://", "::"])
def test_an_address_without_a_scheme_is_told_with_one_that_has_it(server: str) -> None:
    done = cab(server)
    assert done.exit_code == Exit.REFUSED
    assert "is not the address of a server" in done.stderr


def test_evidence_that_is_not_there_is_told_so_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cab_cli.writing import read_evidence
    from cab_registry.domain.errors import OperationalFault

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(OperationalFault, match="nothing answers there"):
            read_evidence(f"http://127.0.0.1:{free.getsockname()[1]}/letter.pdf")
