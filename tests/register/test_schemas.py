"""Schemas and decoder say the same, and every fault is told with its place."""

import json
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from msgspec import Meta

from cab_registry.domain.answer import Answer
from cab_registry.domain.question import AskedQuestion, read_question
from cab_registry.domain.records import RECORD_TYPES, read_record
from cab_registry.register.examples import list_examples
from cab_registry.register.meanings import meaning_of
from cab_registry.register.schemas import (
    ANSWER,
    QUESTION,
    _schema_of,
    list_faults,
    list_question_faults,
    make_schema,
    make_validator,
    render_files,
    schema_names,
    write_files,
)
from cab_registry.register.yaml_text import read_yaml
from tests.register.documents import changed, valid_documents
from tests.sizes import sized

CHECKOUT = Path(__file__).resolve().parents[2]
SHAPES, SHAPE_FAULTS = read_yaml((Path(__file__).parent / "shapes.yaml").read_text("utf-8"), "shapes.yaml")
AGREE = settings(
    max_examples=sized(60, whole=600), suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


def nodes(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [value, *(found for part in value.values() for found in nodes(part))]
    if isinstance(value, list):
        return [found for part in value for found in nodes(part)]
    return []


def decodes(document: object, *, question: bool = False) -> bool:
    try:
        read_question(document) if question else read_record(document)  # type: ignore[arg-type] # what it refuses is the point
    except msgspec.ValidationError:
        return False
    return True


def example(name: str, /, **changes: Any) -> dict[str, Any]:
    return {**list_examples(name)[0], **changes}


def told(document: object) -> list[str]:
    return [str(fault) for fault in list_faults(document)]


def test_the_committed_files_are_what_the_structs_give() -> None:
    stale = [path for path, text in render_files().items() if (CHECKOUT / path).read_text("utf-8") != text]
    assert stale == [], "run python -m cab_registry.register.schemas --write"
    assert {path.stem for path in (CHECKOUT / "schemas").glob("*.json")} == set(schema_names())


def test_writing_changes_only_what_differs(tmp_path: Path) -> None:
    assert write_files({"a/b.json": "1", "c.md": "2"}, tmp_path) == ["a/b.json", "c.md"]
    assert write_files({"a/b.json": "1", "c.md": "3"}, tmp_path) == ["c.md"]
    assert (tmp_path / "c.md").read_text() == "3"


@pytest.mark.parametrize("name", schema_names())
def test_each_schema_is_one_of_2020_12_and_closed(name: str) -> None:
    schema = make_schema(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"].endswith("draft/2020-12/schema")
    assert schema["$id"].startswith("urn:cab-registry:schema:")
    assert schema["title"]
    assert schema["examples"]
    for node in nodes(schema):
        if isinstance(node.get("properties"), dict) and "type" in node:
            assert node["additionalProperties"] is False


def test_ids_of_schemas_are_unique() -> None:
    ids = [make_schema(name)["$id"] for name in schema_names()]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", schema_names())
def test_each_field_says_what_it_means(name: str) -> None:
    schema = make_schema(name)
    for part in (schema, *schema["$defs"].values()):
        assert part["description"]
        for field in part.get("properties", {}).values():
            assert field.get("description"), (part["title"], field)


def test_a_field_without_meaning_has_none() -> None:
    assert meaning_of("Route", "no_such_field") is None


@pytest.mark.parametrize("name", schema_names())
def test_each_format_is_checked(name: str) -> None:
    formats = {node["format"] for node in nodes(make_schema(name)) if isinstance(node.get("format"), str)}
    assert formats <= set(FormatChecker.checkers)
    assert formats <= {"date"}


@pytest.mark.parametrize("name", schema_names())
def test_each_example_is_valid(name: str) -> None:
    for document in make_schema(name)["examples"]:
        make_validator(name).validate(document)
        if name == QUESTION:
            assert list_question_faults(document) == []
        elif name == ANSWER:
            msgspec.convert(document, Answer)
        else:
            assert document["type"] == name
            assert list_faults(document) == []
            read_record(document)


def test_an_answer_validates_as_it_is_written() -> None:
    answer = msgspec.convert(list_examples(ANSWER)[0], Answer)
    make_validator(ANSWER).validate(json.loads(msgspec.json.encode(answer)))


@pytest.mark.parametrize("located", SHAPES, ids=lambda located: located.value["type"])
def test_the_shapes_of_the_design_are_valid(located: Any) -> None:
    assert SHAPE_FAULTS == []
    assert list_faults(located.value) == []
    make_validator(located.value["type"]).validate(located.value)


def test_the_shapes_show_every_type_but_those_of_equal_build() -> None:
    assert {located.value["type"] for located in SHAPES} == set(RECORD_TYPES)


@AGREE
@given(st.sampled_from(sorted(RECORD_TYPES)).flatmap(lambda name: valid_documents(RECORD_TYPES[name])))
def test_what_the_structs_give_is_valid_for_both(document: dict[str, Any]) -> None:
    assert list_faults(document) == []
    assert list(make_validator(document["type"]).iter_errors(document)) == []


@AGREE
@given(st.sampled_from(sorted(RECORD_TYPES)).flatmap(lambda name: changed(valid_documents(RECORD_TYPES[name]))))
def test_decoder_and_schema_agree_on_changed_records(document: dict[str, Any]) -> None:
    valid = decodes(document)
    assert (list_faults(document) == []) is valid
    if isinstance(document.get("type"), str) and document["type"] in RECORD_TYPES:
        assert make_validator(document["type"]).is_valid(document) is valid


@AGREE
@given(st.one_of(valid_documents(AskedQuestion), changed(valid_documents(AskedQuestion))))
def test_decoder_and_schema_agree_on_questions(document: dict[str, Any]) -> None:
    valid = decodes(document, question=True)
    assert (list_question_faults(document) == []) is valid
    assert make_validator(QUESTION).is_valid(document) is valid


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "a record is an object with keys"),
        ({}, "/type: `type` is missing; it is one of: economy, authority,"),
        ({"type": "rout"}, "/type: 'rout' is no type of record; it is one of: economy, authority,"),
        ({"type": 4}, "/type: 4 is no type of record"),
        (example("economy", code="Xa"), "/code: 'Xa' has not the form of an economy's code: capital letters"),
        (example("economy", names={}), "/names: must hold at least one of: any key"),
        (example("economy", kind="land"), "/kind: 'land' is not one of: economy, region, union"),
        (example("economy", name="x"), "/name: unknown key `name`; did you mean `names`?; allowed: type, id, owner,"),
        (example("economy", known_from=4), "/known_from: 4 is no moment: write `always`, a day YYYY-MM-DD, or"),
        (example("economy", known_from="2021-02-30"), "/known_from: '2021-02-30' is no moment"),
        (example("economy", known_from=["x"]), "/known_from: a list is no moment"),
        (example("economy", note=4), "/note: 4 does not fit here: write a text or null"),
        (example("economy", sources={"s": {}}), "/sources/s/title: `title` is missing: Title of the page or document."),
        (example("route", territory={}), "/territory: an object does not fit here: write one of: any or a list"),
        (example("route", importer=[]), "/importer: must hold at least 1"),
        (example("route", importer=[5]), "/importer/0: 5 does not fit here: write a text or an object with keys"),
        (example("route", title=True), "/title: must be a text, not true"),
        (example("route", citation=""), "/citation: must not be empty"),
        (example("route", citation="x" * 4001), "/citation: is longer than 4000 characters"),
        (
            example("coverage", as_of={"not_before": "2021-02-01", "not_after": "2021-01-01"}),
            "/as_of: the window is empty: not_before lies after not_after",
        ),
        (example("coverage", as_of={}), "/as_of: must hold at least one of: not_before, not_after"),
        (example("coverage", as_of={"not_before": "x"}), "/as_of/not_before: 'x' is not a day: write YYYY-MM-DD"),
        (example("coverage", list="x" * 90), "/list: 'xxxx"),
        (example("coverage", **{"a/b~": 1}), "/a~1b~0: unknown key `a/b~`"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_place_and_what_is_allowed(document: object, message: str) -> None:
    assert any(line.startswith(message) for line in told(document)), told(document)


def test_all_faults_are_told_at_once_in_order() -> None:
    document = example("body", economy="?", kinds=[], names=[{"name": "A", "from": None}, {"name": ""}])
    document["ownership"] = [{"fact": "first_party", "from": "always", "share": 101}] * 2 + [
        {"fact": "first_party", "from": "always", "share": -1}
    ]
    assert [fault.pointer for fault in list_faults(document)] == [
        "/economy",
        "/kinds",
        "/names/0/from",
        "/names/1/from",
        "/names/1/name",
        "/ownership/0/share",
        "/ownership/1/share",
        "/ownership/2/share",
    ]


def test_faults_of_questions_are_told() -> None:
    assert [str(fault) for fault in list_question_faults([])] == ["a question is an object with keys"]
    document = example(QUESTION, subject={"standards": ["x"] * 101, "origin": ""})
    del document["destination"]
    assert [fault.pointer for fault in list_question_faults(document)] == [
        "/destination",
        "/subject/origin",
        "/subject/standards",
    ]


def test_a_meaning_is_the_fields_own_or_that_of_its_name_or_of_its_type() -> None:
    class Explained(msgspec.Struct):
        """A struct with fields that are explained in several places."""

        own: Annotated[int, Meta(description="Its own.")]
        site: str
        typed: Annotated[int, Meta(description="Its type's.")] | None
        nowhere: int

    fields = _schema_of(Explained, "urn:test", [])["properties"]
    told = [field.get("description") for field in fields.values()]
    assert told == ["Its own.", "Key of the site.", "Its type's.", None]


def test_no_schema_is_made_of_a_foreign_type() -> None:
    class Foreign(msgspec.Struct):
        """A struct with a type of which no schema is known."""

        id: complex

    with pytest.raises(TypeError, match="complex'> is not supported"):
        _schema_of(Foreign, "urn:test", [])


def test_what_only_the_decoder_refuses_stays_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cab_registry.register.schemas.list_wrong", lambda *_: [])
    assert told(example("economy", note=4)) == ["Expected `str | null`, got `int` - at `$.note`"]
