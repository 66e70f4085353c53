"""`cab check`: flags and documents become the question, verdicts become exit codes, faults are all listed."""

import json
from pathlib import Path
from typing import Any, get_args
from urllib.parse import parse_qsl

import pytest
from typer.testing import CliRunner

from cab_cli.exits import Exit, exit_of_verdict
from cab_cli.faces import ScratchServer
from cab_cli.main import app
from cab_cli.questions import Flags, compose
from cab_registry.domain.codes import Verdict
from cab_registry.domain.errors import Refusal
from cab_registry.domain.question import AskedResult, AskedSubject

GMP = [
    *("--destination", "DE", "--kind", "gmp_inspection", "--issuer", "us-fda", "--issuer-economy", "US"),
    *("--performed-in", "US", "--performed-on", "2020-03-02..2020-03-06", "--issued-on", "2020-03-10"),
    *("--presented-on", "2020-04-01", "--findings", "NAI", "--sector", "pharma_gmp_human"),
    *("--requirement", "eu-gmp-human", "--product-class", "human_finished", "--activity", "surveillance"),
]
SWISS = ["--issuer", "ch-swissmedic", "--issuer-economy", "CH", "--performed-in", "IN", "--findings", "compliant"]
VERDICTS = {
    "accepted": [],
    "accepted_with_conditions": SWISS,
    "not_accepted": ["--findings", "OAI"],
    "not_covered": ["--activity", "pre_approval"],
    "cannot_tell": ["--product-class", ""],
}


@pytest.fixture
def asked(scratch: ScratchServer) -> list[str]:
    return ["--server", scratch.url]


def invoke(*words: str, **more: Any) -> Any:
    return CliRunner().invoke(app, ["check", *words], **more)


@pytest.mark.parametrize(("verdict", "changed"), VERDICTS.items())
def test_the_exit_code_is_the_verdict(asked: list[str], verdict: str, changed: list[str]) -> None:
    done = invoke(*GMP, *changed, *asked)
    assert verdict.replace("_", " ").upper() in done.stdout
    assert done.exit_code == exit_of_verdict(verdict)
    document = json.loads(invoke(*GMP, *changed, *asked, "--json").stdout)
    assert document["verdict"] == verdict


def test_every_verdict_has_a_code_of_its_own() -> None:
    codes = [exit_of_verdict(verdict) for verdict in get_args(Verdict)]
    assert sorted(codes) == [0, 3, 4, 5, 8]
    assert {code.value for code in Exit} == set(range(9))
    assert all(code.meaning for code in Exit)


def test_the_answer_shows_route_checks_and_sources(asked: list[str]) -> None:
    shown = invoke(*GMP, "--findings", "OAI", *asked).stdout
    assert "[us-eu-gmp-human-eu]" in shown
    assert "agreement us-eu-mra, annex pharma-gmp, duty: must" in shown
    ladder = [line.split()[1:3] for line in shown.splitlines() if line.startswith(("  ✓", "  ✗", "  ·"))]
    assert ["pass", "recognition"] in ladder
    assert ["fail", "document"] in ladder
    assert "https://" in shown.partition(" document ")[2].partition(" position ")[0]
    assert "\x1b" not in shown


def test_the_answer_shows_whom_and_what_it_took(asked: list[str]) -> None:
    shown = invoke(*GMP, *asked).stdout
    assert "issuer: " in shown.partition("Taken")[2]
    assert "[us-fda]" in shown
    alone = invoke(
        *("--destination", "Germany", "--kind", "eu_type_examination", "--issuer-number", "7777"),
        *("--issuer-economy", "Deutschland", "--issued-on", "2023-05-01", "--requirement", "PPE Regulation"),
        *asked,
    )
    assert "result.issuer.scheme" in alone.stdout
    assert "EU notified body" in alone.stdout
    assert "'Germany' is taken to be Germany (DE)" in " ".join(alone.stdout.split())


def test_a_document_is_asked_as_it_is_and_changed_by_flags(
    asked: list[str], question: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "question.json"
    file.write_text(json.dumps(question))
    assert invoke(str(file), *asked).exit_code == Exit.DONE
    assert invoke("-", *asked, input=json.dumps(question)).exit_code == Exit.DONE
    assert invoke(str(file), "--findings", "OAI", *asked).exit_code == Exit.NOT_ACCEPTED


def test_json_is_what_the_server_sent(scratch: ScratchServer, question: dict[str, Any]) -> None:
    import httpx

    sent = httpx.post(f"{scratch.url}/v1/acceptance", json=question, trust_env=False).text
    done = invoke("-", "--server", scratch.url, "--json", input=json.dumps(question))
    assert done.stdout == sent + "\n"


def test_the_server_is_taken_from_the_environment(scratch: ScratchServer) -> None:
    assert invoke(*GMP, env={"CAB_SERVER": scratch.url}).exit_code == Exit.DONE


def test_every_fault_of_the_command_line_is_listed() -> None:
    done = invoke(
        *("--issuer", "a", "--issuer-name", "b", "--issuer-number", "no-value:"),
        *("--issued-on", "soon", "--performed-on", "2020-01-01..later"),
    )
    assert done.exit_code == Exit.REFUSED
    assert done.stdout == ""
    for words in ("--issuer-number: write SCHEME:VALUE", "--issuer-number: the issuer is named", "'soon'", "'later'"):
        assert words in done.stderr


def test_every_fault_that_the_server_finds_is_listed(asked: list[str]) -> None:
    done = invoke("--destination", "XX", "--kind", "gossip", "--performed-on", "2020-02-02..2020-01-01", *asked)
    assert done.exit_code == Exit.REFUSED
    assert done.stdout == ""
    for flag in ("--destination: unknown economy XX", "--kind: 'gossip' is not one of"):
        assert flag in done.stderr


@pytest.mark.parametrize("text", ["{", "[]", '{"result": 1}'])
def test_a_file_that_is_no_question_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "question.json"
    file.write_text(text)
    assert invoke(str(file)).exit_code == Exit.REFUSED


def test_a_file_that_is_not_there_is_refused() -> None:
    assert invoke("nowhere.json").exit_code == Exit.REFUSED


def test_a_file_that_is_no_text_is_told_by_what_it_is(tmp_path: Path) -> None:
    pdf, latin = tmp_path / "x.pdf", tmp_path / "latin.json"
    pdf.write_bytes(b"%PDF-1.7\n\xff\xfe")
    latin.write_bytes('{\n"destination": "Österreich"}'.encode("latin-1"))
    for words in (["check"], ["watch", "question"]):
        done = CliRunner().invoke(app, [*words, str(pdf)])
        assert (done.exit_code, done.stderr) == (Exit.REFUSED, f"{pdf} is a PDF, not a question in JSON\n")
    done = invoke(str(latin))
    assert done.stderr.splitlines() == [f"{latin} is not in UTF-8", f"  {latin}:2: save it as UTF-8"]
    done = invoke("-", input=b"\x1f\x8b")
    assert done.stderr == "the standard input is packed (gzip), not a question in JSON\n"
    assert invoke(str(tmp_path / "nofile.json")).stderr.endswith(
        "nofile.json cannot be read: No such file or directory\n"
    )


def test_all_faults_come_in_one_round_and_name_the_flags(asked: list[str]) -> None:
    done = invoke("--destination", "Untied States", *asked)
    assert done.exit_code == Exit.REFUSED
    flags = [line.split(": ")[0].strip() for line in done.stderr.splitlines()[1:]]
    assert sorted(flags) == ["--destination", "--issued-on", "--issuer", "--kind"]
    done = invoke("--destination", "DE", "--issued-on", "01/02/2025", "--kind", "certifcate", *asked)
    flags = [line.split(": ")[0].strip() for line in done.stderr.splitlines()[1:]]
    assert sorted(flags) == ["--issued-on", "--issuer", "--kind"]
    assert "'01/02/2025' can mean two days: write 2025-01-02 or 2025-02-01" in done.stderr


def test_faults_of_a_file_name_the_flags_beside_their_places(asked: list[str], tmp_path: Path) -> None:
    file = tmp_path / "question.json"
    file.write_text('{"destination": "DE", "result": {"issuer": {"nmae": "x"}, "issued": "2020-01-01"}}', "utf-8")
    done = invoke(str(file), *asked)
    assert done.exit_code == Exit.REFUSED
    for told in (
        "--kind (/result/kind): `kind` is missing",
        "/result/issued: unknown key `issued`; did you mean `issued_on`",
    ):
        assert f"  {told}" in done.stderr
    assert "--issuer (/result/issuer/nmae): unknown key" in done.stderr


def test_no_server_is_an_outage() -> None:
    done = invoke(*GMP, "--server", "http://127.0.0.1:1")
    assert done.exit_code == Exit.UNAVAILABLE
    assert "http://127.0.0.1:1 cannot be reached" in done.stderr


@pytest.mark.parametrize("address", ["nothing", "ftp://host", "http://[::1"])
def test_what_is_no_address_is_refused(address: str) -> None:
    assert invoke(*GMP, "--server", address).exit_code in {Exit.REFUSED, Exit.UNAVAILABLE}


def test_flags_reach_every_part_of_the_question() -> None:
    """A part that is added to the question needs a flag."""
    result = set(AskedResult.__struct_fields__) - {"issuer", "subcontractors"}
    subject = set(AskedSubject.__struct_fields__) - {"standards"}
    assert result | subject <= set(Flags.__struct_fields__)


def test_flags_are_put_where_they_belong() -> None:
    flags = Flags(
        destination="US",
        known_at="2024-01-01",
        kind="test_report",
        issuer_number="fcc-designation:US5117",
        performed_on="2024-01-02",
        attests=("us-47cfr-15c",),
        subcontractor=("x-lab@KR", "Some House Ltd", "@DE"),
        standard=("ANSI C63.10",),
        origin="KR",
    )
    assert compose(flags) == {
        "destination": "US",
        "known_at": "2024-01-01",
        "result": {
            "kind": "test_report",
            "issuer": {"scheme": "fcc-designation", "value": "US5117"},
            "performed_on": "2024-01-02",
            "attests": ("us-47cfr-15c",),
            "subcontractors": [{"id": "x-lab", "economy": "KR"}, {"name": "Some House Ltd"}, {"economy": "DE"}],
        },
        "subject": {"origin": "KR", "standards": ("ANSI C63.10",)},
    }


def test_flags_leave_the_given_document_alone(question: dict[str, Any]) -> None:
    before = json.dumps(question)
    changed = compose(Flags(activity="for_cause", issuer_name="FDA"), question)
    assert json.dumps(question) == before
    assert changed["subject"] == {**question["subject"], "activity": "for_cause"}
    assert changed["result"]["issuer"] == {"name": "FDA"}


def test_a_document_with_odd_parts_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        compose(Flags(), {"result": "x", "subject": ["y"]})
    assert [fault.pointer for fault in refused.value.faults] == ["/result", "/subject", "--destination (/destination)"]


def test_the_address_of_the_feed_carries_the_question(asked: list[str], scratch: ScratchServer) -> None:
    done = invoke(*GMP, "--findings", "OAI", *asked, "--feed")
    assert done.exit_code == Exit.NOT_ACCEPTED
    assert done.stdout.count("\n") == 1
    base, _, query = done.stdout.strip().partition("?")
    assert base == f"{scratch.url}/v1/acceptance/changes.atom"
    pairs = dict(parse_qsl(query))
    assert (pairs["destination"], pairs["result.issuer.id"], pairs["result.performed_on.to"]) == (
        "DE",
        "us-fda",
        "2020-03-06",
    )
    assert invoke("--destination", "XX", *asked, "--feed").exit_code == Exit.REFUSED


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--standing-on", "2026-11-21"), {"standing": "true"}),
        (("--standing-on", "2026-01-15"), {"standing_on": "2026-01-15"}),
        (("--standing-on", "2026-01-15", "--known-at", "2026-01-15"), {"standing_on": "2026-01-15"}),
        (("--issued-on", "2020-03-10"), {}),
        (("--issued-on", "2020-03-10", "--presented-on", "2020-04-01"), {"presented_on": "2020-04-01"}),
    ],
)
def test_a_feed_goes_on_by_the_day_where_no_day_is_fixed(
    asked: list[str], flags: tuple[str, ...], told: dict[str, str]
) -> None:
    question = ("--destination", "DE", "--kind", "gmp_inspection", "--issuer", "us-fda", "--performed-in", "US")
    pairs = dict(parse_qsl(invoke(*question, *flags, *asked, "--feed").stdout.strip().partition("?")[2]))
    days = {name: value for name, value in pairs.items() if name in ("standing", "standing_on", "presented_on")}
    assert days == told
    assert "known_at" not in pairs


def test_a_question_that_no_address_can_hold_has_no_feed(
    asked: list[str], question: dict[str, Any], tmp_path: Path
) -> None:
    question["result"]["subcontractors"] = [{"name": f"Part {number}"} for number in range(5)]
    file = tmp_path / "question.json"
    file.write_text(json.dumps(question))
    done = invoke(str(file), *asked, "--feed")
    assert (done.exit_code, done.stdout) == (Exit.REFUSED, "")
    assert "/result/subcontractors" in done.stderr
