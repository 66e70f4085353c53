"""The words of the field, on a real server: each makes a submission, seen before and entered once."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from cab_cli import client as client_module
from cab_cli.exits import Exit
from cab_registry.domain.errors import OperationalFault
from tests.cli.officers import Office, Officer

MRA = ("--agreement", "apec-tel-us-kr", "--annex", "phase-1")
RULE = "us-47cfr-15c"
Bring = Callable[..., str]


@pytest.fixture
def rra(office: Office) -> Officer:
    return office.officer("kr-rra")


@pytest.fixture
def fcc(office: Office) -> Officer:
    return office.officer("us-fcc")


@pytest.fixture
def bring(office: Office, rra: Officer, request: pytest.FixtureRequest) -> Bring:
    """Bring in a laboratory of the test's own, accredited."""
    name = request.node.name.partition("[")[0].removeprefix("test_")

    def brought(*more: str) -> str:
        number = f"{name}-{len(more)}"
        words = ("body", "add", f"Lab {number}", "--economy", "KR", "--kind", "testing_laboratory")
        receipt = rra.does(*words, "--identifier", f"fcc-designation:KR{crc32(number.encode()) % 9_000:04d}", *more)
        body = receipt["versions"][0]["id"]
        kolas = office.officer("kr-kolas")
        words = (
            "accreditation",
            "add",
            body,
            "--standard",
            "ISO/IEC 17025",
            "--scope",
            RULE,
            "--scope",
            "us-47cfr-15e",
        )
        kolas.does(*words, "--from", "2019-01-01")
        return str(body)

    return brought


def verdict(officer: Officer, body: str, day: str, requirement: str = RULE) -> str:
    words = ("--destination", "US", "--kind", "test_report", "--issuer", body, "--standing-on", day)
    more = ("--requirement", requirement, "--sector", "telecom_radio", "--procedure", "certification")
    done = officer.types("check", *words, *more, "--json")
    assert done.stdout, done.stderr
    return str(json.loads(done.stdout)["verdict"])


def right_of(officer: Officer, body: str, kind: str) -> Any:
    rights = officer.does("body", "show", body)["rights"]
    return next(each["record"] for each in rights if each["kind"] == kind)


def test_from_a_proposal_to_a_withdrawal(bring: Bring, rra: Officer, fcc: Officer) -> None:
    body = bring()
    rra.does("designate", body, *MRA, "--scope", RULE, "--from", "2020-01-01")
    rra.does("propose", body, *MRA, "--on", "2020-02-01", "--reason", "A new laboratory")
    assert verdict(fcc, body, "2020-06-01") == "cannot_tell"  # the FCC's list here is not complete
    waits = fcc.does("inbox")["items"]
    assert (body, "proposal") in [(item["body"], item["kind"]) for item in waits]
    assert right_of(rra, body, "designation")["id"] in fcc.types("inbox").stdout

    fcc.does("object", body, *MRA, "--on", "2020-02-20", "--reason", "Range not calibrated")
    recognition = right_of(fcc, body, "recognition")
    assert [event["event"] for event in recognition["timeline"]] == ["notified", "objected"]
    assert recognition["scope"][0]["requirement"] == RULE
    fcc.does("verify", body, *MRA, "--on", "2020-03-01", "--reason", "Joint visit")
    fcc.does("recognise", body, *MRA, "--from", "2020-03-10", "--reason", "Verified")
    assert [verdict(fcc, body, day) for day in ("2020-03-09", "2020-03-10")] == ["not_accepted", "accepted"]

    name = recognition["id"]
    fcc.does("suspend", name, "--scope", RULE, "--on", "2021-01-01", "--kind", "imposed", "--reason", "Failed test")
    assert verdict(fcc, body, "2021-02-01") == "not_accepted"
    fcc.does("reinstate", name, "--on", "2021-03-01", "--reason", "Mended")
    timeline = right_of(fcc, body, "recognition")["timeline"]
    assert (timeline[-1]["event"], timeline[-1]["refers_to"]) == ("reinstated", len(timeline) - 2)
    assert [verdict(fcc, body, day) for day in ("2021-02-01", "2021-03-01")] == ["not_accepted", "accepted"]

    place = f"/timeline/{len(timeline) - 1}/on=2021-02-15"
    fcc.does("correct", name, "--set", place, "--reason", "Typing error")
    assert verdict(fcc, body, "2021-02-20") == "accepted"
    fcc.does("annul", name, "--event", str(len(timeline) - 2), "--on", "2021-05-01", "--reason", "On appeal")
    fcc.does("withdraw", name, "--on", "2022-01-01", "--reason", "No longer competent")
    assert [verdict(fcc, body, day) for day in ("2021-12-31", "2022-01-01")] == ["accepted", "not_accepted"]

    entries = fcc.does("body", "history", body)["entries"]
    assert entries[-1]["public_reason"] == "No longer competent"
    assert "Range not calibrated" in fcc.types("body", "history", body).stdout
    since = next(entry["recorded"] for entry in entries if entry["public_reason"] == "Mended")
    changed = fcc.does("body", "diff", body, "--since", since)["items"]
    assert ("/timeline/5/on", "2021-03-01", "2021-02-15") in [
        (each["pointer"], each["before"], each["after"]) for each in changed
    ]
    assert "/timeline/5/on: 2021-03-01 -> 2021-02-15" in fcc.types("body", "diff", body, "--since", since).stdout


def test_scope_is_extended_restricted_renewed_and_reduced(bring: Bring, rra: Officer, office: Office) -> None:
    body, kolas = bring(), office.officer("kr-kolas")
    rra.does("designate", body, *MRA, "--scope", RULE, "--from", "2020-01-01")
    rra.does("designate", body, *MRA, "--scope", "us-47cfr-15e", "--from", "2020-06-01", "--reason", "Extended")
    right = right_of(rra, body, "designation")
    assert [item["key"] for item in right["scope"]] == [RULE, "us-47cfr-15e"]
    assert right["timeline"][-1] == {"event": "extended", "on": "2020-06-01", "items": ["us-47cfr-15e"]}
    again = rra.types("designate", body, *MRA, "--from", "2020-06-01", "--reason", "x")
    assert (again.exit_code, "given already" in again.stderr) == (Exit.REFUSED, True)

    rra.does("restrict", body, *MRA, "--scope", "us-47cfr-15e", "--on", "2021-01-01", "--reason", "Lost")
    assert right_of(rra, body, "designation")["timeline"][-1]["event"] == "restricted"
    kolas.does("accreditation", "renew", body, "--until", "2030-12-31", "--on", "2024-12-01", "--reason", "Renewed")
    kolas.does("accreditation", "reduce", body, "--scope", "us-47cfr-15e", "--on", "2025-01-01", "--reason", "Less")
    events = [event["event"] for event in right_of(rra, body, "accreditation")["timeline"]]
    assert events == ["granted", "renewed", "reduced"]
    kolas.does("accreditation", "reduce", body, "--scope", RULE, "--on", "2025-02-01", "--reason", "Nothing left")
    table = kolas.types("show", body, "--as-of", "2025-03-01", "--server", kolas.server).stdout
    (line,) = [each for each in table.splitlines() if "accreditation-kr-kolas" in each]
    assert ("reduced" in line, "suspended" in line) == (True, False), table


def test_what_will_flip_is_said_and_nothing_is_sent(bring: Bring, rra: Officer, fcc: Officer, tmp_path: Path) -> None:
    body = bring()
    rra.does("designate", body, *MRA, "--scope", RULE, "--from", "2020-01-01")
    rra.does("propose", body, *MRA, "--on", "2020-02-01", "--reason", "New")
    words = ("recognise", body, *MRA, "--from", "2020-03-10", "--dry-run")
    shown = fcc.types(*words)
    assert shown.exit_code == Exit.DONE, shown.stderr
    assert "Answers that flip" in shown.stdout
    assert "becomes accepted from 2020-03-10" in shown.stdout
    assert fcc.does(*words)["dry_run"] is True
    assert not [each for each in fcc.does("body", "show", body)["rights"] if each["kind"] == "recognition"]


def test_reasons_and_evidence_are_kept_apart(bring: Bring, rra: Officer, office: Office, tmp_path: Path) -> None:
    body = bring()
    rra.does("designate", body, *MRA, "--scope", RULE, "--from", "2020-01-01")
    silent = rra.types("suspend", body, *MRA, "--on", "2021-01-01")
    assert (silent.exit_code, "--reason" in silent.stderr) == (Exit.REFUSED, True)
    letter = tmp_path / "letter.pdf"
    letter.write_bytes(b"dear sirs")
    more = ("--reason", "Unpaid", "--private-reason", "Ms X complained", "--evidence", str(letter))
    receipt = rra.does("suspend", body, *MRA, "--on", "2021-01-01", *more)
    found = rra.does("submission", "show", receipt["id"])
    assert (found["public_reason"], found["private"]["private_reason"]) == ("Unpaid", "Ms X complained")
    assert found["private"]["evidence"][0]["title"] == "letter.pdf"
    assert receipt["id"] in rra.types("submission", "list", "--mine").stdout
    assert "Ms X" not in office.officer("us-fcc").types("submission", "show", receipt["id"]).stdout


def test_what_is_another_s_is_refused(bring: Bring, rra: Officer, fcc: Officer) -> None:
    body = bring()
    receipt = rra.does("designate", body, *MRA, "--scope", RULE, "--from", "2020-01-01")
    name = receipt["versions"][0]["id"]
    refused = fcc.types("withdraw", name, "--on", "2021-01-01", "--reason", "x")
    assert (refused.exit_code, "kr-rra" in refused.stderr) == (Exit.REFUSED, True)
    none = fcc.types("suspend", body, "--reason", "x")
    assert (none.exit_code, "us-fcc has no" in none.stderr) == (Exit.REFUSED, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["suspend", "no-such-record", "--reason", "x"], "no record"),
        (["suspend", "us-eu-mra", "--reason", "x"], "of type agreement"),
        (["suspend", "x", "--on", "tomorrow", "--reason", "x"], "--on"),
        (["designate", "x", "--from", "2020-01-01"], "--agreement"),
        (["restrict", "x", "--reason", "x"], "--scope"),
        (["withdraw", "x", "--notice", "--resigned", "--reason", "x"], "one step"),
        (["correct", "us-fcc", "--reason", "x"], "--set"),
        (["correct", "us-fcc", "--set", "names", "--reason", "x"], "POINTER=VALUE"),
        (["correct", "us-fcc", "--set", "/no/such=1", "--reason", "x"], "/no/such"),
        (["submit", "/no/such/file.yaml", "--reason", "x"], "file.yaml"),
        (["body", "add", "X", "--economy", "KR", "--kind", "nothing", "--reason", "x"], "/kinds/0"),
        (["body", "add", "X", "--economy", "KR", "--kind", "testing_laboratory", "--identifier", "x"], "SCHEME:VALUE"),
        (["body", "add", "X", "--economy", "United Kingdom", "--kind", "testing_laboratory"], "did you mean GB?"),
        (["body", "add", "X", "--economy", "UK", "--kind", "testing_laboratory"], "'UK'; did you mean GB?"),
        (["body", "add", "X", "--economy", "XI", "--kind", "testing_laboratory"], "'XI'; did you mean GB-NIR?"),
        (["body", "add", "X", "--economy", "KR", "--kind", "testing_laboratory", "--id", "X Y"], "the form of an id"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(rra: Officer, words: list[str], told: str) -> None:
    done = rra.types(*words)
    assert (done.exit_code, done.stdout) == (Exit.REFUSED, ""), done.stdout
    assert told in done.stderr


def test_a_lost_answer_is_asked_for_by_the_same_words(
    bring: Bring, rra: Officer, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = bring()
    words = ("designate", body, *MRA, "--scope", RULE, "--from", "2020-01-01")
    call = client_module.Client._call

    def lose(self: Any, method: str, path: str, **parts: Any) -> Any:
        answer = call(self, method, path, **parts)
        if path == "/v1/submissions":
            raise OperationalFault("cut")
        return answer

    with monkeypatch.context() as cut:
        cut.setattr(client_module.Client, "_call", lose)
        lost = rra.types(*words)
    assert (lost.exit_code, "the same command again" in lost.stderr) == (Exit.UNAVAILABLE, True)
    found = rra.types(*words)
    assert found.exit_code == Exit.DONE, found.stderr
    assert "asking what became of them" in found.stderr
    assert "by an earlier call" in found.stdout
    assert len(right_of(rra, body, "designation")["timeline"]) == 1


def test_a_change_on_old_ground_is_a_conflict_with_the_difference(
    bring: Bring, rra: Officer, office: Office, tmp_path: Path
) -> None:
    body = bring()
    name = rra.does("designate", body, *MRA, "--scope", RULE, "--from", "2020-01-01")["versions"][0]["id"]
    document = {**right_of(rra, body, "designation"), "note": "Mine"}
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({"expected_version": 1, "document": document}), "utf-8")
    other = office.officer("kr-rra", who="two")
    other.does("correct", name, "--set", "/note=Theirs", "--reason", "Remark of another")
    done = rra.types("submit", str(file), "--reason", "Remark")
    assert (done.exit_code, done.stdout) == (Exit.CONFLICT, "")
    assert "version 1 was read, version 2 stands now" in done.stderr
    assert "Remark of another" in done.stderr


def test_records_are_handed_in_from_files(rra: Officer, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "- {type: body, owner: kr-rra, names: [{name: Lab of files, from: always}], economy: KR,"
        " kinds: [testing_laboratory]}\n"
        "- {type: designation, owner: kr-rra, by: kr-rra, body: lab-of-files-kr, agreement: apec-tel-us-kr,"
        " annex: phase-1, scope: [{key: a, requirement: us-47cfr-15c, from: 2020-01-01}]}\n",
        "utf-8",
    )
    receipt = rra.does("submit", str(tmp_path), "--reason", "Files")
    assert {version["id"] for version in receipt["versions"]} >= {"lab-of-files-kr"}
    (tmp_path / "b.yaml").write_text("type: [\n", "utf-8")
    broken = rra.types("submit", str(tmp_path), "--reason", "Files")
    assert (broken.exit_code, "b.yaml" in broken.stderr) == (Exit.REFUSED, True)


def test_an_unreachable_server_is_an_outage(rra: Officer) -> None:
    done = rra.types("suspend", "x", "--reason", "x", env={"CAB_SERVER": "http://127.0.0.1:1"})
    assert (done.exit_code, done.stdout) == (Exit.UNAVAILABLE, "")


def test_a_second_person_approves_what_was_seen(office: Office, tmp_path: Path) -> None:
    one = office.officer("ca-ised", "submitter", "approver")
    two = office.officer("ca-ised", "submitter", "approver", who="two")
    policy = one.does("policy", "set", "--four-eyes", "--reason", "Two officers")
    assert policy["state"] == "submitted"
    own = one.types("submission", "approve", policy["id"], "--yes")
    assert own.exit_code == Exit.REFUSED
    approved = two.types("submission", "approve", policy["id"], "--yes")
    assert "the policy counts from now on" in approved.stdout
    same = two.types("policy", "set", "--four-eyes", "--reason", "x")
    assert "Nothing was entered: the register says all of it already." in same.stdout
    stale = one.types("policy", "set", "--no-four-eyes", "--reason", "x")
    assert (stale.exit_code, "version 1 stands" in stale.stderr) == (Exit.CONFLICT, True), stale.stderr

    table, mapping = tmp_path / "t.csv", tmp_path / "m.yaml"
    table.write_text("Name\nLab of a table\n", "utf-8")
    mapping.write_text(
        "columns: {Name: body.name}\nconstants: {body.economy: CA, body.kind: testing_laboratory}\n", "utf-8"
    )
    summary = json.loads(one.types("import", table, "--mapping", mapping, "--json").stdout)
    assert (summary["entered"], summary["to_approve"], summary["waiting"]) == (0, 1, 1)
    one.does("submission", "withdraw", summary["submissions"][0], "--reason", "Too early")

    words = ("body", "add", "Lab four eyes", "--economy", "CA", "--kind", "testing_laboratory")
    waits = one.types(*words)
    assert "waits for a second pair of eyes" in waits.stdout
    listed = two.does("submission", "list", "--waiting")["items"]
    assert len(listed) == 1
    name = listed[0]["id"]
    assert name in [item["submission"] for item in two.does("inbox")["items"]]
    assert "It would change" in two.types("submission", "show", name).stdout
    rejected = two.types("submission", "reject", name, "--reason", "Wrong economy")
    assert "is rejected" in rejected.stderr
    late = two.types("submission", "approve", name, "--yes")
    assert late.exit_code == Exit.CONFLICT

    again = one.does(*words, "--reason", "Once more")
    assert one.does("submission", "withdraw", again["id"], "--reason", "Too early")["state"] == "withdrawn"
    last = one.does(*words, "--reason", "At last")
    approved = two.types("submission", "approve", last["id"], "--yes")
    assert (approved.exit_code, "lab-four-eyes-ca, version 1" in approved.stdout) == (Exit.DONE, True), approved.stdout


def test_a_record_goes_to_another_authority_with_its_consent(bring: Bring, rra: Officer, office: Office) -> None:
    body = bring()
    taker = office.officer("jp-mic", "submitter", "approver")
    offered = rra.does("transfer", body, "--to", "jp-mic", "--reason", "Moved")
    assert offered["state"] == "submitted"
    taker.does("submission", "approve", offered["id"])
    assert rra.does("body", "show", body)["record"]["owner"] == "jp-mic"


def test_somebody_at_a_terminal_is_asked_after_seeing_it(
    bring: Bring, rra: Officer, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = bring()
    monkeypatch.setattr("cab_cli.writing.Sending.asks", property(lambda self: not self.yes))
    words = ("designate", body, *MRA, "--scope", RULE, "--from", "2020-01-01")
    no = rra.types(*words, input="n\n")
    assert (no.exit_code, "nothing was sent" in no.stderr) == (Exit.REFUSED, True)
    assert f"{body} is designated" in no.stderr
    assert rra.types(*words, input="y\n").exit_code == Exit.DONE
    assert len(right_of(rra, body, "designation")["timeline"]) == 1


def test_evidence_at_an_address_is_kept_with_its_digest(bring: Bring, rra: Officer, office: Office) -> None:
    address = f"{office.server}/v1/schemas"
    receipt = rra.does("designate", bring(), *MRA, "--scope", RULE, "--from", "2020-01-01", "--evidence", address)
    (kept,) = rra.does("submission", "show", receipt["id"])["private"]["evidence"]
    assert (kept["address"], len(kept["sha256"])) == (address, 64)
    nowhere = ("--evidence", f"{office.server}/no-such-page")
    lost = rra.types("body", "add", "X", "--economy", "KR", "--kind", "testing_laboratory", *nowhere)
    assert lost.exit_code == Exit.UNAVAILABLE
