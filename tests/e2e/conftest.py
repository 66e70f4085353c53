"""A real browser against a real server over the catalogue. Where there is no browser nothing here is collected."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from datetime import date

import pytest
import uvicorn
from playwright.sync_api import Browser, sync_playwright

from cab_registry.app import create_scratch_app
from cab_registry.services.cases import catalogue_scratch

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
collect_ignore_glob = [] if CHROMIUM else ["test_*.py"]

QUIET = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)


def pytest_report_header() -> str:
    return f"browser: {CHROMIUM or 'none found, pages are not driven'}"


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """The address of a server over the catalogue's law, on a day that stands still."""
    register = catalogue_scratch().base(None)
    app = create_scratch_app(lambda: register, lambda: date(2026, 11, 21))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 30
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium, silent on the network."""
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield chromium
        chromium.close()
