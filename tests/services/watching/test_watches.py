"""Watches and endpoints: kept for their owners, within limits, and confirmed and stopped by who reads the mail."""

import asyncio
import time
from dataclasses import replace
from datetime import date
from typing import Any

import msgspec
import pytest

from cab_registry.domain.errors import Refusal
from cab_registry.engine.effort import TooDear
from cab_registry.limits import Limits
from cab_registry.services.cases import catalogue_scratch
from cab_registry.services.delivery.addresses import AddressRefused
from cab_registry.services.delivery.endpoint_keeping import (
    EndpointRequest,
    create_endpoint,
    enable_own_endpoint,
    end_own_endpoint,
    list_deliveries,
    list_endpoints,
    replay,
    rotate_secret,
    send_test,
    show_own_endpoint,
)
from cab_registry.services.delivery.endpoints import disable_endpoint
from cab_registry.services.delivery.mail import UNSUBSCRIBING, read_notice
from cab_registry.services.delivery.sealing import NoSecretKeys, secret_context
from cab_registry.services.delivery.webhooks import split_secrets
from cab_registry.services.refusals import MissingRole
from cab_registry.services.runtime.token_buckets import TooManyRequests
from cab_registry.services.watching.mail_limits import MailLimits
from cab_registry.services.watching.targets import Target
from cab_registry.services.watching.watch_desk import NoSuchLink, NoSuchWatch, OverLimit, WatchDesk
from cab_registry.services.watching.watch_mail import (
    confirm,
    end_unconfirmed,
    look_up_confirmation,
    look_up_stopping,
    request_watch,
    stop,
)
from cab_registry.services.watching.watched_answers import Asker
from cab_registry.services.watching.watches import create_watch, end_watch, list_notices, list_watches, show_watch
from tests.services.office import Office, given, right
from tests.services.watching.watch_desks import LOCAL, MAIL, asking, open_watches, read_mails, record, rows, token_of
from tests.services.watching.watchers import WatchOffice, new_reports, report

WEBHOOK = EndpointRequest(kind="webhook", address=LOCAL)
TO_MAIL = EndpointRequest(kind="mail", address=MAIL)


@pytest.fixture
async def over(office: Office) -> WatchOffice:
    made = WatchOffice(office)
    await made.open()
    await office.desk.heads.at_least(0)
    return made


@pytest.fixture
def watches(over: WatchOffice) -> WatchDesk:
    return open_watches(over.office)


def named(row: str, target: Any) -> Any:
    return msgspec.structs.replace(target, row=row)


def suspended(on: str = "2026-11-21") -> dict[str, Any]:
    found = right("recognition")
    return {**found, "timeline": [*found["timeline"], {"event": "suspended", "on": on}]}


async def lose(over: WatchOffice) -> None:
    """Suspend the recognition, and let the runner tell of it."""
    await over.office.submit("regulator", given(suspended(), 1))
    await over.watcher.catch_up()


async def states(office: Office) -> list[tuple[str, str]]:
    return [(each["kind"], each["state"]) for each in await rows(office.engine, "SELECT * FROM outbox ORDER BY number")]


async def test_a_portfolio_is_kept_with_its_first_answers_and_shown_in_pages(
    office: Office, watches: WatchDesk
) -> None:
    officer = office.people["officer"]
    made = await create_watch(watches, officer, asking(report(), named("daily", new_reports()), record(), name="ours"))
    assert made.new
    assert (made.watch.kind, made.watch.watched, made.watch.endpoint) == ("portfolio", 3, None)

    first = await show_watch(watches, officer, made.watch.id, limit=2)
    assert [each.target.row for each in first.items] == ["1", "daily"]
    answers = [each.answered.verdict for each in first.items if each.answered is not None]
    assert answers == ["accepted", "accepted"]
    assert {each.position for each in first.items} == {office.desk.heads.current().position}
    rest = await show_watch(watches, officer, made.watch.id, after=first.next or 0, limit=2)
    assert [(each.target.row, each.answered, rest.next) for each in rest.items] == [("3", None, None)]


async def test_what_is_kept_is_told_of_and_read_on_by_number(
    office: Office, over: WatchOffice, watches: WatchDesk
) -> None:
    officer = office.people["officer"]
    made = await create_watch(watches, officer, asking(new_reports(), record()))
    assert (await list_notices(watches, officer, made.watch.id)).items == []
    await lose(over)
    page = await list_notices(watches, officer, made.watch.id)
    assert sorted(each.kind for each in page.items) == ["answer.changed", "record.changed"]
    assert {each.state for each in page.items} == {"unsent"}
    assert page.items[0].event["data"]["watch"]["id"] == made.watch.id
    assert (page.next, page.complete) == (page.items[-1].number, True)
    one = await list_notices(watches, officer, made.watch.id, limit=1)
    assert (one.items, one.complete) == (page.items[:1], False)
    assert (await list_notices(watches, officer, made.watch.id, after=one.next)).items == page.items[1:]
    newest = await list_notices(watches, officer, made.watch.id, limit=1, newest=True)
    assert newest.items == page.items[1:]
    shown = await show_watch(watches, officer, made.watch.id)
    assert [each.answered.verdict for each in shown.items if each.answered] == ["not_accepted"]


async def test_a_register_behind_the_runner_is_not_what_a_watch_begins_with(
    office: Office, over: WatchOffice, watches: WatchDesk
) -> None:
    """Else the change that the runner has told of already would be told of never."""
    await lose(over)
    assert office.desk.heads.current().position < over.watcher.position
    officer = office.people["officer"]
    made = await create_watch(watches, officer, asking(new_reports()))
    (item,) = (await show_watch(watches, officer, made.watch.id)).items
    assert item.answered is not None
    assert (item.answered.verdict, item.position) == ("not_accepted", over.watcher.position)


async def test_an_equal_watch_is_given_again_until_it_ends(office: Office, watches: WatchDesk) -> None:
    officer, request = office.people["officer"], asking(report(), record(), name="ours")
    twice = await asyncio.gather(*(create_watch(watches, officer, request) for _ in range(2)))
    assert sorted(each.new for each in twice) == [False, True]
    assert len({each.watch.id for each in twice}) == 1
    for other in (asking(report(), name="ours"), asking(record(), report(), name="ours"), asking(report(), record())):
        assert (await create_watch(watches, officer, other)).new
    assert (await create_watch(watches, office.people["second"], request)).new
    first = twice[0].watch.id
    await end_watch(watches, officer, first)
    again = await create_watch(watches, officer, request)
    assert again.new
    assert again.watch.id != first


async def test_what_ended_is_forgotten_but_for_its_notices(
    office: Office, over: WatchOffice, watches: WatchDesk
) -> None:
    officer = office.people["officer"]
    made = await create_watch(watches, officer, asking(new_reports()))
    await lose(over)
    ended = await end_watch(watches, officer, made.watch.id)
    assert (ended.watched, ended.ended) == (0, office.now)
    office.wait(hours=1)
    assert await end_watch(watches, officer, made.watch.id) == ended
    assert await rows(office.engine, "SELECT * FROM watched_key") == []
    assert len((await list_notices(watches, officer, made.watch.id)).items) == 1
    assert await list_watches(watches, officer) == []
    assert [each.id for each in await list_watches(watches, officer, ended=True)] == [made.watch.id]


async def test_every_fault_of_every_row_is_told_at_once(office: Office, watches: WatchDesk) -> None:
    wrong = report()
    assert wrong.question is not None
    request = asking(
        named("a", record(name="nobody")),
        named("a", msgspec.structs.replace(wrong, question=msgspec.structs.replace(wrong.question, destination="ZZ"))),
        record("scope"),
        named("b\x00", report()),
        record("agreement", "xa-xb", sector="radio"),
        name="tab\tbed",
        mail=MAIL,
    )
    with pytest.raises(Refusal) as refusal:
        await create_watch(watches, office.people["officer"], request)
    assert [each.pointer for each in refusal.value.faults] == [
        "/mail",
        "/name",
        "/targets/0/id",
        "/targets/1/question/destination",
        "/targets/1/row",
        "/targets/2/requirement",
        "/targets/3/row",
        "/targets/4/sector",
    ]
    assert await rows(office.engine, "SELECT * FROM watch") == []


async def test_an_owner_has_limits_and_is_told_which(office: Office, over: WatchOffice) -> None:
    officer = office.people["officer"]
    few = open_watches(office, watches=2, watched=3, rows=2, endpoints=1)
    with pytest.raises(OverLimit, match="2 rows of one watch at most"):
        await create_watch(few, officer, asking(record(), report(), new_reports()))
    await create_watch(few, officer, asking(record(), report()))
    with pytest.raises(OverLimit, match="3 watched questions and records of one owner at most; 2 are kept now"):
        await create_watch(few, officer, asking(record(), new_reports()))
    kept = await create_watch(few, officer, asking(record()))
    with pytest.raises(OverLimit, match="2 watches of one owner"):
        await create_watch(few, officer, asking(new_reports()))
    assert (await create_watch(few, office.people["second"], asking(new_reports()))).new
    await end_watch(few, officer, kept.watch.id)
    assert (await create_watch(few, officer, asking(new_reports()))).new
    await create_endpoint(few, officer, WEBHOOK)
    with pytest.raises(OverLimit, match="1 endpoints of one owner"):
        await create_endpoint(few, officer, WEBHOOK)


async def test_all_questions_of_a_watch_share_its_work(office: Office, over: WatchOffice) -> None:
    officer = office.people["officer"]
    register = office.desk.heads.current().register
    asker = Asker(register.facts, office.desk.today)
    asker.ask(new_reports())
    few = open_watches(office, steps=0, least_steps=3 * asker.steps)
    await create_watch(few, officer, asking(*[new_reports()] * 3))
    with pytest.raises(OverLimit, match="watch fewer at once") as refusal:
        await create_watch(few, officer, asking(*[new_reports()] * 9))
    assert [each.pointer for each in refusal.value.faults] == ["/targets/3"]


async def test_others_are_not_shown_what_is_not_theirs_but_auditors_of_the_authority(
    office: Office, watches: WatchDesk
) -> None:
    officer, auditor = office.people["officer"], office.people["auditor"]
    endpoint = (await create_endpoint(watches, officer, WEBHOOK)).endpoint.id
    watch = (await create_watch(watches, officer, asking(record(), endpoint=endpoint))).watch.id
    for other in ("second", "regulator", "registrar"):
        acting = office.people[other]
        assert await list_watches(watches, acting) == []
        assert await list_endpoints(watches, acting) == []
        for read in (show_watch(watches, acting, watch), list_notices(watches, acting, watch)):
            with pytest.raises(NoSuchWatch):
                await read
        for look in (show_own_endpoint(watches, acting, endpoint), list_deliveries(watches, acting, endpoint)):
            with pytest.raises(NoSuchWatch):
                await look
        with pytest.raises(MissingRole):
            await list_watches(watches, acting, everyone=True)
        with pytest.raises(Refusal, match="the endpoint is not there"):
            await create_watch(watches, acting, asking(record(), endpoint=endpoint))
    assert [each.id for each in await list_watches(watches, auditor, everyone=True)] == [watch]
    assert [each.id for each in await list_endpoints(watches, auditor, everyone=True)] == [endpoint]
    assert (await show_watch(watches, auditor, watch)).id == watch
    for acting in (auditor, office.people["second"]):
        with pytest.raises(NoSuchWatch):
            await end_watch(watches, acting, watch)
        for step in (enable_own_endpoint, send_test, rotate_secret, end_own_endpoint):
            with pytest.raises(NoSuchWatch):
                await step(watches, acting, endpoint)
        with pytest.raises(NoSuchWatch):
            await replay(watches, acting, endpoint, after=0)


async def test_a_webhook_is_vetted_and_its_secret_shown_once_and_sealed(office: Office, watches: WatchDesk) -> None:
    officer = office.people["officer"]
    with pytest.raises(AddressRefused):
        await create_endpoint(watches, officer, EndpointRequest(kind="webhook", address="http://10.0.0.1/hook"))
    with pytest.raises(NoSecretKeys):
        await create_endpoint(open_watches(office, keyed=False), officer, WEBHOOK)
    issued = await create_endpoint(watches, officer, WEBHOOK)
    assert issued.secret is not None
    assert issued.secret.startswith("whsec_")
    assert (issued.endpoint.state, issued.endpoint.hint) == ("active", "http://127.0.0.1/...")
    (kept,) = await rows(office.engine, "SELECT * FROM endpoint")
    assert not any(
        part in bytes(kept[name]) for part in (b"hook", b"theirs", b"whsec") for name in ("address", "secret")
    )

    async def read_secrets() -> tuple[str, ...]:
        (now,) = await rows(office.engine, "SELECT secret FROM endpoint")
        return split_secrets(watches.sealing.open(bytes(now["secret"]), secret_context(issued.endpoint.id)))

    assert await read_secrets() == (issued.secret,)
    rotated = await rotate_secret(watches, officer, issued.endpoint.id)
    assert await read_secrets() == (rotated.secret, issued.secret)
    assert issued.secret not in msgspec.json.encode(await list_endpoints(watches, officer)).decode()


async def test_an_endpoint_is_tested_given_up_enabled_and_sent_to_again(
    office: Office, over: WatchOffice, watches: WatchDesk
) -> None:
    officer = office.people["officer"]
    endpoint = (await create_endpoint(watches, officer, WEBHOOK)).endpoint.id
    await create_watch(watches, officer, asking(new_reports(), endpoint=endpoint))
    assert (await send_test(watches, officer, endpoint)).notices == 1
    async with office.engine.begin() as connection:
        assert await disable_endpoint(connection, endpoint, "it answered 410", office.now)
    assert (await show_own_endpoint(watches, officer, endpoint)).reason == "it answered 410"
    with pytest.raises(Refusal, match="enable it first"):
        await send_test(watches, officer, endpoint)
    await lose(over)
    assert await states(office) == [
        ("endpoint.test", "held"),
        ("endpoint.disabled", "held"),
        ("answer.changed", "held"),
    ]
    assert (await enable_own_endpoint(watches, officer, endpoint)).notices == 3
    assert {state for _, state in await states(office)} == {"pending"}
    async with office.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE outbox SET state = 'failed', next_attempt = NULL")
    head = office.desk.heads.current().position
    assert (await replay(watches, officer, endpoint, after=over.watcher.position)).notices == 0
    assert (await replay(watches, officer, endpoint, after=head)).notices == 3
    assert {state for _, state in await states(office)} == {"pending"}
    assert await list_deliveries(watches, officer, endpoint) == []


async def test_an_endpoint_that_ends_leaves_its_watches_to_be_read(
    office: Office, over: WatchOffice, watches: WatchDesk
) -> None:
    officer = office.people["officer"]
    endpoint = (await create_endpoint(watches, officer, WEBHOOK)).endpoint.id
    watch = (await create_watch(watches, officer, asking(new_reports(), endpoint=endpoint))).watch.id
    ended = await end_own_endpoint(watches, officer, endpoint)
    assert (ended.state, ended.hint) == ("ended", None)
    (kept,) = await rows(office.engine, "SELECT address, secret FROM endpoint")
    assert kept == {"address": None, "secret": None}
    for step in (enable_own_endpoint, send_test, rotate_secret):
        with pytest.raises(Refusal, match="ended"):
            await step(watches, officer, endpoint)
    await lose(over)
    page = await list_notices(watches, officer, watch)
    assert [(each.kind, each.state) for each in page.items] == [("answer.changed", "unsent")]


async def test_the_mail_address_of_an_account_confirms_too(
    office: Office, over: WatchOffice, watches: WatchDesk
) -> None:
    officer = office.people["officer"]
    issued = await create_endpoint(watches, officer, TO_MAIL)
    assert issued.secret is None
    assert (issued.endpoint.state, issued.endpoint.hint) == ("unconfirmed", "A...@importer.example")
    with pytest.raises(Refusal, match="not confirmed"):
        await enable_own_endpoint(watches, officer, issued.endpoint.id)
    watch = (await create_watch(watches, officer, asking(new_reports(), endpoint=issued.endpoint.id))).watch.id
    await lose(over)
    assert await states(office) == [("endpoint.confirm", "pending"), ("answer.changed", "held")]
    (mail,) = await read_mails(office.engine)
    await confirm(watches, token_of(mail))
    assert (await states(office))[-1] == ("answer.changed", "pending")
    await stop(watches, issued.endpoint.id, watches.sealing.mark(UNSUBSCRIBING, issued.endpoint.id), "this")
    assert (await show_watch(watches, officer, watch)).endpoint is None


async def test_mail_without_an_account_is_confirmed_by_who_reads_it(
    office: Office, over: WatchOffice, watches: WatchDesk
) -> None:
    await request_watch(
        watches, asking(named("BUY AT http://evil.example", record()), new_reports(), name="SPAM", mail=MAIL)
    )
    (mail,) = await read_mails(office.engine)
    said = read_notice(mail["payload"])
    assert "Laboratory 1 (body), 1 standing question" in said.sentences[0]
    assert not any(word in mail["payload"] for word in (b"evil", b"SPAM", MAIL.encode()))
    await lose(over)
    assert {state for kind, state in await states(office) if kind != "endpoint.confirm"} == {"held"}

    token = token_of(mail)
    seen = await look_up_confirmation(watches, token)
    assert (seen.state, seen.watches) == ("unconfirmed", ("1 body", "1 standing question"))
    assert await look_up_confirmation(watches, token) == seen
    assert (await confirm(watches, token)).state == "active"
    assert {state for _, state in await states(office)} == {"pending"}
    for step in (look_up_confirmation, confirm):
        with pytest.raises(NoSuchLink):
            await step(watches, token)
    kept = await rows(office.engine, "SELECT address, address_digest, confirmation_digest FROM endpoint")
    assert not any(MAIL.encode() in bytes(value or b"") for value in kept[0].values())


@pytest.mark.parametrize("token", ["", "x", "\ud800", "é" * 5000])
async def test_a_link_that_is_none_of_ours_leads_nowhere(watches: WatchDesk, token: str) -> None:
    with pytest.raises(NoSuchLink):
        await look_up_confirmation(watches, token)
    with pytest.raises(NoSuchLink):
        await look_up_stopping(watches, "e-0123456789abcdef", token)


async def test_who_does_not_confirm_in_time_is_forgotten(office: Office, watches: WatchDesk) -> None:
    await request_watch(watches, asking(report(), mail=MAIL))
    (mail,) = await read_mails(office.engine)
    office.wait(hours=47)
    async with office.engine.begin() as connection:
        assert await end_unconfirmed(connection, office.now, watches.limits) == 0
    office.wait(hours=1)
    with pytest.raises(NoSuchLink):
        await confirm(watches, token_of(mail))
    async with office.engine.begin() as connection:
        assert await end_unconfirmed(connection, office.now, watches.limits) == 1
    assert await rows(office.engine, "SELECT address, state FROM endpoint") == [{"address": None, "state": "ended"}]
    assert await rows(office.engine, "SELECT * FROM watched") == []
    assert await states(office) == [("endpoint.confirm", "held")]


async def test_nobody_can_flood_an_address(office: Office, watches: WatchDesk) -> None:
    for number in range(6):
        spelling = MAIL.upper() if number % 2 else f" {MAIL} "
        await request_watch(watches, asking(named(str(number), report()), mail=spelling))
    assert len(await read_mails(office.engine)) == watches.limits.mail_unconfirmed
    for mail in await read_mails(office.engine):
        await confirm(watches, token_of(mail))
    for number in range(6):
        await request_watch(watches, asking(named(str(number), report()), mail=MAIL))
    assert len(await read_mails(office.engine)) == watches.limits.mail_confirmations
    for _ in range(2):
        await create_endpoint(watches, office.people["officer"], TO_MAIL)
    assert len(await read_mails(office.engine)) == watches.limits.mail_confirmations
    office.wait(days=1)
    await request_watch(watches, asking(record(), mail=MAIL))
    assert len(await read_mails(office.engine)) == watches.limits.mail_confirmations + 1
    await request_watch(watches, asking(record(), mail="b@other.example"))
    assert len(await read_mails(office.engine)) == watches.limits.mail_confirmations + 2


async def test_an_address_without_an_account_has_limits_of_its_own(office: Office, over: WatchOffice) -> None:
    few = open_watches(office, mail_watches=1, mail_watched=2, waiting=2)
    with pytest.raises(OverLimit, match="2 rows of one watch"):
        await request_watch(few, asking(record(), report(), new_reports(), mail=MAIL))
    await request_watch(few, asking(record(), report(), mail=MAIL))
    await request_watch(few, asking(record(), mail=MAIL))
    assert len(await read_mails(office.engine)) == 1
    await request_watch(few, asking(record(), mail="b@other.example"))
    # Whoever filled the room shuts nobody out: who waits longest gives way.
    await request_watch(few, asking(record(), mail="c@other.example"))
    waiting = await rows(office.engine, "SELECT * FROM endpoint WHERE state = 'unconfirmed' ORDER BY created")
    mails = await read_mails(office.engine)
    assert [each["id"] for each in waiting] == [each["endpoint"] for each in mails[1:]]
    assert len(await rows(office.engine, "SELECT * FROM watch WHERE ended IS NULL")) == 2


async def test_a_client_asks_for_so_many_mails_and_the_next_client_for_its_own(
    office: Office, over: WatchOffice
) -> None:
    seconds = [0.0]
    limits = Limits(mail_client_requests=4, mail_domain_requests=2)
    watches = replace(open_watches(office), mail_limits=MailLimits(limits, lambda: seconds[0]))
    attacker, neighbour = "2001:db8::/64", "192.0.2.1"

    async def ask(client: str | None, number: int, domain: str) -> None:
        await request_watch(watches, asking(record(), mail=f"a{number}@{domain}.example"), client)

    for number in range(2):
        await ask(attacker, number, "one")
    with pytest.raises(TooManyRequests, match="mail domain") as refused:
        await ask(attacker, 2, "one")
    assert refused.value.retry_after == 43_200
    await ask(attacker, 3, "two")
    with pytest.raises(TooManyRequests):
        await ask(attacker, 4, "two")
    await ask(neighbour, 5, "one")
    await ask(None, 6, "one")
    seconds[0] += 86_400
    await ask(attacker, 7, "one")
    for number in range(19):
        await ask(f"2001:db8:0:{number + 1}::/64", 10 + number, "three")
    with pytest.raises(TooManyRequests, match="network"):
        await ask("2001:db8:0:ff::/64", 30, "three")


async def test_mail_is_stopped_by_its_link_for_one_watch_for_all_and_for_good(
    office: Office, over: WatchOffice, watches: WatchDesk
) -> None:
    officer = office.people["officer"]
    for target in (record(), new_reports(), report()):
        await request_watch(watches, asking(target, mail=MAIL))
    mails = await read_mails(office.engine)
    for mail in mails:
        await confirm(watches, token_of(mail))
    own = (await create_endpoint(watches, officer, TO_MAIL)).endpoint.id
    watch = (await create_watch(watches, officer, asking(record(), endpoint=own))).watch.id
    first, second = mails[0]["endpoint"], mails[1]["endpoint"]
    marks = {each: watches.sealing.mark(UNSUBSCRIBING, each) for each in (first, second)}
    with pytest.raises(NoSuchLink):
        await stop(watches, first, marks[second], "this")
    assert (await look_up_stopping(watches, first, marks[first])).watches == ("1 body",)

    async def open_endpoints() -> int:
        return len(await rows(office.engine, "SELECT * FROM endpoint WHERE state <> 'ended'"))

    assert await open_endpoints() == 4
    for _ in range(2):
        assert (await stop(watches, first, marks[first], "this")).state == "ended"
    assert await open_endpoints() == 3
    await stop(watches, second, marks[second], "all")
    assert await open_endpoints() == 0
    assert [each.id for each in await list_watches(watches, officer)] == [watch]
    assert len(await rows(office.engine, "SELECT * FROM watch WHERE ended IS NULL")) == 1
    await request_watch(watches, asking(record(), mail=MAIL))
    assert len(await read_mails(office.engine)) == 5

    office.wait(days=2)
    await stop(watches, first, marks[first], "never")
    await request_watch(watches, asking(record(), mail=MAIL.upper()))
    assert (await create_endpoint(watches, officer, TO_MAIL)).endpoint.state == "unconfirmed"
    assert len(await read_mails(office.engine)) == 5


async def test_a_confirmation_that_was_on_its_way_does_not_open_a_blocked_address(
    office: Office, watches: WatchDesk
) -> None:
    await request_watch(watches, asking(record(), mail=MAIL))
    await create_endpoint(watches, office.people["officer"], TO_MAIL)
    one, two = await read_mails(office.engine)
    await stop(watches, one["endpoint"], watches.sealing.mark(UNSUBSCRIBING, one["endpoint"]), "never")
    for mail in (one, two):
        with pytest.raises(NoSuchLink):
            await confirm(watches, token_of(mail))


async def test_a_registry_that_sends_no_mail_says_so(office: Office, over: WatchOffice) -> None:
    request = asking(record(), mail=MAIL)
    with pytest.raises(NoSecretKeys):
        await request_watch(open_watches(office, keyed=False), request)
    with pytest.raises(Refusal, match="sends no mail"):
        await request_watch(open_watches(office, mail=False), request)
    with pytest.raises(Refusal, match="sends no mail"):
        await create_endpoint(open_watches(office, mail=False), office.people["officer"], TO_MAIL)
    with pytest.raises(Refusal) as refusal:
        await request_watch(open_watches(office), asking(record(name="nobody"), mail="nobody at all", endpoint="e-1"))
    assert [each.pointer for each in refusal.value.faults] == ["/endpoint", "/mail", "/targets/0/id"]


async def test_watches_come_in_pages_the_oldest_first(office: Office, watches: WatchDesk) -> None:
    officer, made = office.people["officer"], []
    for number in range(3):
        made.append((await create_watch(watches, officer, asking(record(), name=str(number)))).watch.id)
        office.wait(minutes=number)
    first = await list_watches(watches, officer, limit=2)
    rest = await list_watches(watches, officer, after=first[-1].id, limit=2)
    assert [each.id for each in (*first, *rest)] == made


def test_what_many_dear_questions_of_one_watch_take_is_bounded() -> None:
    register = catalogue_scratch().base(None)
    asked = {"destination": "DE", "result": {"kind": "certificate", "issued_on": "2020-03-10", "issuer": {"name": "a"}}}
    target = msgspec.convert({"kind": "question", "question": asked}, Target)
    began = time.process_time()
    asker = Asker(register.facts, date(2026, 11, 20).toordinal(), most=2_000)
    with pytest.raises(TooDear):
        list(map(asker.ask, [target] * 200))
    assert asker.steps <= 2_000
    assert time.process_time() - began < 10
