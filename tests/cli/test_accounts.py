"""`cab admin`, `cab auth`, `cab token`: who may write, and where the token is kept."""

import json
import stat
from pathlib import Path

import pytest

from cab_cli.exits import Exit
from cab_cli.profiles import keep_waiting
from cab_registry.settings import read_keys
from tests.cli.officers import Office, Officer


@pytest.fixture
def newcomer(office: Office, tmp_path: Path) -> Officer:
    """Somebody without a token in the environment."""
    return Officer(office.server, "", tmp_path)


def test_there_is_one_first_registrar(office: Office) -> None:
    again = office.registrar.types("admin", "init", "--name", "Another", "--database-url", office.url)
    assert (again.exit_code, again.stdout) == (Exit.REFUSED, "")
    assert "there is a registrar already" in again.stderr
    assert office.registrar.does("auth", "status")["token"]["roles"] == ["registrar"]


def test_a_key_for_sealing_is_printed_and_is_another_each_time(office: Office) -> None:
    printed = {office.registrar.types("admin", "secret-key").stdout for _ in range(2)}
    assert len(printed) == 2
    assert all(len(key) == 32 for text in printed for key in read_keys(text.strip()))


def test_a_token_is_kept_for_its_owner_alone_and_forgotten(office: Office, newcomer: Officer, tmp_path: Path) -> None:
    early = newcomer.types("auth", "status")
    assert early.exit_code == Exit.REFUSED
    assert "cab auth login" in early.stderr
    token = office.officer("kr-rra").token
    done = newcomer.types("auth", "login", "--token", "-", input=f"{token}\n")
    assert done.exit_code == Exit.DONE, done.stderr
    assert token not in done.stdout + done.stderr
    assert "kr-rra" in done.stdout
    kept = tmp_path / "config" / "cab" / "profiles" / "default.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700

    assert newcomer.does("auth", "status")["token"]["authority"] == "kr-rra"
    elsewhere = newcomer.types("auth", "status", "--server", "http://127.0.0.1:1")
    assert (elsewhere.exit_code, "is for" in elsewhere.stderr) == (Exit.REFUSED, True)
    kept.chmod(0o644)
    open_to_all = newcomer.types("auth", "status")
    assert (open_to_all.exit_code, "others can read" in open_to_all.stderr) == (Exit.REFUSED, True)
    assert newcomer.types("auth", "logout").exit_code == Exit.DONE
    assert not kept.exists()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--token", "cab_0_0"], Exit.REFUSED, "not taken from the command line"),
        (["--token", "-"], Exit.REFUSED, "there is no token"),
        (["--token", "-", "--profile", "../x"], Exit.REFUSED, "plain name"),
    ],
)
def test_a_login_that_cannot_be_is_refused(newcomer: Officer, words: list[str], code: int, told: str) -> None:
    done = newcomer.types("auth", "login", *words, input="\n")
    assert (done.exit_code, told in done.stderr) == (code, True), done.stderr


def test_a_token_never_goes_over_plain_http(newcomer: Officer) -> None:
    done = newcomer.types("auth", "login", "--token", "-", "--server", "http://register.example", input="cab_1_2\n")
    assert (done.exit_code, "plain http" in done.stderr) == (Exit.REFUSED, True)


def test_an_unknown_token_is_told(newcomer: Officer, tmp_path: Path) -> None:
    done = newcomer.types("auth", "login", "--token", "-", input=f"cab_{'0' * 16}_{'0' * 64}\n")
    assert done.exit_code == Exit.REFUSED
    assert not (tmp_path / "config").exists()


def test_tokens_are_listed_rotated_and_revoked(office: Office, tmp_path: Path) -> None:
    owner = office.officer("us-nist", "submitter", "auditor")
    narrow = owner.types("token", "create", "--name", "job", "--role", "auditor")
    assert narrow.stdout.startswith("cab_")
    assert narrow.stdout.count("\n") == 1
    listed = owner.does("token", "list")["items"]
    job = next(each for each in listed if each["name"] == "job")
    assert narrow.stdout.strip() not in json.dumps(listed)
    assert "job" in owner.types("token", "list").stdout
    assert owner.types("token", "create", "--name", "x", "--role", "registrar").exit_code == Exit.REFUSED

    user = Officer(office.server, narrow.stdout.strip(), tmp_path)
    rotated = user.types("token", "rotate", job["id"], "--days", "10")
    assert rotated.stdout.startswith("cab_"), rotated.stderr
    assert owner.does("token", "revoke", job["id"])["revoked"]
    gone = user.types("auth", "status")
    assert (gone.exit_code, "revoked" in gone.stderr) == (Exit.REFUSED, True)


def test_the_token_in_use_is_replaced_in_its_profile(office: Office, newcomer: Officer) -> None:
    first = office.officer("jp-mic").token
    assert newcomer.types("auth", "login", "--token", "-", input=first).exit_code == Exit.DONE
    before = newcomer.does("auth", "status")["token"]["id"]
    done = newcomer.types("token", "rotate")
    assert (done.exit_code, done.stdout) == (Exit.DONE, "")
    assert newcomer.does("auth", "status")["token"]["id"] != before
    assert newcomer.types("auth", "logout", "--revoke").exit_code == Exit.DONE


def test_accounts_are_made_listed_and_shut_out(office: Office) -> None:
    desk = office.registrar
    made = desk.types("admin", "principal", "add", "M. Achine", "--kind", "machine").stdout.strip()
    granted = desk.types("admin", "grant", made, "--authority", "us-fcc", "--role", "auditor")
    assert "us-fcc" in granted.stdout
    assert made in desk.types("admin", "principal", "list", "--authority", "us-fcc").stdout
    assert desk.does("admin", "ungrant", made, "--authority", "us-fcc", "--role", "auditor")["grants"] == []
    assert desk.does("admin", "principal", "disable", made)["disabled"]
    assert made in [each["id"] for each in desk.does("admin", "principal", "list")["items"]]
    refused = office.officer("kr-rra").types("admin", "principal", "add", "X")
    assert refused.exit_code == Exit.REFUSED


def test_what_cannot_be_kept_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    from cab_cli.profiles import Waiting
    from cab_registry.domain.errors import OperationalFault

    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")
    with pytest.raises(OperationalFault, match="cannot be written"):
        keep_waiting("x", Waiting(key="k", request={}, headline="h"))


def test_an_officer_is_let_in_by_one_command(office: Office, tmp_path: Path) -> None:
    done = office.registrar.types("admin", "officer", "add", "Lee Ji-woo", "--authority", "kr-rra")
    assert done.exit_code == Exit.DONE, done.stderr
    token = done.stdout.strip()
    assert token.startswith("cab_")
    assert token not in done.stderr
    assert "submitter at kr-rra" in done.stderr
    newcomer = Officer(office.server, token, tmp_path)
    me = newcomer.does("auth", "status")
    assert (me["token"]["authority"], me["token"]["roles"]) == ("kr-rra", ["submitter"])
    brought = ("body", "add", "First Day Lab", "--economy", "KR", "--kind", "testing_laboratory")
    assert newcomer.does(*brought)["state"] == "approved"


def test_an_officer_has_the_roles_that_are_named(office: Office) -> None:
    words = ("admin", "officer", "add", "Park", "--authority", "us-fcc", "--role", "approver", "--role", "auditor")
    made = office.registrar.does(*words, "--days", "30")
    assert made["token"]["roles"] == ["approver", "auditor"]
    (listed,) = [
        each
        for each in office.registrar.does("admin", "principal", "list", "--authority", "us-fcc")["items"]
        if each["id"] == made["principal"]
    ]
    assert sorted(grant["role"] for grant in listed["grants"]) == ["approver", "auditor"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--authority", "kr-rr"), "did you mean kr-rra"),
        (("--authority", "us-eu-mra"), "--authority"),
        (("--authority", "kr-rra", "--role", "aprover"), "did you mean approver?"),
        (("--authority", "kr-rra", "--role", "registrar"), "--authority registrar only"),
    ],
)
def test_nobody_is_let_in_by_halves(office: Office, words: tuple[str, ...], told: str) -> None:
    before = office.registrar.does("admin", "principal", "list")["items"]
    done = office.registrar.types("admin", "officer", "add", "Nobody", *words)
    assert (done.exit_code, done.stdout) == (Exit.REFUSED, "")
    assert told in done.stderr
    assert office.registrar.does("admin", "principal", "list")["items"] == before


def test_only_a_registrar_lets_officers_in(office: Office) -> None:
    done = office.officer("kr-rra").types("admin", "officer", "add", "Friend", "--authority", "kr-rra")
    assert (done.exit_code, done.stdout) == (Exit.REFUSED, "")
