"""`cab admin`, `cab auth`, `cab token`: who may write, and where the token is kept."""

import json
import re
import stat
from pathlib import Path

import pytest

from cab_cli.exits import Exit
from cab_cli.invitations import say_who_approves
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
    theirs = office.registrar.does("token", "list", "--principal", listed[0]["principal"])["items"]
    assert {each["id"] for each in theirs} == {each["id"] for each in listed}

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
    proposed = desk.does("admin", "grant", made, "--authority", "us-fcc", "--role", "auditor")
    invited = desk.types("admin", "invite", made, "--authority", "us-fcc", "--role", "auditor")
    assert invited.stdout.startswith("cabi_")
    assert "Another registrar" not in invited.stderr
    assert made in [each["principal"] for each in desk.does("admin", "invitations")["items"]]
    assert "auditor" in desk.types("admin", "invitations").stdout
    early = office.second.types("admin", "approve", "M. Achine")
    assert (early.exit_code, "has not redeemed" in early.stderr) == (Exit.REFUSED, True), early.stderr
    holder = Officer(office.server, "", office.folder / "machine")
    assert holder.types("auth", "redeem", "--code", "-", input=invited.stdout).exit_code == Exit.DONE
    assert holder.does("auth", "status")["token"]["roles"] == ["auditor"]
    early = holder.types("auth", "status").stdout
    assert re.search(r"^roles +- *$", early, re.MULTILINE), early
    assert re.search(r"^not held yet +auditor *$", early, re.MULTILINE), early
    assert desk.types("admin", "approve", proposed["id"]).exit_code == Exit.REFUSED
    assert "M. Achine" in office.second.types("admin", "pending").stdout
    approved = office.second.types("admin", "approve", "M. Achine")
    assert (approved.exit_code, "is approved" in approved.stderr) == (Exit.DONE, True), approved.stderr
    assert made in desk.types("admin", "principal", "list", "--authority", "us-fcc").stdout
    trail = desk.does("admin", "acts", "--principal", made)["items"]
    assert [each["kind"] for each in trail][-2:] == ["invitation_redeemed", "role_granted"]
    assert "role_granted: auditor" in holder.types("admin", "acts").stdout
    granted = holder.types("auth", "status")
    assert "role granted: auditor at us-fcc" in granted.stderr
    assert "not held yet" not in granted.stdout
    assert desk.does("admin", "ungrant", made, "--authority", "us-fcc", "--role", "auditor")["grants"] == []
    assert desk.does("admin", "principal", "erase-name", made)["name"] is None
    assert desk.does("admin", "principal", "disable", made)["disabled"]
    assert made in [each["id"] for each in desk.does("admin", "principal", "list")["items"]]
    refused = office.officer("kr-rra").types("admin", "principal", "add", "X")
    assert refused.exit_code == Exit.REFUSED


def test_who_lost_a_token_gets_another_when_a_second_agrees(office: Office, tmp_path: Path) -> None:
    loser = office.officer("kr-rra", who="loser")
    who = loser.does("auth", "status")["principal"]["id"]
    asked = ("admin", "invite", who, "--authority", "kr-rra", "--role", "submitter")
    made = office.registrar.does(*asked)
    holder = Officer(office.server, "", tmp_path)
    early = holder.types("auth", "redeem", "--code", "-", input=made["code"])
    assert (early.exit_code, "waits" in early.stderr) == (Exit.REFUSED, True), early.stderr
    assert made["invitation"]["id"] in loser.types("auth", "status").stderr
    assert loser.types("auth", "approve", made["invitation"]["id"]).exit_code == Exit.DONE
    done = holder.types("auth", "redeem", "--code", "-", "--name", "laptop", input=made["code"])
    assert (done.exit_code, "laptop" in done.stdout) == (Exit.DONE, True), done.stderr
    assert "invitation redeemed" in loser.types("auth", "status").stderr
    again = office.registrar.does(*asked)["invitation"]["id"]
    assert office.second.types("admin", "approve", again).exit_code == Exit.DONE
    assert loser.types("admin", "refuse", again).exit_code == Exit.DONE


def test_the_operator_invites_a_registrar_who_lost_all_tokens(office: Office, tmp_path: Path) -> None:
    who = office.officer("registrar", "registrar", who="third").does("auth", "status")["principal"]["id"]
    made = office.registrar.types("admin", "recover", who, "--database-url", office.url)
    assert made.stdout.startswith("cabi_"), made.stderr
    holder = Officer(office.server, "", tmp_path)
    assert holder.types("auth", "redeem", "--code", "-", input=made.stdout).exit_code == Exit.DONE
    assert holder.does("auth", "status")["token"]["roles"] == ["registrar"]
    other = office.officer("kr-rra").does("auth", "status")["principal"]["id"]
    refused = office.registrar.types("admin", "recover", other, "--database-url", office.url)
    assert (refused.exit_code, refused.stdout) == (Exit.REFUSED, "")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--code", "cabi_0_0"], "not taken from the command line"),
        (["--code", "-"], "there is no code"),
        (["--code", "-", "--server", "http://register.example"], "plain http"),
    ],
)
def test_a_code_that_cannot_be_taken_is_refused(newcomer: Officer, words: list[str], told: str) -> None:
    done = newcomer.types("auth", "redeem", *words, input="cabi_x\n" if "--server" in words else "\n")
    assert (done.exit_code, told in done.stderr) == (Exit.REFUSED, True), done.stderr


def test_what_cannot_be_kept_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    from cab_cli.profiles import Waiting
    from cab_registry.domain.errors import OperationalFault

    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")
    with pytest.raises(OperationalFault, match="cannot be written"):
        keep_waiting("x", Waiting(key="k", request={}, headline="h"))


def test_an_officer_is_let_in_by_one_command_of_each_registrar(office: Office, tmp_path: Path) -> None:
    done = office.registrar.types("admin", "officer", "add", "Lee Ji-woo", "--authority", "kr-rra")
    assert done.exit_code == Exit.DONE, done.stderr
    code = done.stdout.strip()
    assert code.startswith("cabi_")
    assert code not in done.stderr
    assert "cab admin approve" in done.stderr
    newcomer = Officer(office.server, "", tmp_path)
    kept = newcomer.types("auth", "redeem", "--code", "-", input=code)
    assert (kept.exit_code, "cab_" in kept.stdout + kept.stderr) == (Exit.DONE, False), kept.stderr
    me = newcomer.does("auth", "status")
    assert (me["token"]["authority"], me["token"]["roles"]) == ("kr-rra", ["submitter"])
    brought = ("body", "add", "First Day Lab", "--economy", "KR", "--kind", "testing_laboratory")
    assert newcomer.types(*brought).exit_code == Exit.REFUSED
    assert office.second.types("admin", "approve", "Lee Ji-woo").exit_code == Exit.DONE
    assert newcomer.does(*brought)["state"] == "approved"


def test_an_officer_is_proposed_for_the_roles_that_are_named(office: Office) -> None:
    words = ("admin", "officer", "add", "Park", "--authority", "us-fcc", "--role", "approver", "--role", "auditor")
    made = office.registrar.does(*words, "--days", "3")
    assert made["invitation"]["roles"] == ["approver", "auditor"]
    assert [each["role"] for each in made["proposals"]] == ["approver", "auditor"]
    everybody = office.registrar.does("admin", "principal", "list")["items"]
    (listed,) = [each for each in everybody if each["id"] == made["principal"]]
    assert listed["grants"] == []


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


def let_in(office: Office, name: str, folder: Path, *words: str) -> Officer:
    """Make an account and redeem its invitation in a profile of its own."""
    code = office.registrar.types("admin", "officer", "add", name, "--authority", "kr-rra").stdout
    newcomer = Officer(office.server, "", folder)
    assert newcomer.types("auth", "redeem", "--code", "-", *words, input=code).exit_code == Exit.DONE
    return newcomer


@pytest.mark.parametrize("way", ["redeem", "login"])
def test_the_token_of_another_account_is_not_overwritten_unasked(office: Office, tmp_path: Path, way: str) -> None:
    owner = f"Owner {way}"
    at_desk = let_in(office, owner, tmp_path)
    before = at_desk.does("auth", "status")
    if way == "redeem":
        secret = office.registrar.types("admin", "officer", "add", "Other", "--authority", "kr-rra").stdout
        words = ("auth", "redeem", "--code", "-")
    else:
        secret = office.officer("us-fcc").token
        words = ("auth", "login", "--token", "-")
    refused = at_desk.types(*words, input=secret)
    assert (refused.exit_code, "--replace" in refused.stderr) == (Exit.REFUSED, True), refused.stderr
    assert owner in refused.stderr
    assert (way == "redeem") or "one of us-fcc" in refused.stderr
    assert at_desk.does("auth", "status") == before
    done = at_desk.types(*words, "--replace", input=secret)
    assert done.exit_code == Exit.DONE, done.stderr
    assert at_desk.does("auth", "status")["principal"]["id"] != before["principal"]["id"]


def test_a_profile_of_a_token_that_is_over_or_ones_own_is_overwritten(office: Office, tmp_path: Path) -> None:
    holder = let_in(office, "Again", tmp_path)
    kept = tmp_path / "config" / "cab" / "profiles" / "default.json"
    token = json.loads(kept.read_bytes())["token"]
    assert holder.types("auth", "login", "--token", "-", input=token).exit_code == Exit.DONE
    office.registrar.does("admin", "principal", "disable", "Again")
    code = office.registrar.types("admin", "officer", "add", "Next", "--authority", "kr-rra").stdout
    assert holder.types("auth", "redeem", "--code", "-", input=code).exit_code == Exit.DONE


def test_accounts_are_named_by_id_or_by_name(office: Office) -> None:
    desk = office.registrar
    made = desk.types("admin", "principal", "add", "Named Once").stdout.strip()
    for _ in range(2):
        desk.types("admin", "principal", "add", "Named Twice")
    role = ("--authority", "kr-rra", "--role", "submitter")
    assert desk.does("admin", "invite", "Named Once", *role)["invitation"]["principal"] == made
    assert desk.does("admin", "grant", "Named  Once", *role)["principal"] == made
    assert desk.does("admin", "acts", "--principal", "Named Once")["items"]
    for words in (("token", "list"), ("watch", "list"), ("endpoint", "list")):
        assert desk.does(*words, "--principal", "Named Once")["items"] == []
    assert desk.does("admin", "ungrant", "Named Once", *role)["id"] == made
    twice = desk.types("admin", "invite", "Named Twice", *role)
    assert (twice.exit_code, "several accounts" in twice.stderr) == (Exit.REFUSED, True), twice.stderr
    wrong = desk.types("admin", "principal", "disable", "Named Onse")
    assert (wrong.exit_code, "did you mean 'Named Once'" in wrong.stderr) == (Exit.REFUSED, True), wrong.stderr
    assert desk.does("admin", "principal", "disable", "Named Once")["disabled"]


def test_a_new_invitation_names_the_one_that_it_ends(office: Office) -> None:
    desk = office.registrar
    made = desk.types("admin", "principal", "add", "Invited Twice").stdout.strip()
    role = ("--authority", "kr-rra", "--role", "submitter")
    first = desk.does("admin", "invite", made, *role)["invitation"]["id"]
    assert first in desk.types("admin", "invite", made, *role).stderr
    third = office.officer("registrar", "registrar", who="fourth").does("auth", "status")["principal"]
    recover = ("admin", "recover", third["name"], "--database-url", office.url)
    earlier = desk.does(*recover)["invitation"]
    assert earlier in desk.types(*recover).stderr


def test_the_role_waits_for_the_code_where_both_wait(office: Office, tmp_path: Path) -> None:
    officer = office.officer("kr-rra", who="promoted")
    who = officer.does("auth", "status")["principal"]["id"]
    role = ("--authority", "kr-rra", "--role", "approver")
    office.registrar.does("admin", "grant", who, *role)
    code = office.registrar.types("admin", "invite", who, *role).stdout
    first = office.second.types("admin", "approve", who)
    assert (first.exit_code, "waits until the code is redeemed" in first.stderr) == (Exit.DONE, True), first.stderr
    holder = Officer(office.server, "", tmp_path)
    assert holder.types("auth", "redeem", "--code", "-", input=code).exit_code == Exit.DONE
    assert office.second.types("admin", "approve", who).exit_code == Exit.DONE
    assert re.search(r"^roles +approver *$", holder.types("auth", "status").stdout, re.MULTILINE)


def test_lists_stand_in_lines_of_120_signs(office: Office) -> None:
    for words in (("token", "list"), ("admin", "acts", "--newest", "--limit", "20")):
        printed = office.registrar.types(*words).stdout.splitlines()
        heads = [line for line in printed[2:] if re.match(r" *[0-9a-f]+ ", line)]
        assert heads, printed
        assert all(len(line) <= 120 for line in printed)
        assert all(re.search(r"p-[0-9a-f]{16}|operator|catalogue", line) for line in heads), printed


def test_what_came_of_a_revoked_token_is_named(office: Office, tmp_path: Path) -> None:
    owner = office.officer("kr-rra", who="robbed")
    laptop = owner.types("token", "create", "--name", "laptop", "--role", "submitter").stdout.strip()
    thief = Officer(office.server, laptop, tmp_path)
    child = thief.types("token", "create", "--name", "child", "--role", "submitter").stdout.split("_")[1]
    revoked = owner.types("token", "revoke", laptop.split("_")[1])
    assert (revoked.exit_code, child in revoked.stderr) == (Exit.DONE, True), revoked.stderr


@pytest.mark.parametrize(
    ("others", "registrar", "told"),
    [
        (True, True, "cab admin approve i-1"),
        (False, False, "cab auth approve i-1."),
        (False, True, "cab admin recover p-1"),
    ],
)
def test_who_has_to_approve_an_invitation_is_somebody_who_can(others: bool, registrar: bool, told: str) -> None:
    words = say_who_approves({"id": "i-1", "principal": "p-1"}, others=others, registrar=registrar)
    assert words.endswith(told)
