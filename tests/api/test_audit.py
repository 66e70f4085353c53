"""What the logs say of who acted: nothing that is a secret, all that is needed, and whether they can be written."""

import errno
import json
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client import generate_latest

from cab_registry.limits import Limits
from cab_registry.register.ownership import REGISTRAR
from cab_registry.services.runtime import audit_file
from cab_registry.services.runtime.audit_log import NAME, Act, AuditLog, check_audit, configure_audit
from cab_registry.settings import Settings, SettingsError
from tests.api.test_accounts import Clock, Knock, clock, engine, enrol, knock, registrar, second
from tests.api.test_limits import acts
from tests.api.test_problems import check_shape

__all__ = ["acts", "clock", "engine", "knock", "registrar", "second"]

Lines = list[dict[str, Any]]


@pytest.fixture
def apart() -> Iterator[logging.Logger]:
    """The audit log of this process, which is as it was afterwards."""
    logger = logging.getLogger(NAME)
    yield logger
    for handler in logger.handlers[:]:
        logger.removeHandler(handler)
        handler.close()
    logger.propagate = True


SECRETS = (
    "cabi_f2337b9ea6630e28_" + "6afd4c1e" * 8,
    "CABI_f2337b9ea6630e28_" + "6afd4c1e" * 8,
    "cab_f2337b9ea6630e28_" + "6afd4c1e" * 8,
    "6afd4c1e" * 8,
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "dGhpcyBpcyBhIHNlY3JldCBvZiBzb21ld2hlcmUgZWxzZQ",
)


@pytest.mark.parametrize("secret", SECRETS)
async def test_no_secret_reaches_a_log_wherever_an_address_has_a_place_for_it(
    knock: Knock, registrar: str, acts: Lines, caplog: pytest.LogCaptureFixture, secret: str
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with knock(registrar) as client:
            addresses = sorted({re.sub(r"{[^}]*}", secret, route.path) for route in client._transport.app.routes})  # type: ignore[attr-defined]
            for path in (*addresses, f"/{secret}", f"/v1/invitations/x/{secret}", f"/v1/bodies/{secret}/x"):
                for method in ("GET", "POST", "DELETE"):
                    await client.request(method, path)
            body = {"principal": secret, "authority": secret}
            await client.post("/v1/invitations", json={**body, "roles": ["submitter"]})
            await client.post("/v1/grants", json={**body, "role": "submitter"})
            await client.delete("/v1/grants", params={**body, "role": "submitter"})
    ours = [each for each in caplog.records if each.name.startswith("cab_registry")]
    assert len(ours) > 100
    assert not [each.getMessage() for each in ours if secret.lower()[8:] in each.getMessage().lower()]


async def test_an_access_log_names_the_records_that_were_read(
    knock: Knock, registrar: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with knock(registrar) as client:
            for path in (
                "/v1/records/us-fda",
                "/v1/tokens/0123456789abcdef/rotate",
                "/nowhere/at-all.php",
                "/v1/schemas/x_y",
            ):
                await client.post(path)
                await client.get(path)
    lines = [json.loads(each.getMessage())["path"] for each in caplog.records if each.name == "cab_registry.access"]
    assert set(lines) == {
        "/v1/records/us-fda",
        "/v1/tokens/0123456789abcdef/rotate",
        "/nowhere/at-all.php",
        "/v1/schemas/x_y",
    }


async def test_an_act_upon_an_account_says_whom_and_what_it_concerns(
    knock: Knock, registrar: str, second: str, acts: Lines
) -> None:
    ana = await enrol(knock, (registrar, second), "us-nist", "submitter")
    told = {each["operation"]: each for each in acts}
    concerns = {"principal": ana["id"], "authority": "us-nist", "roles": "submitter"}
    invited = told["POST /v1/invitations"]
    assert re.fullmatch("i-[0-9a-f]{16}", invited["subject"])
    assert invited["concerns"] == concerns
    asked = told["POST /v1/grants"]
    assert re.fullmatch("g-[0-9a-f]{16}", asked["subject"])
    assert asked["concerns"] == told["POST /v1/grants/{proposal_id}/approve"]["concerns"] == concerns
    redeemed = told["POST /v1/invitations/redeem"]
    assert redeemed["subject"] == invited["subject"]
    assert redeemed["concerns"] == {"principal": ana["id"], "authority": "us-nist", "token": ana["token"]}
    acts.clear()
    async with knock(registrar) as first:
        await first.delete("/v1/grants", params={"principal": ana["id"], "authority": "us-nist", "role": "submitter"})
        await first.delete(f"/v1/tokens/{ana['token']}")
    assert (acts[0]["subject"], acts[0]["concerns"]) == (ana["id"], {"authority": "us-nist", "roles": "submitter"})
    assert (acts[1]["subject"], acts[1]["concerns"]) == (
        ana["token"],
        {"principal": ana["id"], "authority": "us-nist"},
    )


async def test_a_refused_invitation_says_which_and_why(
    knock: Knock, registrar: str, second: str, clock: Clock, acts: Lines
) -> None:
    async with knock(registrar) as first, knock() as nobody:
        codes = []
        for authority in ("us-nist", "us-fcc", REGISTRAR):
            # One invitation of a person is open at a time.
            made = (await first.post("/v1/principals", json={"name": "Ana"})).json()["id"]
            roles = ["submitter"] if authority != REGISTRAR else ["registrar"]
            invited = await first.post(
                "/v1/invitations", json={"principal": made, "authority": authority, "roles": roles, "days": 1}
            )
            codes.append((invited.json()["code"], invited.json()["invitation"]["id"]))
        await first.delete(f"/v1/invitations/{codes[1][1]}")
        await nobody.post("/v1/invitations/redeem", json={"code": codes[0][0]})
        acts.clear()
        for code in (codes[0][0], codes[1][0], codes[2][0][:-1] + "x", codes[2][0][:-64] + "0" * 64, "hush"):
            await nobody.post("/v1/invitations/redeem", json={"code": code})
        clock.now = clock.now.replace(year=clock.now.year + 1)
        await nobody.post("/v1/invitations/redeem", json={"code": codes[2][0]})
    assert {each["outcome"] for each in acts} == {"invitation-refused"}
    assert [(each["reason"], each["subject"]) for each in acts] == [
        ("redeemed", codes[0][1]),
        ("cancelled", codes[1][1]),
        ("unknown", None),
        ("unknown", codes[2][1]),
        ("unknown", None),
        ("expired", codes[2][1]),
    ]


@pytest.mark.parametrize("place", ["", "missing/audit.log", "pipe", "device"])
def test_what_is_not_a_plain_file_is_refused_and_left_as_it_is(
    tmp_path: Path, apart: logging.Logger, place: str
) -> None:
    del apart
    os.mkfifo(tmp_path / "pipe", 0o644)
    (tmp_path / "device").symlink_to("/dev/full")
    path = tmp_path / place
    before = path.stat().st_mode if path.exists() else None
    for begin in (check_audit, configure_audit):
        with pytest.raises(SettingsError, match="CAB_AUDIT_LOG"):
            begin(Limits(audit_log=path))
    assert (path.stat().st_mode if path.exists() else None) == before


def test_a_file_that_was_there_keeps_its_mode(tmp_path: Path, apart: logging.Logger) -> None:
    del apart
    path = tmp_path / "audit.log"
    path.touch(0o640)
    configure_audit(Limits(audit_log=path))
    AuditLog().record(Act(operation="cab db upgrade", outcome="done"))
    assert path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o640


def full(*_: object) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


async def test_nothing_is_done_that_cannot_be_written_down(
    knock: Knock,
    registrar: str,
    settings: Settings,
    tmp_path: Path,
    apart: logging.Logger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del apart
    given = msgspec.structs.replace(settings, audit_log=tmp_path / "audit.log")
    configure_audit(given)
    async with knock(registrar, given=given) as client:
        app = client._transport.app  # type: ignore[attr-defined]
        assert (await client.get("/v1/me")).status_code == 200
        with monkeypatch.context() as lacking:
            lacking.setattr(audit_file.os, "write", full)
            assert (await client.get("/v1/me")).status_code == 200
            refused = await client.post("/v1/principals", json={"name": "Ana"})
            assert check_shape(refused)["type"] == "/problems/not-recorded"
            assert refused.headers["retry-after"] == "60"
            counted = generate_latest(app.state.metrics.registry).decode()
            assert "cab_audit_lines_unwritten 2.0" in counted
            ready = (await client.get("/ready")).json()
            assert ready["faults"] == [
                "The audit log cannot be written: No space left on device. Nothing is changed until it can."
            ]
        assert (await client.post("/v1/principals", json={"name": "Ana"})).status_code == 201
        assert (await client.get("/ready")).json()["faults"] == []
        assert "cab_audit_lines_unwritten 0.0" in generate_latest(app.state.metrics.registry).decode()
        assert len((await client.get("/v1/principals")).json()["items"]) == 2
    lines = [json.loads(each) for each in (tmp_path / "audit.log").read_text().splitlines()]
    told = [(each["operation"], each["outcome"]) for each in lines]
    assert told[:4] == [
        ("GET /v1/me", "done"),
        ("GET /v1/me", "done"),
        ("POST /v1/principals", "not-recorded"),
        ("POST /v1/principals", "done"),
    ]


def test_a_line_is_there_as_a_whole_or_not_at_all(
    tmp_path: Path, apart: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    del apart
    path, write, left = tmp_path / "audit.log", os.write, [100]
    configure_audit(Limits(audit_log=path))

    def write_some(place: int, line: bytes) -> int:
        if not left[0]:
            return full()
        some = min(left[0], len(line))
        left[0] -= some
        return write(place, line[:some])

    monkeypatch.setattr(audit_file, "MOST_WAITING", 3)
    with monkeypatch.context() as lacking:
        lacking.setattr(audit_file.os, "write", write_some)
        for number in range(5):
            AuditLog().record(Act(operation="cab db upgrade", outcome="done", subject=f"{number}"))
        assert path.read_bytes() == b""
        assert AuditLog().unwritten == 5
    AuditLog().record(Act(operation="cab db upgrade", outcome="done", subject="5"))
    assert [json.loads(each)["subject"] for each in path.read_text().splitlines()] == ["3", "4", "5"]
    assert (AuditLog().unwritten, AuditLog().fault) == (3, None)
