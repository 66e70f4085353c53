"""Watches over HTTP: with an account, or by a mail that its reader confirms; nothing tells whom this registry knows."""

import logging
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.services.delivery.mail import unsubscribe_address
from cab_registry.services.delivery.sealing import make_sealer
from cab_registry.services.watching.watcher import Watcher
from cab_registry.settings import Settings
from tests.api.conftest import eventually, question
from tests.api.test_history import ATOM
from tests.api.test_pages import HTML, Page
from tests.api.test_problems import check_shape
from tests.api.test_submissions import Office, engine, office, request, restricted, send
from tests.services.watching.watch_desks import read_mails, token_of

__all__ = ["engine", "office"]

PATH = "/v1/watches"
KEY = b64encode(b"k" * 32).decode()
MAIL = "ana@importer.example"
HOOK = "http://127.0.0.1:9/hook-of-theirs"
BODY = {"kind": "body", "id": "x-kr-lab"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(
        settings,
        secret_keys=KEY,
        smtp_url="smtp://127.0.0.1:1",
        mail_from="Register <notices@register.example>",
        public_address="https://register.example",
        webhook_networks="127.0.0.0/8",
    )


def document(**more: Any) -> dict[str, Any]:
    return {"kind": "question", "question": question(**more)}


async def make_endpoint(client: httpx.AsyncClient, **more: str) -> dict[str, Any]:
    made = await client.post("/v1/endpoints", json={"kind": "webhook", "address": HOOK, **more})
    assert made.status_code == 201, made.text
    issued: dict[str, Any] = made.json()
    assert made.headers["location"] == f"/v1/endpoints/{issued['endpoint']['id']}"
    return issued


async def lose(office: Office, engine: AsyncEngine) -> None:
    """Suspend the laboratory's recognition, and let the runner tell of it."""
    sent = await send(await office.person("us-fcc"), request(restricted()))
    assert sent.status_code == 201, sent.text
    watcher = Watcher(engine, lambda: datetime.now(UTC), lambda: datetime.now(UTC).toordinal())
    await watcher.catch_up()


def way_out(endpoint: str) -> str:
    address = unsubscribe_address("", endpoint, make_sealer(KEY, bytes))
    assert address.startswith("/unsubscribe/")
    return address


async def test_an_account_keeps_a_watch_and_reads_what_came_of_it(office: Office, engine: AsyncEngine) -> None:
    nist = await office.person("us-nist")
    asked = {"name": "suwon", "targets": [document(), {**BODY, "row": "the laboratory"}]}
    made = await nist.post(PATH, json=asked)
    assert made.status_code == 201, made.text
    watch = made.json()
    assert (watch["kind"], watch["watched"], watch["authority"]) == ("portfolio", 2, "us-nist")
    again = await nist.post(PATH, json=asked)
    assert (again.status_code, again.json()) == (200, watch)
    place = made.headers["location"]
    assert place == f"{PATH}/{watch['id']}"
    shown = (await nist.get(place)).json()
    assert [each["target"]["row"] for each in shown["items"]] == ["1", "the laboratory"]
    assert shown["items"][0]["answered"]["verdict"] == "accepted"
    assert (await nist.get(f"{place}?limit=1")).json()["next"] == shown["items"][0]["number"]

    await lose(office, engine)
    page = (await nist.get(f"{place}/notices")).json()
    assert sorted(each["kind"] for each in page["items"]) == ["answer.recalled", "record.recalled"]
    assert page["items"][0]["event"]["data"]["after"]["verdict"] == "not_accepted"
    assert (await nist.get(f"{place}/notices", params={"after": page["next"]})).json()["items"] == []
    feed = await nist.get(f"{place}/notices.atom")
    assert feed.headers["content-type"].startswith("application/atom+xml")
    entries = ET.fromstring(feed.text).findall(f"{ATOM}entry")  # noqa: S314 - made by the service
    assert [each.findtext(f"{ATOM}id") for each in entries] == [
        f"urn:uuid:{each['id']}" for each in reversed(page["items"])
    ]

    assert [each["id"] for each in (await nist.get(PATH)).json()["items"]] == [watch["id"]]
    ended = await nist.delete(place)
    assert ended.json()["ended"] is not None
    assert (await nist.get(PATH)).json() == {"items": [], "next": None}
    assert len((await nist.get(f"{place}/notices")).json()["items"]) == 2


async def test_all_faults_of_all_rows_are_told_with_pointers(office: Office) -> None:
    nist = await office.person("us-nist")
    shape = {"targets": [BODY, {"kind": "bodies"}, document(destination=""), {"knid": "body"}], "naem": ""}
    problem = check_shape(await nist.post(PATH, json=shape))
    told = {each["pointer"] for each in problem["faults"]}
    assert {"/naem", "/targets/1/kind", "/targets/2/question/destination", "/targets/3/knid"} <= told
    meaning = {
        "targets": [
            *(BODY, {"kind": "body", "id": "nobody"}, BODY, document(result__issued_on="2019-01-01")),
            document(destination="Untied States"),
        ]
    }
    problem = check_shape(await nist.post(PATH, json=meaning))
    assert [each["pointer"] for each in problem["faults"]] == [
        "/targets/1/id",
        "/targets/3/question/result/performed_on",
        "/targets/4/question/destination",
    ]
    assert "Did you mean US (United States)" in problem["faults"][-1]["message"]
    assert check_shape(await nist.post(PATH, json={"targets": []}))["type"] == "/problems/refused"
    many = check_shape(await nist.post(PATH, json={"targets": [BODY] * 5001}))
    assert (many["type"], many["detail"]) == ("/problems/over-limit", "there may be 5000 rows of one watch at most")
    assert (await nist.get(PATH)).json()["items"] == []


async def test_what_is_anothers_is_not_there(office: Office) -> None:
    nist, other = await office.person("us-nist"), await office.person("us-nist")
    auditor, nobody = await office.person("us-nist", "auditor"), await office.client()
    endpoint = (await make_endpoint(nist))["endpoint"]["id"]
    made = (await nist.post(PATH, json={"targets": [BODY], "endpoint": endpoint})).json()
    reading = [f"{PATH}/{made['id']}", f"{PATH}/{made['id']}/notices", f"{PATH}/{made['id']}/notices.atom"]
    reading += [f"/v1/endpoints/{endpoint}", f"/v1/endpoints/{endpoint}/deliveries"]
    for path in reading:
        assert check_shape(await other.get(path))["type"] == "/problems/no-such-watch"
        assert check_shape(await nobody.get(path))["type"] == "/problems/unauthenticated"
        assert (await auditor.get(path)).status_code == 200
    for path in (PATH, "/v1/endpoints"):
        assert (await other.get(path)).json()["items"] == []
        assert check_shape(await other.get(f"{path}?everyone=true"))["type"] == "/problems/not-permitted"
        assert len((await auditor.get(f"{path}?everyone=true")).json()["items"]) == 1
    for client in (other, auditor):
        for path in (f"{PATH}/{made['id']}", f"/v1/endpoints/{endpoint}"):
            assert check_shape(await client.delete(path))["type"] == "/problems/no-such-watch"
        for step in ("enable", "test", "rotate"):
            refused = await client.post(f"/v1/endpoints/{endpoint}/{step}")
            assert check_shape(refused)["type"] == "/problems/no-such-watch"
    unknown = check_shape(await nist.post(PATH, json={"targets": [BODY], "endpoint": "e-0000000000000000"}))
    assert unknown["faults"][0]["pointer"] == "/endpoint"


async def test_the_steps_of_an_endpoint(office: Office, engine: AsyncEngine) -> None:
    nist = await office.person("us-nist")
    issued = await make_endpoint(nist)
    place = f"/v1/endpoints/{issued['endpoint']['id']}"
    assert issued["secret"].startswith("whsec_")
    assert (await nist.post(f"{place}/test")).json() == {"notices": 1}
    assert (await nist.post(f"{place}/rotate")).json()["secret"] not in (issued["secret"], None)
    async with engine.begin() as connection:
        await connection.execute(
            text("""
                WITH tried AS (UPDATE outbox SET state = 'failed', next_attempt = NULL RETURNING id)
                INSERT INTO delivery (notice, attempt, began, seconds, outcome, status, words)
                SELECT id, attempt, now(), 0.5, 'refused', 500, '500 Internal Server Error'
                FROM tried, generate_series(1, 3) AS attempt
            """)
        )
    page = (await nist.get(f"{place}/deliveries?limit=2")).json()
    assert [each["attempt"] for each in page["items"]] == [3, 2]
    rest = (await nist.get(f"{place}/deliveries", params={"cursor": page["next"]})).json()
    assert ([each["attempt"] for each in rest["items"]], rest["next"]) == ([1], None)
    wrong = check_shape(await nist.get(f"{place}/deliveries?cursor=x.1"))
    assert wrong["type"] == "/problems/wrong-parameters"
    assert (await nist.post(f"{place}/replay", json={"after": 0})).json() == {"notices": 1}
    assert check_shape(await nist.post(f"{place}/replay"))["faults"][0]["pointer"] == "/after"
    assert (await nist.post(f"{place}/enable")).json() == {"notices": 0}
    assert (await nist.delete(place)).json()["state"] == "ended"
    assert check_shape(await nist.post(f"{place}/test"))["type"] == "/problems/refused"
    for address in ("http://10.0.0.1/", "https://[::1]/", "ftp://x.example/", "https://u:p@x.example/"):
        refused = check_shape(await nist.post("/v1/endpoints", json={"kind": "webhook", "address": address}))
        assert refused["faults"][0]["pointer"] == "/address"
    refused = check_shape(await nist.post("/v1/endpoints", json={"kind": "mail", "address": "nobody"}))
    assert refused["faults"][0]["pointer"] == "/address"


async def test_mail_without_an_account_from_the_question_to_the_way_out(office: Office, engine: AsyncEngine) -> None:
    nobody = await office.client()
    await eventually(lambda: _ready(nobody))
    asked = await nobody.post(PATH, json={"targets": [document()], "mail": MAIL})
    assert asked.status_code == 202, asked.text
    (mail,) = await read_mails(engine)
    assert (mail["state"], mail["kind"]) == ("pending", "endpoint.confirm")
    await lose(office, engine)
    assert await _states(engine) == ["pending", "held"]

    nobody.headers.update(HTML)
    link = mail["says"]["links"][0]["address"]
    for _ in range(2):  # programs that scan mail open links
        page = await nobody.get(link)
        assert page.status_code == 200
    assert await _states(engine) == ["pending", "held"]
    (form,) = Page(page.text).find("form")
    fields = {str(each["name"]): str(each["value"]) for each in Page(page.text).find("input")}
    assert fields == {"token": token_of(mail)}
    done = await nobody.post(str(form["action"]), data=fields)
    assert "Your watch is confirmed" in done.text
    assert await _states(engine) == ["pending", "pending"]
    assert (await nobody.get(link)).status_code == 404

    out = way_out(mail["endpoint"])
    page = await nobody.get(out)
    assert [each["value"] for each in Page(page.text).find("button")] == ["this", "all", "never"]
    one_click = await nobody.post(out, data={"List-Unsubscribe": "One-Click"})
    assert "You get no more of this mail" in one_click.text
    assert await _states(engine) == ["held", "held"]
    assert (await nobody.get(out)).status_code == 200
    assert (await nobody.post(out, data={"what": "never"})).status_code == 200
    assert (await nobody.post(f"{out[:-2]}xx", data={"what": "never"})).status_code == 404


async def test_a_mail_program_may_post_the_one_click_in_parts(office: Office, engine: AsyncEngine) -> None:
    nobody = await office.client()
    await eventually(lambda: _ready(nobody))
    await nobody.post(PATH, json={"targets": [BODY], "mail": MAIL})
    (mail,) = await read_mails(engine)
    sent = await nobody.post(way_out(mail["endpoint"]), files={"List-Unsubscribe": (None, "One-Click")})
    assert sent.status_code == 200
    assert await _states(engine) == ["held"]


async def test_nothing_tells_whether_an_address_is_known_or_refuses_mail(office: Office, engine: AsyncEngine) -> None:
    nobody = await office.client()
    await eventually(lambda: _ready(nobody))

    async def ask(**more: Any) -> tuple[int, bytes, list[str]]:
        answer = await nobody.post(PATH, json={"targets": [BODY], "mail": MAIL, **more})
        return answer.status_code, answer.content, sorted(answer.headers)

    answers = [await ask(mail="somebody.else@importer.example")]
    answers += [await ask() for _ in range(4)]  # more than may wait
    mails = await read_mails(engine)
    assert len(mails) == 4
    await nobody.post("/watches/confirm", data={"token": token_of(mails[1])})
    answers.append(await ask())
    await nobody.post(way_out(mails[1]["endpoint"]), data={"what": "never"})
    answers.append(await ask())
    assert len(await read_mails(engine)) == 5
    assert {each[0] for each in answers} == {202}
    assert all(each == answers[0] for each in answers)


async def test_neither_addresses_nor_secrets_nor_links_are_told_or_logged(
    office: Office, engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    nist, auditor = await office.person("us-nist"), await office.person("us-nist", "auditor")
    with caplog.at_level(logging.DEBUG):
        secret = (await make_endpoint(nist))["secret"]
        await make_endpoint(nist, kind="mail", address=MAIL)
        await nist.post(PATH, json={"targets": [BODY], "mail": MAIL})
        await nist.post("/v1/endpoints", json={"kind": "mail", "address": f"{MAIL} <{MAIL}>"})
        asked = await (await office.client()).post(PATH, json={"targets": [BODY], "mail": MAIL})
        mails = await read_mails(engine)
        listed = [await nist.get(path) for path in ("/v1/endpoints", PATH)]
        listed.append(await auditor.get("/v1/endpoints?everyone=true"))
        links = (mails[1]["says"]["links"][0]["address"], way_out(mails[1]["endpoint"]))
        pages = [await nist.get(path, headers=HTML) for path in links]
    assert {each.status_code for each in (*listed, *pages)} == {200}
    told = [asked.text, *(each.text for each in listed), *(each.text.replace(token_of(mails[1]), "") for each in pages)]
    told += [each.getMessage() for each in caplog.records if each.name.startswith("cab_registry")]
    marks = [way_out(each["endpoint"]).rpartition("/")[2] for each in mails]
    hushed = [secret, MAIL, "hook-of-theirs", *marks, *(token_of(each) for each in mails)]
    assert [(part, each) for part in hushed for each in told if part in each] == []


async def test_a_watch_needs_a_token_or_a_mail_address(office: Office) -> None:
    nobody = await office.client()
    await eventually(lambda: _ready(nobody))
    assert check_shape(await nobody.post(PATH, json={"targets": [BODY]}))["type"] == "/problems/unauthenticated"
    wrong = await nobody.post(PATH, json={"targets": [BODY, document()], "mail": "no address", "endpoint": "e-1"})
    assert [each["pointer"] for each in check_shape(wrong)["faults"]] == ["/endpoint", "/mail"]
    many = check_shape(await nobody.post(PATH, json={"targets": [BODY] * 201, "mail": MAIL}))
    assert (many["type"], many["faults"][0]["pointer"]) == ("/problems/over-limit", "/targets")
    stranger = await office.client("cab_" + "0" * 16 + "_" + "0" * 64)
    refused = await stranger.post(PATH, json={"targets": [BODY], "mail": MAIL})
    assert check_shape(refused)["type"] == "/problems/token-refused"


async def test_the_pages_of_links_are_whole_and_keep_nothing_on_the_way(office: Office, engine: AsyncEngine) -> None:
    nobody = await office.client()
    await eventually(lambda: _ready(nobody))
    await nobody.post(PATH, json={"targets": [BODY, document()], "mail": MAIL})
    (mail,) = await read_mails(engine)
    nobody.headers.update(HTML)
    link, out = mail["says"]["links"][0]["address"], way_out(mail["endpoint"])
    found = [await nobody.get(path) for path in (link, out, "/watches/confirm", f"{link}x", "/unsubscribe/e-1/x")]
    assert [each.status_code for each in found] == [200, 200, 404, 404, 404]
    found += [await nobody.post("/watches/confirm", data={"token": what}) for what in (token_of(mail), "")]
    found += [await nobody.post(out, data={"what": what}) for what in ("this", "all", "never")]
    found.append(await nobody.get(out))
    for each in found:
        page = Page(each.text)
        assert each.headers["content-type"] == "text/html; charset=utf-8"
        assert each.headers["cache-control"] == "no-store"
        assert each.headers["referrer-policy"] == "no-referrer"
        assert "form-action 'self'" in each.headers["content-security-policy"]
        assert not page.find("script", "style", "iframe")
        assert len(page.find("h1")) == len(page.find("main")) == len(page.find("title")) == 1
        assert all(each["type"] == "submit" for each in page.find("button"))
        assert all(each["type"] == "hidden" for each in page.find("input"))
    assert "1 body, 1 question" in found[0].text


async def _ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/ready")).status_code == 200


async def _states(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as connection:
        return list((await connection.scalars(text("SELECT state FROM outbox ORDER BY number"))).all())
