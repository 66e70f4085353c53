"""Random submissions by random principals beside a model: nobody changes what is not theirs, nothing private leaks."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from cab_registry.domain.errors import Refusal
from cab_registry.services.refusals import NotOwner
from cab_registry.services.submitting import Submitted, approve, list_shown, reject, show_submission, withdraw
from cab_registry.storage.engine import create_engine
from cab_registry.storage.log import read_entries
from cab_registry.storage.records import current_records
from cab_registry.storage.verification import verify
from tests.conftest import DatabaseServer
from tests.services.office import Office, body, given, opened, right
from tests.sizes import sized

MARK = "not-for-the-public"
AUTHORITIES = ("xa-ministry", "xb-office", "xa-service")
HIRES = (
    ("m1", "xa-ministry", ("submitter",)),
    ("m2", "xa-ministry", ("submitter", "approver")),
    ("m3", "xa-ministry", ("approver",)),
    ("o1", "xb-office", ("submitter", "approver")),
    ("o2", "xb-office", ("submitter", "approver")),
    ("s1", "xa-service", ("submitter", "approver")),
    ("eye", "xa-ministry", ("auditor",)),
)
HOME = {name: authority for name, authority, _ in HIRES}
ROLES = {name: roles for name, _, roles in HIRES}
SPEAKS = {
    "xa-ministry": {"xa-ministry", "xa-former", "XA"},
    "xb-office": {"xb-office", "XB"},
    "xa-service": {"xa-service"},
}
OWN = {"xa-ministry": ("body", "designation"), "xb-office": ("recognition",), "xa-service": ("accreditation",)}
KINDS = ("body", "designation", "recognition", "accreditation")
PEOPLE = st.sampled_from([name for name, _, _ in HIRES])


@dataclass
class Waiting:
    """A submission that waits, in the model."""

    submission: str
    digest: str
    by: str
    approver: str
    document: dict[str, Any]
    kind: str


def make(kind: str, number: int, note: str) -> dict[str, Any]:
    document = body(number) if kind == "body" else right(kind, number)
    return {**document, "note": note}


class Register:
    """What the register must hold: by id the version and the document."""

    def __init__(self) -> None:
        self.held: dict[str, tuple[int, dict[str, Any]]] = {}
        self.four_eyes = dict.fromkeys(AUTHORITIES, False)
        self.waiting: list[Waiting] = []
        self.decided: list[str] = []

    def may_write(self, who: str, document: dict[str, Any]) -> bool:
        authority = HOME[who]
        _, before = self.held.get(document["id"], (0, document))
        by = document.get("by")
        spoken = by is None or by in SPEAKS[authority]
        return before["owner"] == document["owner"] == authority and spoken

    def enter(self, document: dict[str, Any]) -> None:
        version, _ = self.held.get(document["id"], (0, None))
        self.held[document["id"]] = (version + 1, document)


def machine_for(url: str, owner_url: str) -> type[RuleBasedStateMachine]:  # noqa: C901 - the rules of one machine
    class Submitting(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.runner = asyncio.Runner()
            self.engine = create_engine(url, pool_size=4)
            self.model = Register()
            self.seen: list[str] = []

        @initialize(four_eyes=st.booleans())
        def open(self, four_eyes: bool) -> None:
            self.runner.run(self._open())
            if four_eyes:
                asked = {"authority": "xa-ministry", "four_eyes": True}
                waiting = self.runner.run(self.office.submit("m1", asked, kind="policy")).public
                second = self.office.people["m2"]
                self.runner.run(approve(self.office.desk, second, str(waiting.id), str(waiting.digest)))
                self.model.four_eyes["xa-ministry"] = True

        async def _open(self) -> None:
            await self._empty()
            self._opened = opened(self.engine, HIRES)
            self.office: Office = await self._opened.__aenter__()
            for number in (1, 2):
                await self.office.submit("m1", make("body", number, ""))
                self.model.enter(make("body", number, ""))

        async def _empty(self) -> None:
            tables = (
                "act, clock_correction, entry, entry_private, record_version, submission, submission_private,"
                " principal, invitation, role_proposal, role_grant, token"
            )
            owner = create_engine(owner_url)
            async with owner.begin() as connection:
                await connection.execute(text("SET LOCAL session_replication_role = replica"))
                await connection.execute(
                    text(f"TRUNCATE {tables}, authority_policy, body_search, body_identifier CASCADE")
                )
            await owner.dispose()

        def _try(self, work: Coroutine[Any, Any, Submitted]) -> Submitted | Refusal:
            done: Submitted | Refusal
            try:
                done = self.runner.run(work)
            except Refusal as refusal:
                done = refusal
            event(type(done).__name__)
            if isinstance(done, Refusal):
                assert MARK not in f"{done} {done.faults}"
            return done

        def _submit(self, who: str, document: Any, **more: Any) -> Submitted | Refusal:
            reason = f"{MARK} {len(self.seen)}"
            done = self._try(self.office.submit(who, document, private_reason=reason, **more))
            if isinstance(done, Submitted):
                self.seen.append(str(done.public.id))
            return done

        def _wait(self, done: Submitted, who: str, document: dict[str, Any], approver: str) -> None:
            public = done.public
            kind = public.kind
            self.model.waiting.append(Waiting(str(public.id), str(public.digest), who, approver, document, kind))

        @rule(
            who=PEOPLE,
            kind=st.sampled_from(KINDS),
            number=st.integers(1, 2),
            note=st.sampled_from("abc"),
            owner=st.sampled_from((None, *AUTHORITIES)),
            by=st.sampled_from((None, "XA", "XB", "XU", *AUTHORITIES)),
        )
        def submit_anything(
            self, who: str, kind: str, number: int, note: str, owner: str | None, by: str | None
        ) -> None:
            self._enter(who, kind, number, note, owner=owner, by=by)

        @rule(
            who=st.sampled_from(("m1", "m2", "o1", "o2", "s1")),
            data=st.data(),
            number=st.integers(1, 2),
            note=st.sampled_from("abcdefgh"),
            behind=st.sampled_from((0, 0, 0, 0, 1)),
        )
        def submit_own(self, who: str, data: st.DataObject, number: int, note: str, behind: int) -> None:
            kind = data.draw(st.sampled_from(OWN[HOME[who]]))
            self._enter(who, kind, number, note, behind=behind)

        def _enter(
            self,
            who: str,
            kind: str,
            number: int,
            note: str,
            *,
            owner: str | None = None,
            by: str | None = None,
            behind: int = 0,
        ) -> None:
            document = make(kind, number, note)
            held = self.model.held.get(document["id"])
            if held is not None:
                document = {**held[1], "note": note}
            if owner is not None:
                document["owner"] = owner
            if by is not None and kind != "body":
                document["by"] = by
            version = 0 if held is None else held[0]
            done = self._submit(who, given(document, version + behind))
            allowed = "submitter" in ROLES[who] and self.model.may_write(who, document)
            if isinstance(done, Refusal):
                plain = owner is None and by is None and behind == 0
                assert not (allowed and plain), done
                return
            assert allowed
            if held is not None and held[1] == document:
                assert done.public.versions == ()
            elif self.model.four_eyes[HOME[who]]:
                assert (done.public.state, done.public.first) == ("submitted", None)
                assert behind == 0
                self._wait(done, who, document, HOME[who])
            else:
                assert (done.public.state, behind) == ("approved", 0)
                self.model.enter(document)

        @precondition(lambda self: any(key.startswith("lab-") for key in self.model.held))
        @rule(who=PEOPLE, to=st.sampled_from(AUTHORITIES), data=st.data())
        def transfer(self, who: str, to: str, data: st.DataObject) -> None:
            name = data.draw(st.sampled_from(sorted(key for key in self.model.held if key.startswith("lab-"))))
            version, before = self.model.held[name]
            document = {**before, "owner": to}
            done = self._submit(who, given(document, version), kind="transfer")
            concerned = HOME[who] in {before["owner"], to} and "submitter" in ROLES[who] and before["owner"] != to
            assert isinstance(done, Submitted) == concerned
            if isinstance(done, Submitted):
                other = to if HOME[who] == before["owner"] else before["owner"]
                assert (done.public.state, done.public.counterpart) == ("submitted", other)
                self._wait(done, who, document, other)

        @rule(who=PEOPLE, four_eyes=st.booleans(), whose=st.sampled_from((None, None, *AUTHORITIES)))
        def change_policy(self, who: str, four_eyes: bool, whose: str | None) -> None:
            authority = whose or HOME[who]
            asked = {"authority": authority, "four_eyes": four_eyes}
            version = self.runner.run(self._policy_version(authority))
            done = self._submit(who, given(asked, version), kind="policy")
            concerned = authority == HOME[who] and ROLES[who] != ("auditor",)
            assert isinstance(done, Submitted) == concerned
            if authority != HOME[who] and ROLES[who] != ("auditor",):
                assert isinstance(done, NotOwner)
            if isinstance(done, Submitted) and done.public.state == "submitted":
                self._wait(done, who, asked, authority)
            elif isinstance(done, Submitted):
                assert self.model.four_eyes[authority] == four_eyes

        async def _policy_version(self, authority: str) -> int:
            statement = text("SELECT coalesce(max(version), 0) FROM authority_policy WHERE authority = :a")
            async with self.engine.connect() as connection:
                return int(await connection.scalar(statement, {"a": authority}))

        @precondition(lambda self: self.model.waiting)
        @rule(data=st.data())
        def approve_as_one_should(self, data: st.DataObject) -> None:
            waiting = data.draw(st.sampled_from(self.model.waiting))
            able = [
                who
                for who, roles in ROLES.items()
                if "approver" in roles and HOME[who] == waiting.approver and who != waiting.by
            ]
            if able:
                self._approve(data.draw(st.sampled_from(able)), waiting, right_digest=True)

        @precondition(lambda self: self.model.waiting)
        @rule(who=PEOPLE, data=st.data(), right_digest=st.booleans())
        def approve_anything(self, who: str, data: st.DataObject, right_digest: bool) -> None:
            self._approve(who, data.draw(st.sampled_from(self.model.waiting)), right_digest=right_digest)

        def _approve(self, who: str, waiting: Waiting, *, right_digest: bool) -> None:
            digest = waiting.digest if right_digest else "0" * 64
            person = self.office.people[who]
            able = "approver" in ROLES[who] and HOME[who] == waiting.approver and who != waiting.by
            done = self._try(approve(self.office.desk, person, waiting.submission, digest))
            if isinstance(done, Refusal):
                return
            assert able
            assert right_digest
            assert (done.public.state, done.public.decided_by) == ("approved", person.id)
            self.model.waiting.remove(waiting)
            if waiting.kind == "policy":
                self.model.four_eyes[waiting.approver] = waiting.document["four_eyes"]
            elif done.public.versions:
                self.model.enter(waiting.document)

        @precondition(lambda self: self.model.waiting)
        @rule(who=PEOPLE, data=st.data(), way=st.sampled_from((reject, withdraw)))
        def end(self, who: str, data: st.DataObject, way: Any) -> None:
            waiting = data.draw(st.sampled_from(self.model.waiting))
            if way is reject:
                able = "approver" in ROLES[who] and HOME[who] == waiting.approver and who != waiting.by
            else:
                able = who == waiting.by
            done = self._try(way(self.office.desk, self.office.people[who], waiting.submission, f"{MARK} reason"))
            assert isinstance(done, Submitted) == able
            if isinstance(done, Refusal):
                return
            self.model.waiting.remove(waiting)

        @invariant()
        def the_register_is_what_the_model_says(self) -> None:
            assert self.runner.run(self._held()) == self.model.held

        async def _held(self) -> dict[str, tuple[int, dict[str, Any]]]:
            own = ("lab-", "designation-", "recognition-", "accreditation-")
            async with self.engine.connect() as connection:
                return {
                    each.id: (each.version, each.document)
                    async for each in current_records(connection)
                    if each.id.startswith(own)
                }

        @invariant()
        def nothing_private_is_public(self) -> None:
            self.runner.run(self._look_everywhere())

        async def _look_everywhere(self) -> None:
            waiting = {each.submission for each in self.model.waiting}
            for submission in self.seen[-2:]:
                for viewer in (None, *(self.office.people[name] for name in ("eye", "o1", "registrar"))):
                    try:
                        shown = await show_submission(self.engine, submission, viewer)
                    except Refusal:
                        continue
                    assert MARK not in msgspec.json.encode(shown.public).decode()
                    authority = shown.public.authority
                    assert (shown.private is not None) == (viewer is not None and viewer.authority == authority)
                    assert viewer is not None or submission not in waiting
            async with self.engine.connect() as connection:
                for entry in await read_entries(connection, limit=1000):
                    public = msgspec.structs.astuple(entry)
                    assert MARK not in str(public)
                    assert "Person behind" not in str(public)

        def teardown(self) -> None:
            try:
                if hasattr(self, "office"):
                    self.runner.run(self._close())
            finally:
                self.runner.run(self.engine.dispose())
                self.runner.close()

        async def _close(self) -> None:
            for person in self.office.people.values():
                for item in (await list_shown(self.engine, person, whose="authority", limit=200)).items:
                    assert item.private is None or item.public.authority == person.authority
            async with self.engine.connect() as connection:
                assert await verify(connection) == []
                own = text(
                    "SELECT count(*) FROM submission WHERE state = 'approved' AND four_eyes AND decided_by = principal"
                )
                assert await connection.scalar(own) == 0
            await self._opened.__aexit__(None, None, None)

    return Submitting


@pytest.mark.timeout(300)
def test_nobody_changes_what_is_not_theirs(database_server: DatabaseServer, migrated_template: str) -> None:
    url = database_server.url(database_server.create(migrated_template, kept=True))
    machine = machine_for(url, database_server.as_owner(url))
    run_state_machine_as_test(
        machine, settings=settings(max_examples=sized(6, whole=60), stateful_step_count=25, deadline=None)
    )
