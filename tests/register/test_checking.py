"""Every kind of error in the catalogue is found, with file and line; the catalogue itself has none."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cab_registry.domain.days import ALL_TIME, Period, parse_when
from cab_registry.domain.records import Agreement, Authority, read_record
from cab_registry.register.catalogue import load_catalogue
from cab_registry.register.checking import check_catalogue, check_record, day_keys, latest_entries
from cab_registry.register.examples import list_examples
from cab_registry.register.intervals import overlap
from cab_registry.register.references import list_known

HERE = Path(__file__).parent
CODE = HERE.parents[1] / "cab_registry"
BAD = sorted((HERE / "bad").glob("*.yaml"))
GENERIC = {
    "registrar",  # the authority that keeps the register itself
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "law").mkdir()
    shutil.copy(HERE / "good.yaml", tmp_path / "law" / "good.yaml")
    return tmp_path


def expected(path: Path) -> Iterator[tuple[str, str]]:
    """Yield `file:line` and the beginning of each message that a comment `#!` announces."""
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        for message in line.split("  #! ")[1:]:
            yield f"law/{path.name}:{number}", message


def test_a_good_register_has_no_fault(folder: Path) -> None:
    report = check_catalogue(folder)
    assert report.faults == ()
    assert report.counts.by_type["authority"] == 4
    assert report.counts.by_part == {"law/good.yaml": 14}


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_each_kind_of_error_is_told_with_file_and_line(path: Path, folder: Path) -> None:
    shutil.copy(path, folder / "law" / path.name)
    wanted = sorted(expected(path))
    told = sorted((fault.place, fault.message) for fault in check_catalogue(folder).faults)
    assert wanted
    unannounced = [
        (place, text) for place, text in told if not any(place == p and text.startswith(m) for p, m in wanted)
    ]
    untold = [(place, m) for place, m in wanted if not any(place == p and text.startswith(m) for p, text in told)]
    assert (unannounced, untold) == ([], [])
    assert len(told) == len(wanted)


def test_faults_stand_in_the_order_of_files_and_lines(folder: Path) -> None:
    for path in BAD[:3]:
        shutil.copy(path, folder / "law" / path.name)
    places = [fault.place.rpartition(":") for fault in check_catalogue(folder).faults]
    assert [(file, int(line)) for file, _, line in places] == sorted((file, int(line)) for file, _, line in places)


def test_the_catalogue_has_no_fault() -> None:
    report = check_catalogue()
    assert [str(fault) for fault in report.faults] == []
    assert report.counts.records == sum(report.counts.by_type.values())
    assert min(report.counts.by_type.values()) > 0


def test_a_later_version_is_no_second_record(folder: Path) -> None:
    text = (
        "type: economy\nid: xc\nowner: registrar\ncode: XC\nnames: {en: C}\n---\n"
        "type: economy\nid: xc\nowner: registrar\ncode: XC\nnames: {en: See}\nknown_from: 2020-01-01\n"
    )
    (folder / "law" / "two.yaml").write_text(text)
    report = check_catalogue(folder)
    assert report.faults == ()
    assert (report.counts.records, report.counts.versions) == (15, 16)
    (latest,) = (entry for entry in latest_entries(load_catalogue(folder=folder)) if entry.record.id == "xc")
    assert latest.document["names"] == {"en": "See"}
    earlier_last = text.replace("owner: registrar", "owner: registrar\nknown_from: 2021-01-01", 1)
    (folder / "law" / "two.yaml").write_text(earlier_last)
    assert check_catalogue(folder).faults == ()
    (latest,) = (entry for entry in latest_entries(load_catalogue(folder=folder)) if entry.record.id == "xc")
    assert latest.document["names"] == {"en": "C"}


def test_a_record_that_comes_alone_is_checked_against_what_is_known() -> None:
    document = list_examples("recognition")[0]
    messages = [
        f"{fault.pointer} {fault.message}" for fault in check_record(read_record(document), document, list_known([]))
    ]
    assert messages == [
        "/owner no authority has the id 'xb-radio-office'",
        "/body neither a body nor an authority has the id 'example-laboratory'",
        "/by neither the id of an authority nor the code of a party: 'xb-radio-office'",
        "/agreement no agreement has the id 'xa-xb-mra'",
        "/scope/0/requirement no requirement has the id 'xb-radio-rules'",
    ]  # fmt: skip


def test_the_keys_of_days_are_read_from_the_structs() -> None:
    assert {"from", "until", "on", "invalid_from", "as_of", "read_on", "issued_before", "not_after"} <= day_keys()
    assert not {"agreement", "days", "clock", "annex"} & day_keys()


@pytest.mark.parametrize(
    ("one", "two", "certain"),
    [
        ((("2001-01-01"), "2001-12-31"), ("2002-01-01", "2002-12-31"), False),
        ((("2001-01-01"), "2002-01-01"), ("2002-01-01", "2002-12-31"), True),
        (("2001-01-01", {"not_before": "2001-12-01"}), ("2002-01-01", "2002-12-31"), False),
        (("always", {"not_before": "2001-12-01"}), ("2001-12-01", "2002-12-31"), True),
        (({"not_after": "2002-01-02"}, "2002-12-31"), ("2002-01-01", "2002-01-01"), False),
    ],
)
def test_only_a_certain_overlap_counts(one: tuple[object, object], two: tuple[object, object], certain: bool) -> None:
    first, second = (Period(parse_when(start), parse_when(end)) for start, end in (one, two))
    assert overlap(first, second) is overlap(second, first) is certain
    assert overlap(first, ALL_TIME) or first.start.latest > first.end.earliest


def words_of(path: Path) -> set[str]:
    """Return the words of a module, ids in kebab-case as one word each."""
    text = path.read_text("utf-8")
    return set(re.findall(r"[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*", text))


def test_code_knows_no_agreement_and_no_authority() -> None:
    records = [entry.record for entry in load_catalogue()]
    names = {record.id for record in records if isinstance(record, Agreement | Authority)} - GENERIC
    titles = {record.short for record in records if isinstance(record, Agreement)} - {""}
    titles |= {name for record in records if isinstance(record, Authority) for name in record.names.values()}
    found = {}
    for part in ("engine", "domain", "register"):
        for path in sorted((CODE / part).rglob("*.py")):
            text = path.read_text("utf-8")
            known = (words_of(path) & names) | {title for title in titles if len(title) > 6 and title in text}
            if known:
                found[str(path.relative_to(CODE))] = sorted(known)
    assert len(names) > 200
    assert found == {}
