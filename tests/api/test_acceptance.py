import json
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from cab_registry.domain.question import pose, read_question
from cab_registry.engine.answer import answer
from cab_registry.register.compiled import Register
from cab_registry.services.flat import write_flat
from tests.api.conftest import TODAY, Asker, question


def flat(asked: dict[str, Any], *more: tuple[str, str]) -> str:
    return f"/v1/acceptance?{urlencode([*write_flat(asked), *more])}"


async def test_an_accepted_report(ask: Asker) -> None:
    response = await ask.post(question())
    assert response.status_code == 200
    given = response.json()
    assert (given["verdict"], given["route"]["agreement"]) == ("accepted", "apec-tel-us-kr")
    assert given["asked"]["presented_on"] == "2019-06-10"
    assert given["asked"]["known_on"] == TODAY.isoformat()


async def test_it_is_the_librarys_answer_byte_for_byte_but_for_asked(ask: Asker, scratch_register: Register) -> None:
    asked = question(result__issued_on="2017-02-15", result__performed_on="2017-02-14")
    library = answer(pose(read_question(asked), today=TODAY), scratch_register.facts)
    given = (await ask.post(asked)).json()
    assert list(given) == list(msgspec.to_builtins(library))
    assert given | {"asked": 0} == msgspec.to_builtins(library) | {"asked": 0}


@pytest.mark.parametrize(
    "asked",
    [
        question(),
        question(result__performed_on="2019-05-15"),
        question(result__attests=["us-47cfr-15c", "ca-rss"], subject__standards=["ANSI C63.10"]),
        question(result__subcontractors=[{"name": "Anyone", "economy": "KR"}, {"id": "x-kr-lab"}]),
        question(result__issuer={"scheme": "fcc-designation", "value": "KR9999"}),
        question(result__issuer={"name": "prüflabor  suwon"}),
        question(known_at="2020-01-01"),
    ],
)
async def test_get_and_post_agree(ask: Asker, asked: dict[str, Any]) -> None:
    by_post = await ask.post(asked)
    by_get = await ask.get(flat(asked))
    assert by_post.status_code == by_get.status_code == 200
    assert by_post.content == by_get.content
    assert by_post.headers["etag"] == by_get.headers["etag"]


async def test_an_issuer_that_nobody_knows_gets_an_answer(ask: Asker) -> None:
    response = await ask.post(question(result__issuer={"name": "Nobody & Sons"}, result__issuer_economy="KR"))
    assert response.status_code == 200
    assert (response.json()["verdict"], response.json()["missing"]) == ("cannot_tell", ["result.issuer"])


async def test_a_name_that_several_bear_gets_the_candidates(ask: Asker, scratch_register: Register) -> None:
    name, ids = next((name, ids) for name, ids in scratch_register.facts.names.items() if len(ids) > 1)
    response = await ask.post(question(result__issuer={"name": name}, result__issuer_economy="KR"))
    assert response.status_code == 200
    assert response.json()["candidates"] == list(ids)


async def test_presented_on_defaults_to_today_of_the_clock(ask: Asker) -> None:
    given = (await ask.post(question(presented_on=None))).json()
    assert given["asked"]["presented_on"] == TODAY.isoformat()


async def test_a_report_may_be_issued_after_it_is_presented(ask: Asker) -> None:
    assert (await ask.post(question(presented_on="2019-01-01"))).status_code == 200


@pytest.mark.parametrize(
    ("asked", "pointers"),
    [
        (question(destination="ZZ"), ["/destination"]),
        (question(destination="EFTA"), ["/destination"]),
        (question(result__kind="test_reprot"), ["/result/kind"]),
        (question(result__kind=...), ["/result/kind"]),
        (question(resutl={}), ["/resutl"]),
        (question(result__issued="2019-05-16"), ["/result/issued"]),
        (question(result__issued_on="2019-02-30"), ["/result/issued_on"]),
        (question(result__issued_on="2019-05-16T00:00:00"), ["/result/issued_on"]),
        (question(result__issued_on=20190516), ["/result/issued_on"]),
        (question(known_at="2020-01-01T10:00:00"), ["/known_at"]),
        (question(known_at="2020-02-30"), ["/known_at"]),
        (question(known_at="yesterday"), ["/known_at"]),
        (question(result__performed_on="2019-05-17"), ["/result/performed_on"]),
        (question(result__issuer={"value": "KR9999", "id": "a"}), ["/result/issuer"]),
        (question(result__issuer={"scheme": "fcc-designation"}), ["/result/issuer"]),
        (question(result__issuer={"id": "a", "name": "b"}), ["/result/issuer"]),
        (
            question(result__issuer=..., result__issued_on=..., result__performed_on=...),
            ["/result/issued_on", "/result/issuer"],
        ),
        (
            question(destination="ZZ", result__kind="x", subject__sector="", nonsense=1),
            ["/destination", "/nonsense", "/result/kind", "/subject/sector"],
        ),
        (
            question(destination=..., result__issuer={"scheme": "nando"}, result__performed_on="2019-05-17"),
            ["/destination", "/result/issuer", "/result/performed_on"],
        ),
        (question(result__issued_on="x", result__performed_on=...), ["/result/issued_on"]),
        (question(result__issued_on=..., result__performed_on="x"), ["/result/performed_on"]),
        (question(result="x"), ["/result"]),
        ([], [""]),
    ],
)
async def test_every_fault_is_listed(ask: Asker, asked: Any, pointers: list[str]) -> None:
    response = await ask.post(asked)
    problem = response.json()
    assert response.status_code == 422
    assert problem["type"] == "/problems/impossible-question"
    assert sorted({fault["pointer"] for fault in problem["faults"]}) == pointers
    assert all(fault["message"] for fault in problem["faults"])


@pytest.mark.parametrize(
    ("written", "meant"), [("Koera", "KR"), ("Untied States", "US"), ("ZB", ""), ("Deutschand", "DE"), ("GBR1", "GB")]
)
async def test_an_unknown_economy_is_told_with_what_was_meant(ask: Asker, written: str, meant: str) -> None:
    problem = (await ask.post(question(destination=written))).json()
    (fault,) = problem["faults"]
    assert fault["message"].lower().startswith(f"unknown economy {written}".lower())
    assert not meant or f"Did you mean {meant} (" in fault["message"] or f" {meant} (" in fault["message"]


@pytest.mark.parametrize("written", ["TPE", "Nigeria", "Namibia", "Jersey", "NI", "North Korea", "Guinea"])
async def test_an_economy_that_is_like_none_is_told_without_a_guess(ask: Asker, written: str) -> None:
    (fault,) = (await ask.post(question(destination=written))).json()["faults"]
    assert fault["message"] == f"unknown economy {written}; write a code such as DE, or a name such as Germany"


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("EEA", "EEA (European Economic Area) is not a single market; name EU or IS or LI or NO"),
        ("EFTA", "EFTA (European Free Trade Association) is not a single market; name CH or IS or LI or NO"),
        ("Every economy", "WORLD (Every economy) is not a single market; name one economy, such as DE"),
    ],
)
async def test_what_is_no_single_market_is_refused_with_what_to_name(ask: Asker, written: str, named: str) -> None:
    (fault,) = (await ask.post(question(destination=written))).json()["faults"]
    assert (fault["pointer"], fault["message"]) == ("/destination", named)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("England", "GB"), ("Scotland", "GB"), ("Wales", "GB"), ("DEU", "DE"), ("KOR", "KR"), ("JPN", "JP"),
        ("TWN", "TW"), ("HKG", "HK"), ("ISR", "IL"), ("日本", "JP"), ("대한민국", "KR"), ("Ελλάδα", "GR"),
        ("Allemagne", "DE"), ("XI", "GB-NIR"), ("European Union", "EU"),
    ],
)  # fmt: skip
async def test_economies_are_read_by_the_codes_and_names_that_people_write(ask: Asker, written: str, code: str) -> None:
    given = (await ask.post(question(destination=written))).json()
    assert any(f"({code})" in text for text in given["assumptions"]), given
    assert given["verdict"] == (await ask.post(question(destination=code))).json()["verdict"]


@pytest.mark.parametrize(
    ("asked", "missing", "candidates"),
    [
        ({"result__issuer": ..., "result__issuer_economy": "Koera"}, "result.issuer_economy", ["KR"]),
        ({"result__issuer": ..., "result__issuer_economy": "Nigeria"}, "result.issuer_economy", []),
        ({"result__issuer": ..., "result__issuer_economy": "EFTA"}, "result.issuer_economy", []),
        ({"result__issuer": ..., "result__issuer_economy": "NI"}, "result.issuer_economy", []),
    ],
)
async def test_an_economy_that_is_not_known_leaves_the_answer_open(
    ask: Asker, asked: dict[str, Any], missing: str, candidates: list[str]
) -> None:
    """Domain, section 9, point 16: what does not resolve does not decide; only the market must be known."""
    response = await ask.post(question(**asked))
    assert response.status_code == 200
    given = response.json()
    assert (given["verdict"], given["candidates"]) == ("cannot_tell", candidates)
    assert missing in given["missing"]
    assert "we do not know the economy" in given["headline"]


async def test_every_fault_of_a_question_without_a_result_is_told_at_once(ask: Asker) -> None:
    faults = (await ask.post({"destination": "DE"})).json()["faults"]
    assert sorted(fault["pointer"] for fault in faults) == ["/result/issued_on", "/result/issuer", "/result/kind"]


@pytest.mark.parametrize(("query", "meant"), [("result.issued", "result.issued_on"), ("result.issuer.nam", "name")])
async def test_a_parameter_that_was_broken_off_is_told_with_its_whole_name(ask: Asker, query: str, meant: str) -> None:
    faults = (await ask.get(f"/v1/acceptance?{query}=x")).json()["faults"]
    (told,) = [fault["message"] for fault in faults if fault["pointer"] == f"/{query}"]
    assert told.startswith("unknown parameter; did you mean")
    assert told.endswith(f"{meant}?")


async def test_a_key_that_was_broken_off_is_told_with_its_whole_name(ask: Asker) -> None:
    (fault,) = (await ask.post(question(result__issued="2019-05-16"))).json()["faults"]
    assert "did you mean `issued_on`?" in fault["message"]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("01/02/2025", "'01/02/2025' can mean two days: write 2025-01-02 or 2025-02-01"),
        ("10.03.2025", "'10.03.2025' is a day in another form: write 2025-03-10"),
        ("2025-02-30", "'2025-02-30' is not a day of the calendar: day is out of range for month"),
    ],
)
async def test_a_day_in_another_form_is_told_as_such(ask: Asker, written: str, told: str) -> None:
    (fault,) = (await ask.post(question(presented_on=written))).json()["faults"]
    assert (fault["pointer"], fault["message"]) == ("/presented_on", told)


async def test_taken_shows_a_number_in_the_words_of_the_question(ask: Asker) -> None:
    given = (await ask.post(question(result__issuer={"scheme": "fcc", "value": "KR9999"}))).json()
    issuer = given["taken"]["issuer"]
    assert (issuer["asked"], issuer["id"], issuer["how"]) == ("KR9999 (fcc)", "x-kr-lab", "fold")
    said = "'fcc KR9999' is read as number KR9999 (test firm designated to the FCC): "
    assert any(text.startswith(said) for text in given["assumptions"])
    plain = (await ask.post(question(result__issuer={"scheme": "fcc-designation", "value": "KR9999"}))).json()
    assert (plain["taken"]["issuer"]["how"], plain["verdict"]) == ("number", given["verdict"])


async def test_an_economy_and_a_kind_are_read_as_people_write_them(ask: Asker) -> None:
    coded = (await ask.post(question(destination="US"))).json()
    named = (await ask.post(question(destination="United States of America", result__kind="Test report"))).json()
    assert named["verdict"] == coded["verdict"]
    assert any("United States" in text for text in named["assumptions"])


async def test_an_answer_shows_whom_and_what_it_took(ask: Asker) -> None:
    given = (await ask.post(question(subject__requirement="47 CFR Part 15, Subpart C"))).json()
    assert given["taken"]["requirement"]["how"] == "fold"
    assert given["taken"]["requirement"]["id"] == "us-47cfr-15c"
    assert set(given["taken"]) == {"issuer", "requirement", "site"}


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"a": "\xed\xa0\x80"}', b"[" * 60_000])
async def test_what_is_no_json_cannot_be_read(ask: Asker, content: bytes) -> None:
    response = await ask.post(content)
    assert (response.status_code, response.json()["type"]) == (400, "/problems/unreadable")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("destinaton=US", "/destinaton"),
        ("destination=US&destination=CA", "/destination"),
        ("destination=US&result.issuer=fcc", "/result.issuer"),
        ("result.performed_on=2019-01-01&result.performed_on.from=2019-01-01", "/result/performed_on"),
        ("result.subcontractors.1.id=a", "/result/subcontractors"),
        ("destination=", "/destination"),
        ("result.issued_on=1577836800", "/result/issued_on"),
    ],
)
async def test_parameters_are_read_strictly(ask: Asker, query: str, pointer: str) -> None:
    response = await ask.get(f"/v1/acceptance?{query}")
    assert response.status_code == 422
    assert pointer in [fault["pointer"] for fault in response.json()["faults"]]


@pytest.mark.parametrize("query", ["at_least=-1", "at_least=x", "at_least=1&at_least=2", "at_lest=1"])
async def test_post_takes_no_parameters_but_at_least(ask: Asker, query: str) -> None:
    response = await ask.post(question(), params=query)
    assert (response.status_code, response.json()["type"]) == (422, "/problems/wrong-parameters")


async def test_a_misspelt_parameter_gets_a_hint(ask: Asker) -> None:
    response = await ask.get("/v1/acceptance?result.isuer.id=x")
    assert "did you mean result.issuer.id?" in response.text


async def test_a_query_that_is_no_utf8(ask: Asker) -> None:
    response = await ask.get("/v1/acceptance?destination=%ff")
    assert (response.status_code, response.json()["type"]) == (400, "/problems/unreadable")


async def test_a_large_body_is_not_read(ask: Asker) -> None:
    response = await ask.post(b" " * 10_000_000)
    assert (response.status_code, response.json()["type"]) == (413, "/problems/body-too-large")


@pytest.mark.parametrize("kind", ["text/plain", "", "application/xml", "application/json; charset=latin-1"])
async def test_another_content_type_is_refused(ask: Asker, kind: str) -> None:
    response = await ask.post(question(), headers={"content-type": kind})
    assert (response.status_code, response.json()["type"]) == (415, "/problems/unsupported-media-type")


async def test_a_client_that_has_the_answer_gets_none(ask: Asker) -> None:
    first = await ask.get(flat(question()))
    tag = first.headers["etag"]
    for sent in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await ask.get(flat(question()), headers={"if-none-match": sent})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = await ask.get(flat(question(presented_on="2019-06-11")), headers={"if-none-match": tag})
    assert other.status_code == 200


async def test_today_and_its_day_have_one_tag_only_if_they_mean_the_same(ask: Asker) -> None:
    by_default = await ask.post(question(presented_on=None))
    other_day = await ask.post(question(presented_on="2026-11-19"))
    assert by_default.headers["etag"] != other_day.headers["etag"]


async def test_a_position_that_a_scratch_register_has_not(ask: Asker) -> None:
    response = await ask.post(question(), params={"at_least": 7})
    assert (response.status_code, response.json()["type"]) == (422, "/problems/wrong-parameters")
    assert response.json()["faults"][0]["pointer"] == "/at_least"


async def test_head_is_get_without_a_body(ask: Asker) -> None:
    whole = await ask.get(flat(question()))
    bare = await ask.client.head(flat(question()))
    assert (bare.status_code, bare.content) == (200, b"")
    assert bare.headers["content-length"] == str(len(whole.content))
    assert bare.headers["etag"] == whole.headers["etag"]


async def test_the_standing_question(ask: Asker) -> None:
    asked = {"destination": "US", "standing_on": "2020-01-01"}
    asked |= {"result": {"kind": "test_report", "issuer": {"id": "x-kr-lab"}}, "subject": question()["subject"]}
    assert json.loads((await ask.post(asked)).content)["verdict"] == "accepted"
