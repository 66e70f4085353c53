"""`cab watch` and `cab endpoint` on a real server."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from cab_cli.exits import Exit
from cab_cli.portfolios import read_portfolio
from cab_registry.domain.errors import Refusal
from cab_registry.services.watching.targets import MOST_ROWS
from tests.cli.officers import Office, Officer

HOOK = "http://127.0.0.1:9/hook"
MISSING = "w-0000000000000000"


@pytest.fixture
def importer(office: Office, request: pytest.FixtureRequest) -> Officer:
    """Somebody of the test's own, so that what is kept is theirs alone."""
    return office.officer("us-nist", who=request.node.name)


def test_a_record_is_watched_listed_shown_and_ended(importer: Officer) -> None:
    done = importer.types("watch", "add", "agreement", "apec-tel-us-kr", "--name", "Korea")
    assert done.exit_code == Exit.DONE, done.stderr
    watch = done.stdout.strip()
    assert f"cab watch notices {watch}" in done.stderr
    same = importer.types("watch", "add", "agreement", "apec-tel-us-kr", "--name", "Korea")
    assert same.stdout.strip() == watch
    scope = importer.does("watch", "add", "scope", "us-fda", "--sector", "pharma_gmp_human", "--destination", "EU")
    assert (scope["kind"], scope["watched"]) == ("scope", 1)
    assert [each["id"] for each in importer.does("watch", "list")["items"]] == [watch, scope["id"]]
    listed = importer.types("watch", "list").stdout
    assert watch in listed
    assert "Korea" in listed
    assert "scope us-fda pharma_gmp_human EU" in importer.types("watch", "show", scope["id"]).stdout
    assert importer.does("watch", "notices", watch) == {"items": [], "next": 0}
    assert importer.types("watch", "end", watch).exit_code == Exit.DONE
    assert [each["id"] for each in importer.does("watch", "list")["items"]] == [scope["id"]]
    assert len(importer.does("watch", "list", "--ended")["items"]) == 2


def test_questions_are_taken_by_flags_and_by_file(importer: Officer, question: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "question.json"
    file.write_text(json.dumps(question), "utf-8")
    kept = importer.does("watch", "question", file, "--name", "report 1")
    shown = importer.does("watch", "show", kept["id"])
    assert shown["items"][0]["answered"]["verdict"] == "accepted"
    assert shown["items"][0]["target"]["question"] == question
    told = importer.types("watch", "show", kept["id"]).stdout
    assert "gmp inspection by us-fda 2020-03-10 eu-gmp-human in DE" in told
    flags = ("--destination", "EU", "--kind", "gmp_inspection", "--issuer", "us-fda", "--performed-in", "US")
    about = ("--sector", "pharma_gmp_human", "--requirement", "eu-gmp-human", "--attests", "a", "--attests", "b")
    new = importer.does("watch", "standing", *flags, *about)
    asked = importer.does("watch", "show", new["id"])["items"][0]["target"]
    assert asked["kind"] == "standing"
    assert asked["question"]["result"]["attests"] == ["a", "b"]
    assert "standing_on" not in asked["question"]
    both = importer.types("watch", "question", file, "--issued-on", "2020-03-01")
    assert both.exit_code == Exit.REFUSED
    assert "--performed-on (/result/performed_on)" in both.stderr


TABLE = """\
row;kind;id;destination;result.kind;result.issuer.id;result.issued_on;subject.standards;subject.requirement
one;;;DE;gmp_inspection;us-fda;2020-03-10;S 1, S 2;eu-gmp-human
two;standing;;DE;gmp_inspection;us-fda;;;eu-gmp-human
three;scope;us-fda;DE;;;;;
four;agreement;apec-tel-us-kr;;;;;;
"""


def test_a_portfolio_is_read_from_a_table_and_from_lines(
    importer: Officer, question: dict[str, Any], tmp_path: Path
) -> None:
    table, lines = tmp_path / "suppliers.csv", tmp_path / "suppliers.jsonl"
    table.write_text(TABLE, "utf-8")
    kept = importer.does("watch", "portfolio", table, "--name", "suppliers")
    assert (kept["kind"], kept["watched"]) == ("portfolio", 4)
    targets = [each["target"] for each in importer.does("watch", "show", kept["id"])["items"]]
    assert [(each["row"], each["kind"]) for each in targets] == [
        ("one", "question"),
        ("two", "standing"),
        ("three", "scope"),
        ("four", "agreement"),
    ]
    assert (targets[2]["id"], targets[2]["destination"]) == ("us-fda", "DE")
    lines.write_text(json.dumps(question) + "\n\n" + json.dumps({"kind": "body", "id": "us-fda"}) + "\n", "utf-8")
    kept = importer.does("watch", "portfolio", lines)
    told = importer.types("watch", "show", kept["id"]).stdout
    assert "body us-fda" in told


def test_cells_hold_several_values_with_semicolons_between(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("subject.standards,result.subcontractors.0.economy\nS 1; S 2,KR\n", "utf-8")
    ((place, target),) = read_portfolio(table)
    assert place == f"{table}:2"
    assert target["question"] == {
        "subject": {"standards": ["S 1", "S 2"]},
        "result": {"subcontractors": [{"economy": "KR"}]},
    }


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", "destinaton,result.kind\nDE,x\n", ["a.csv:1", "did you mean destination?"]),
        ("a.csv", "destination,destination\nDE,EU\n", ["more than once"]),
        ("a.csv", "result.performed_on,result.performed_on.from\n2020-01-01,2020-01-01\n", ["a.csv:2", "in parts"]),
        ("a.csv", "destination\n", ["holds nothing"]),
        ("a.jsonl", "{\n[1]\n", ["a.jsonl:1", "a.jsonl:2", "no JSON object"]),
        ("a.doc", "x", ["neither"]),
        ("a.jsonl", None, ["cannot be read"]),
    ],
)
def test_a_file_that_is_no_portfolio_is_refused_with_its_lines(
    tmp_path: Path, name: str, content: str | None, told: list[str]
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_text(content, "utf-8")
    with pytest.raises(Refusal) as refusal:
        read_portfolio(file)
    words = "\n".join([str(refusal.value), *map(str, refusal.value.faults)])
    assert [part for part in told if part not in words] == []


def test_faults_of_the_server_name_the_lines_of_the_file(importer: Officer, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text(TABLE.replace("four;agreement;apec", "four;agreement;atec").replace("two;standing", "one;stnding"))
    done = importer.types("watch", "portfolio", table)
    assert done.exit_code == Exit.REFUSED
    assert f"{table}:3 /kind" in done.stderr
    table.write_text(TABLE.replace("four;agreement;apec", "one;agreement;atec"))
    done = importer.types("watch", "portfolio", table)
    assert f"{table}:5 /id: the register has no such agreement" in done.stderr
    assert f"{table}:5 /row" in done.stderr
    assert importer.does("watch", "list")["items"] == []


def test_all_faults_of_a_portfolio_come_in_one_round_with_what_was_meant(importer: Officer, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    wrong = TABLE.replace("one;;;DE", "one;;;Untied States").replace("2020-03-10;S", "10 March;S")
    wrong = wrong.replace("two;standing", "two;stnding").replace("agreement;apec-tel-us-kr", "agreement;apec-tel-us-k")
    table.write_text(
        wrong.replace("three;scope;us-fda;DE", "three;scope;us-fdaa;Germny").replace("row;", "rwo;"), "utf-8"
    )
    done = importer.types("watch", "portfolio", table)
    assert done.exit_code == Exit.REFUSED
    expected = [
        f"{table}:1: no column is called 'rwo'; did you mean row?",
        f"{table}:2 /question/destination: unknown economy Untied States. Did you mean US (United States)?",
        f"{table}:2 /question/result/issued_on",
        f"{table}:3 /kind: 'stnding' cannot be watched; did you mean standing?",
        f"{table}:4 /destination: unknown economy Germny. Did you mean DE (Germany)?",
        f"{table}:4 /id: the register has no such body; did you mean us-fda?",
        f"{table}:5 /id: the register has no such agreement; did you mean apec-tel-us-kr?",
    ]
    assert [each for each in expected if each not in done.stderr] == []
    assert "^[A-Z]" not in done.stderr
    assert done.stderr.index(f"{table}:2") < done.stderr.index(f"{table}:5")


def test_a_portfolio_is_read_in_the_words_of_people(importer: Officer, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    words = TABLE.replace("one;;;DE;gmp_inspection", "one;;;Germany;GMP inspection")
    words = words.replace("two;standing;;DE", "two;standing;;Allemagne").replace("us-fda;DE", "us-fda;UK")
    table.write_text(words, "utf-8")
    made = importer.does("watch", "portfolio", table, "--name", "words")
    shown = importer.does("watch", "show", made["id"])
    targets = {each["target"]["row"]: each for each in shown["items"]}
    assert targets["one"]["target"]["question"]["result"]["kind"] == "gmp_inspection"
    assert targets["one"]["answered"]["verdict"] == targets["two"]["answered"]["verdict"]
    assert targets["three"]["target"]["destination"] == "GB"


@pytest.mark.parametrize(("written", "meant"), [("FDA", "us-fda"), ("US-FDA", "us-fda")])
def test_an_authority_that_is_named_otherwise_is_told_by_its_id(
    importer: Officer, tmp_path: Path, written: str, meant: str
) -> None:
    table = tmp_path / "table.csv"
    table.write_text(f"row;kind;id\none;authority;{written}\n", "utf-8")
    done = importer.types("watch", "portfolio", table)
    assert f"{table}:2 /id: the register has no such authority; did you mean {meant}?" in done.stderr
    done = importer.types("watch", "add", "authority", written)
    assert f"/id: the register has no such authority; did you mean {meant}?" in done.stderr


def test_a_scope_is_narrowed_by_what_the_register_knows(importer: Officer) -> None:
    done = importer.types("watch", "add", "scope", "us-fda", "--sector", "pharma", "--destination", "Germny")
    assert "/destination: unknown economy Germny. Did you mean DE (Germany)?" in done.stderr
    assert "/sector: unknown sector pharma. Did you mean pharma_gmp_human" in done.stderr


def test_a_pdf_is_not_a_portfolio(importer: Officer, tmp_path: Path) -> None:
    for name in ("list.csv", "list.pdf", "list.xlsx", "list.jsonl"):
        file = tmp_path / name
        file.write_bytes(b"%PDF-1.7\n\xff\xfe\x00")
        done = importer.types("watch", "portfolio", file)
        assert (done.exit_code, "is a PDF, not a table" in done.stderr) == (Exit.REFUSED, True), done.stderr


def test_the_first_hundred_faults_of_a_portfolio_are_told_and_how_many_more(importer: Officer, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("kind,id\n" + "stnding,x\n" * 130, "utf-8")
    said = importer.types("watch", "portfolio", table).stderr
    assert (said.count("cannot be watched"), "it has 130 faults" in said, "and more" in said) == (100, True, True)


def test_an_endpoint_is_made_used_and_ended(importer: Officer) -> None:
    done = importer.types("endpoint", "add", HOOK)
    assert done.exit_code == Exit.DONE, done.stderr
    assert done.stdout.startswith("whsec_")
    (listed,) = importer.does("endpoint", "list")["items"]
    endpoint = listed["id"]
    assert endpoint in done.stderr
    watch = importer.does("watch", "add", "agreement", "apec-tel-us-kr", "--endpoint", endpoint)
    assert watch["endpoint"] == endpoint
    assert importer.does("endpoint", "test", endpoint) == {"notices": 1}
    assert importer.does("endpoint", "enable", endpoint) == {"notices": 0}
    assert importer.does("endpoint", "replay", endpoint, "--after", "0") == {"notices": 0}
    assert importer.does("endpoint", "deliveries", endpoint) == {"items": [], "next": None}
    rotated = importer.types("endpoint", "rotate", endpoint)
    assert rotated.stdout.startswith("whsec_")
    assert rotated.stdout != done.stdout
    told = "".join(importer.types("endpoint", step, endpoint).stderr for step in ("test", "enable"))
    assert "cab endpoint deliveries" in told
    table = importer.types("endpoint", "list").stdout
    assert "http://127.0.0.1/..." in table
    assert "hook" not in table.partition("http://127.0.0.1/...")[2]
    assert importer.types("endpoint", "end", endpoint).exit_code == Exit.DONE
    assert importer.does("endpoint", "list") == {"items": []}
    assert importer.does("watch", "show", watch["id"])["endpoint"] is None
    refused = importer.types("endpoint", "add", "http://10.0.0.1/")
    assert (refused.exit_code, "public addresses" in refused.stderr) == (Exit.REFUSED, True)
    mail = importer.types("endpoint", "add", "ana@importer.example")
    assert (mail.stdout, "Follow the link" in mail.stderr) == ("", True)


def test_what_is_anothers_is_not_there(office: Office, importer: Officer) -> None:
    other = office.officer("us-nist", who="another importer")
    watch = importer.does("watch", "add", "agreement", "apec-tel-us-kr")["id"]
    for words in (("show", watch), ("notices", watch), ("end", watch), ("show", MISSING)):
        done = other.types("watch", *words)
        assert done.exit_code == Exit.REFUSED
        assert "no such watch" in done.stderr
    auditor = office.officer("us-nist", "auditor")
    assert watch in [each["id"] for each in auditor.does("watch", "list", "--everyone")["items"]]


def test_a_watch_by_mail_needs_no_token(office: Office, tmp_path: Path) -> None:
    guest = Officer(office.server, "", tmp_path)
    done = guest.types("watch", "add", "agreement", "apec-tel-us-kr", "--mail", "ana@importer.example")
    assert done.exit_code == Exit.DONE, done.stderr
    assert done.stdout == ""
    assert "follow the link" in done.stderr
    answer = guest.does("watch", "add", "agreement", "apec-tel-us-kr", "--mail", "ana@importer.example")
    assert answer["state"] == "unconfirmed"
    without = guest.types("watch", "add", "agreement", "apec-tel-us-kr")
    assert (without.exit_code, "there is no token" in without.stderr) == (Exit.REFUSED, True)
    wrong = guest.types("watch", "add", "agreement", "nowhere", "--mail", "nobody")
    assert wrong.exit_code == Exit.REFUSED
    assert "/mail" in wrong.stderr
    assert "/targets/0/id" in wrong.stderr


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_portfolio_is_read_as_far_as_a_watch_goes(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"many.{ending}"
    lines = ["kind,id"] if ending == "csv" else []
    line = "body,us-x" if ending == "csv" else '{"kind":"body","id":"us-x"}'
    file.write_text("\n".join([*lines, *[line] * (MOST_ROWS + 1)]))
    with pytest.raises(Refusal, match="more than 5000 rows"):
        read_portfolio(file)
    file.write_text("\n".join([*lines, *[line] * MOST_ROWS]))
    assert len(read_portfolio(file)) == MOST_ROWS
    file.write_text("\n".join([*lines, *[line] * 100_000]))
    began = time.process_time()
    with pytest.raises(Refusal, match="more than 5000 rows"):
        read_portfolio(file)
    assert time.process_time() - began < 3
