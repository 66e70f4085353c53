"""`cab dev` and `cab serve` as processes: from nothing to an answer, served, ended, found again."""

import asyncio
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from cab_cli.dev import FIRST_QUESTION
from cab_cli.exits import Exit
from cab_cli.main import app
from cab_cli.sockets import listen
from cab_registry.services.delivery.sealing import KEY_FILE
from cab_registry.storage.cluster import Cluster, find_binaries, find_postmaster
from cab_registry.storage.engine import create_engine

START = [sys.executable, "-c", "from cab_cli.main import run; run()"]
PATIENCE_SECONDS = 60
Launch = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the account of the database can reach, which pytest's own is not when root made it."""
    place = Path(tempfile.mkdtemp(prefix="cab-test-", dir="/var/tmp"))
    place.chmod(0o755)
    yield place / "kept"
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "CAB_DATA_FOLDER": str(folder), "CAB_METRICS_PORT": "0"}


@pytest.fixture
def launch(environment: dict[str, str]) -> Iterator[Launch]:
    running: list[subprocess.Popen[str]] = []

    def start(*words: str, **more: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [*START, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**environment, **more},
        )
        running.append(process)
        return process

    yield start
    for process in running:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)


def read_address(process: "subprocess.Popen[str]", pattern: str) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(pattern, line):
            return found[1]
    raise AssertionError("the process ended before it told its address")


@pytest.mark.timeout(180)
def test_once_answers_from_nothing_and_again_from_what_was_kept(folder: Path, environment: dict[str, str]) -> None:
    answers, keys = [], set[str]()
    for expected in ("Upgraded from an empty database", "0 added, 0 amended, 0 conflicts"):
        started = time.monotonic()
        done = subprocess.run(
            [*START, "dev", "--once"], check=False, capture_output=True, text=True, env=environment, timeout=120
        )
        assert done.returncode == Exit.DONE, done.stderr
        assert expected in done.stderr
        assert f"kept in {folder}" in done.stderr
        assert time.monotonic() - started < 60
        answers.append(done.stdout)
        assert stat.S_IMODE((folder / KEY_FILE).stat().st_mode) == 0o600
        keys.add((folder / KEY_FILE).read_text())
        assert find_postmaster(folder / "data") is None
    assert answers[0] == answers[1]
    assert len(keys) == 1
    assert "─ ACCEPTED ─" in answers[0]
    assert "us-eu-gmp-human-eu" in answers[0]


async def logins_of(url: str) -> set[str]:
    """Who is connected to a database, the one that asks left out."""
    engine = create_engine(url)
    async with engine.connect() as connection:
        found = await connection.scalars(
            text(
                "SELECT usename FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
        )
        names = {str(name) for name in found}
    await engine.dispose()
    return names


@pytest.mark.timeout(180)
def test_it_serves_until_it_is_told_to_end(folder: Path, launch: Launch) -> None:
    service = launch("dev", "--port", "0")
    address = read_address(service, r"Questions: (http://\S+)/v1")
    checked = httpx.post(f"{address}/v1/acceptance", json=FIRST_QUESTION, trust_env=False)
    assert checked.json()["verdict"] == "accepted"

    port = address.rpartition(":")[2]
    second = launch("dev", "--port", port)
    _, said = second.communicate(timeout=PATIENCE_SECONDS)
    assert second.returncode == Exit.UNAVAILABLE
    assert f"Port {port} on 127.0.0.1 is in use" in said

    beside = launch("dev", "--once")
    answered, said = beside.communicate(timeout=PATIENCE_SECONDS)
    assert "shared with the process that started it" in said
    assert "ACCEPTED" in answered
    # Neither the service nor the jobs have more rights than they need.
    owner = Cluster.kept(folder, find_binaries(os.environ))
    with owner:
        logins = asyncio.run(logins_of(owner.url()))
    assert logins == {"cab_service"}
    status = launch("db", "status")
    assert status.wait(PATIENCE_SECONDS) == Exit.DONE
    assert find_postmaster(folder / "data") is not None

    service.send_signal(signal.SIGTERM)
    answered, said = service.communicate(timeout=PATIENCE_SECONDS)
    assert service.returncode == Exit.DONE, said
    assert "Stopped." in said
    assert "ACCEPTED" in answered
    assert find_postmaster(folder / "data") is None


@pytest.mark.timeout(120)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_ends_cleanly_while_it_is_starting(folder: Path, launch: Launch, number: signal.Signals) -> None:
    service = launch("dev", "--port", "0")
    read_address(service, r"(Database: )")
    service.send_signal(number)
    _, said = service.communicate(timeout=PATIENCE_SECONDS)
    assert service.returncode == Exit.DONE, said
    assert "Traceback" not in said
    assert find_postmaster(folder / "data") is None


@pytest.mark.timeout(120)
def test_a_server_left_behind_is_found(folder: Path, launch: Launch) -> None:
    left = launch("dev", "--port", "0")
    read_address(left, r"(Questions)")
    left.kill()
    left.communicate()
    assert find_postmaster(folder / "data") is not None
    again = launch("dev", "--once")
    answered, said = again.communicate(timeout=PATIENCE_SECONDS)
    assert "found running and adopted" in said
    assert "ACCEPTED" in answered
    assert find_postmaster(folder / "data") is None


@pytest.mark.timeout(120)
def test_the_production_server_answers_and_ends(database_url: str, launch: Launch) -> None:
    assert CliRunner().invoke(app, ["catalogue", "load", "--database-url", database_url]).exit_code == Exit.DONE
    service = launch("serve", "--port", "0", CAB_DATABASE_URL=database_url)
    address = read_address(service, r"Serving on (http://\S+)\.")
    deadline = time.monotonic() + PATIENCE_SECONDS
    verdict = None
    while verdict is None and time.monotonic() < deadline:
        try:
            reply = httpx.post(f"{address}/v1/acceptance", json=FIRST_QUESTION, trust_env=False)
            verdict = reply.json().get("verdict")
        except httpx.TransportError:
            time.sleep(0.1)
    assert verdict == "accepted"
    service.send_signal(signal.SIGTERM)
    _, said = service.communicate(timeout=PATIENCE_SECONDS)
    assert service.returncode == Exit.DONE, said


def test_production_does_not_bring_a_database_of_its_own(launch: Launch) -> None:
    service = launch("serve")
    _, said = service.communicate(timeout=PATIENCE_SECONDS)
    assert service.returncode == Exit.REFUSED
    assert "CAB_DATABASE_URL" in said


def test_production_refuses_a_database_that_is_not_migrated(empty_database_url: str, launch: Launch) -> None:
    service = launch("serve", CAB_DATABASE_URL=empty_database_url)
    _, said = service.communicate(timeout=PATIENCE_SECONDS)
    assert service.returncode == Exit.REFUSED
    assert "cab db upgrade" in said


def test_a_port_in_use_is_told_before_anything_is_started(launch: Launch, folder: Path) -> None:
    with listen("127.0.0.1", 0) as taken:
        service = launch("dev", "--port", str(taken.getsockname()[1]))
        _, said = service.communicate(timeout=PATIENCE_SECONDS)
    assert service.returncode == Exit.UNAVAILABLE
    assert "is in use" in said
    assert not folder.exists()
