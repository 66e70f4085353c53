"""Files of the catalogue are read into records with their places; every fault names file and line."""

from pathlib import Path

import pytest

from cab_registry.domain.errors import Refusal
from cab_registry.domain.records import Route
from cab_registry.register.catalogue import catalogue_folder, load_catalogue, read_folder

ECONOMY = "type: economy\nid: {0}\nowner: registrar\ncode: {1}\nnames: {{en: Name}}\n"


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def told(folder: Path) -> list[str]:
    with pytest.raises(Refusal) as caught:
        load_catalogue(folder=folder)
    assert str(caught.value) == "the catalogue has faults"
    return [str(fault) for fault in caught.value.faults]


def test_records_stand_alone_in_lists_and_in_streams(tmp_path: Path) -> None:
    text = ECONOMY.format("xa", "XA") + "---\n- {type: economy, id: xb, owner: registrar, code: XB, names: {en: B}}\n"
    text += "- {type: economy, id: xc, owner: registrar, code: XC, names: {en: C}}\n"
    entries = load_catalogue(folder=write(tmp_path, law__all=text))
    assert [(entry.record.id, entry.place) for entry in entries] == [
        ("xa", "law/all.yaml:1"),
        ("xb", "law/all.yaml:7"),
        ("xc", "law/all.yaml:8"),
    ]
    assert entries[0].document == {
        "type": "economy",
        "id": "xa",
        "owner": "registrar",
        "code": "XA",
        "names": {"en": "Name"},
    }


def test_files_are_read_in_the_order_of_their_names_and_parts(tmp_path: Path) -> None:
    write(tmp_path, law__b=ECONOMY.format("xb", "XB"), law__a__z=ECONOMY.format("xa", "XA"))
    write(tmp_path, bodies__a=ECONOMY.format("xc", "XC"), elsewhere__a=ECONOMY.format("xd", "XD"))
    (tmp_path / "law" / "readme.txt").write_text("no record")
    assert [entry.record.id for entry in load_catalogue(folder=tmp_path)] == ["xa", "xb", "xc"]
    assert [entry.record.id for entry in load_catalogue(("bodies", "nowhere"), tmp_path)] == ["xc"]


def test_sources_reach_what_names_them_and_nothing_else(tmp_path: Path) -> None:
    member = "member_of: [{union: XU, from: 2001-01-01, source: S}]\n"
    write(
        tmp_path,
        law__sources="type: sources\ns: {title: Folder}\nt: {title: Not named}\n",
        law__deep__sources="type: sources\nd: {title: Deep}\n",
        law__deep__a=ECONOMY.format("xa", "XA")
        + member.replace("S", "s")
        + "---\n"
        + "type: sources\ns: {title: File}\n---\n"
        + ECONOMY.format("xb", "XB")
        + member.replace("S", "s")
        + "---\n"
        + ECONOMY.format("xc", "XC")
        + member.replace("S", "d")
        + "---\n"
        + ECONOMY.format("xd", "XD")
        + member.replace("S", "s")
        + "sources: {s: {title: Own}}\n",
        law__other=ECONOMY.format("xe", "XE"),
    )
    titles = {
        entry.record.id: [source.title for source in entry.record.sources.values()]
        for entry in load_catalogue(folder=tmp_path)
    }
    assert titles == {"xa": ["Folder"], "xb": ["File"], "xc": ["Deep"], "xd": ["Own"], "xe": []}


def test_templates_are_no_records(tmp_path: Path) -> None:
    text = "- template: true\n  shared: &s {type: economy, owner: registrar, names: {en: T}}\n"
    text += "- {<<: *s, id: xa, code: XA}\n"
    (entry,) = load_catalogue(folder=write(tmp_path, law__a=text))
    assert (entry.document["names"], entry.place) == ({"en": "T"}, "law/a.yaml:3")
    assert entry.located.place("/names/en") == "law/a.yaml:2"


def test_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    write(
        tmp_path,
        law__a=ECONOMY.format("xa", "XA") + "member_of:\n  - {union: XU, from: 2001-01-01, source: none}\n",
        law__b="just words\n",
        law__c=ECONOMY.format("xc", "NO"),
        law__d=ECONOMY.format("xd", "XD") + "member_of:\n  - {union: XU,\n     from: 2001-13-01}\n",
        law__e="a: [\n",
        law__sources="on: {title: X}\n",
    )
    moment = "write `always`, a day YYYY-MM-DD, or a window {not_before, not_after}; never null"
    assert told(tmp_path) == [
        "law/sources.yaml:1: the key 'on' is read as a boolean: write it in quotes",
        "law/a.yaml:1 /sources: the source 'none' is named but stated nowhere",
        "law/b.yaml:1: a record is a mapping of keys",
        "law/c.yaml:4 /code: unquoted NO is read as a boolean: write it in quotes",
        "law/c.yaml:4 /code: must be a text, not false",
        "law/d.yaml:8 /member_of/0/from: '2001-13-01' is no moment: " + moment,
        "law/e.yaml:2: no valid YAML: did not find expected node content",
    ]


def test_an_id_is_taken_once_over_all_types(tmp_path: Path) -> None:
    later = ECONOMY.format("xa", "XA") + "known_from: 2020-01-01\n"
    other = "type: authority\nid: xa\nowner: registrar\nnames: {en: A}\nknown_from: 2020-01-01\n"
    write(tmp_path, law__a=ECONOMY.format("xa", "XA") + "---\n" + later)
    assert [entry.record.known_from is not None for entry in load_catalogue(folder=tmp_path)] == [False, True]
    write(tmp_path, law__b=other, law__c=ECONOMY.format("xa", "XA"))
    assert told(tmp_path) == [
        "law/b.yaml:1 /id: the id 'xa' stands already in law/a.yaml:1",
        "law/c.yaml:1 /id: the id 'xa' stands already in law/a.yaml:1",
    ]


def test_a_folder_can_be_read_by_itself(tmp_path: Path) -> None:
    write(tmp_path, a=ECONOMY.format("xa", "XA"))
    entries, faults = read_folder(tmp_path)
    assert ([entry.place for entry in entries], faults) == (["a.yaml:1"], [])


def test_the_packaged_catalogue_is_there() -> None:
    assert (catalogue_folder() / "law").is_dir()
    assert len(load_catalogue()) > 1000


def test_a_report_judged_by_the_designation_of_the_days_of_work_is_judged_by_that_of_issue_too() -> None:
    for entry in load_catalogue(("law",)):
        route = entry.record
        if isinstance(route, Route) and "test_report" in route.result_kinds and route.issuer.designation is not None:
            clocks = {*(route.issuer.designation.on or ("issued",)), *route.clocks.reports}
            assert "performed" not in clocks or "issued" in clocks, route.id
