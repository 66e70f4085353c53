"""A body from its proposal to its withdrawal, kept by officers at their command lines, in the real law.

The UK-Switzerland agreement: a Swiss body that certifies measuring instruments for Great Britain. Sixty days of silence
recognise; after an objection a new proposal must follow; a contest comes before a suspension and a withdrawal.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cab_cli import client as client_module
from cab_cli.databases import run_on
from cab_cli.exits import Exit
from cab_registry.domain.errors import OperationalFault
from cab_registry.services import principals
from cab_registry.services.accounts import tokens
from tests.cli.officers import Office, Officer

TITLE = ("--agreement", "gb-ch-mra", "--annex", "measuring-instruments")
RULE, OTHER = "gb-mid-2016", "gb-nawi-2016"
KEPT = {0: "accepted", 3: "not_accepted", 5: "cannot_tell"}
Asked = tuple[str, str, str]  # issued on, presented on, requirement


class Story:
    """The people, the body, and every verdict that was given after each step."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.seco = office.officer("ch-seco")
        self.sas = office.officer("ch-sas")
        self.opss = office.officer("gb-opss")
        self.body = ""
        self.told: list[tuple[str, dict[Asked, str]]] = []

    def right(self, kind: str) -> Any:
        rights = self.opss.does("body", "show", self.body)["rights"]
        return next(each["record"] for each in rights if each["kind"] == kind)

    def version(self, name: str) -> int:
        entries = self.opss.does("body", "history", self.body)["entries"]
        return max(int(each["version"]) for each in entries if each["id"] == name)

    def ask(self, asked: Asked, *more: str) -> str:
        issued, presented, requirement = asked
        words = ("--destination", "GB", "--kind", "certificate", "--issuer", self.body, "--issuer-economy", "CH")
        days = ("--performed-in", "CH", "--issued-on", issued, "--presented-on", presented)
        subject = ("--requirement", requirement, "--sector", "measuring_instruments")
        done = self.opss.types("check", *words, *days, *subject, *more, "--json")
        assert done.exit_code in KEPT, done.stderr
        answer = json.loads(done.stdout)
        assert answer["verdict"] == KEPT[done.exit_code]
        return str(answer["verdict"])

    def then(self, expected: dict[Asked, str]) -> None:
        """Hold the verdicts after a step, and keep the instant at which they were given."""
        assert {asked: self.ask(asked) for asked in expected} == expected
        # The instants of knowledge lie apart from those of the steps on both sides.
        time.sleep(0.002)
        self.told.append((datetime.now(UTC).isoformat(), expected))
        time.sleep(0.002)

    def remember(self) -> None:
        """Hold that each verdict is given again to who asks what was known then."""
        for moment, expected in self.told:
            assert {asked: self.ask(asked, "--known-at", moment) for asked in expected} == expected, moment


def standing(day: str, requirement: str = RULE) -> Asked:
    """A result made and presented on one day."""
    return day, day, requirement


def refused(officer: Officer, *words: str) -> str:
    done = officer.types(*words)
    assert (done.exit_code, done.stdout) == (Exit.REFUSED, ""), done.stdout
    return str(done.stderr)


@contextmanager
def answers_lost(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Lose every answer to a submission on its way back."""
    call = client_module.Client._call

    def lose(self: Any, method: str, path: str, **parts: Any) -> Any:
        answer = call(self, method, path, **parts)
        if path == "/v1/submissions":
            raise OperationalFault("cut")
        return answer

    with monkeypatch.context() as cut:
        cut.setattr(client_module.Client, "_call", lose)
        yield


@pytest.mark.timeout(240)
def test_a_body_from_its_proposal_to_its_withdrawal(
    office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    story = Story(office)
    bring_in(story)
    answer_proposal(story)
    extend(story)
    suspend_in_part(story, monkeypatch)
    correct_a_day(story, tmp_path)
    withdraw(story)
    story.remember()
    hold_history(story)
    hold_who_may(story)


def bring_in(story: Story) -> None:
    """The Swiss side designates and proposes a body; nothing is recognised that was not proposed."""
    seco, sas, opss = story.seco, story.sas, story.opss
    made = seco.does("body", "add", "Eichstelle Thun", "--economy", "CH", "--kind", "certification_body")
    story.body = body = made["versions"][0]["id"]
    words = ("--standard", "ISO/IEC 17065", "--scope", RULE, "--scope", OTHER)
    sas.does("accreditation", "add", body, *words, "--from", "2021-01-01", "--until", "2024-12-31")
    early = refused(opss, "recognise", body, *TITLE, "--scope", RULE, "--from", "2023-07-03", "--reason", "x")
    assert ("not proposed" in early, "Art. 6(1)" in early) == (True, True)

    seco.does("designate", body, *TITLE, "--scope", RULE, "--from", "2023-02-01")
    seco.does("propose", body, *TITLE, "--on", "2023-03-01", "--notified", "2023-03-01", "--reason", "A new one")
    assert (body, "proposal") in [(each["body"], each["kind"]) for each in opss.does("inbox")["items"]]
    # The list of the importing side in the register is not complete, so a body may stand on it all the same.
    story.then({standing("2023-04-30"): "cannot_tell", standing("2023-05-01"): "cannot_tell"})


def answer_proposal(story: Story) -> None:
    """The British side objects within sixty days, verifies, and recognises what is proposed again."""
    seco, opss, body = story.seco, story.opss, story.body
    opss.does("receive", body, *TITLE, "--on", "2023-03-01")
    # Sixty days of silence recognise.
    story.then({standing("2023-04-30"): "not_accepted", standing("2023-05-01"): "accepted"})
    opss.does("object", body, *TITLE, "--on", "2023-04-12", "--reason", "Scales not traceable")
    story.then({standing("2023-04-30"): "not_accepted", standing("2023-05-01"): "not_accepted"})
    opss.does("verify", body, *TITLE, "--on", "2023-05-22", "--reason", "Joint visit")
    story.then({standing("2023-05-23"): "not_accepted"})
    recognise = ("recognise", body, *TITLE, "--from", "2023-07-03", "--reason", "Verified")
    assert "a new proposal must follow" in refused(opss, *recognise)
    seco.does("propose", body, *TITLE, "--on", "2023-06-01", "--notified", "2023-06-01", "--reason", "Once more")
    opss.does("receive", body, *TITLE, "--on", "2023-06-01", "--reason", "Once more")
    opss.does(*recognise)
    assert not [each for each in opss.does("inbox")["items"] if each["body"] == body and each["kind"] == "proposal"]
    story.then(
        {
            standing("2023-07-02"): "not_accepted",
            standing("2023-07-03"): "accepted",
            standing("2024-02-01", OTHER): "cannot_tell",
        }
    )


def extend(story: Story) -> None:
    """The scope grows, and the accreditation is renewed before it ends."""
    seco, sas, opss, body = story.seco, story.sas, story.opss, story.body
    seco.does("designate", body, *TITLE, "--scope", OTHER, "--from", "2024-01-01", "--reason", "Extended")
    opss.does("recognise", body, *TITLE, "--scope", OTHER, "--from", "2024-02-01", "--reason", "Extended")
    story.then(
        {
            standing("2024-01-31", OTHER): "not_accepted",
            standing("2024-02-01", OTHER): "accepted",
            standing("2024-02-01"): "accepted",
            standing("2024-12-31"): "accepted",
            standing("2025-01-01"): "cannot_tell",
        }
    )
    words = ("--until", "2028-12-31", "--on", "2024-11-04", "--reason", "Renewed")
    sas.does("accreditation", "renew", body, *words)
    story.then({standing("2024-12-31"): "accepted", standing("2025-01-01"): "accepted"})


def suspend_in_part(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of two scope items is suspended after a contest, and reinstated; the answer to the first call is lost."""
    opss = story.opss
    name = story.right("recognition")["id"]
    suspend = ("suspend", name, "--scope", OTHER, "--on", "2025-04-01", "--kind", "imposed", "--reason", "Failed")
    early = refused(opss, *suspend)
    assert ("not contested" in early, "Art. 7" in early) == (True, True)
    opss.does("contest", name, "--on", "2025-02-03", "--reason", "Results do not agree")
    with answers_lost(monkeypatch):
        lost = opss.types(*suspend)
    assert (lost.exit_code, "the same command again" in lost.stderr) == (Exit.UNAVAILABLE, True)
    assert opss.does(*suspend)["repeated"] is True
    story.then(
        {
            standing("2025-03-31", OTHER): "accepted",
            standing("2025-04-01", OTHER): "not_accepted",
            standing("2025-04-01"): "accepted",
            ("2025-03-31", "2025-05-02", OTHER): "accepted",
        }
    )
    opss.does("reinstate", name, "--scope", OTHER, "--on", "2025-08-11", "--reason", "Corrected")
    timeline = story.right("recognition")["timeline"]
    assert [each["event"] for each in timeline][-3:] == ["contested", "suspended", "reinstated"]
    story.then({standing("2025-08-04", OTHER): "not_accepted", standing("2025-08-11", OTHER): "accepted"})


def correct_a_day(story: Story, tmp_path: Path) -> None:
    """A wrong day is mended; who read the record before that cannot write over it."""
    opss = story.opss
    name = story.right("recognition")["id"]
    timeline = story.right("recognition")["timeline"]
    draft = tmp_path / "remark.json"
    read = {"expected_version": story.version(name), "document": story.right("recognition") | {"note": "Mine"}}
    draft.write_text(json.dumps(read), "utf-8")
    place = f"/timeline/{len(timeline) - 1}/on=2025-08-01"
    opss.does("correct", name, "--set", place, "--reason", "The letter says 1 August")
    story.then(
        {
            standing("2025-07-31", OTHER): "not_accepted",
            standing("2025-08-04", OTHER): "accepted",
            standing("2025-08-11", OTHER): "accepted",
        }
    )
    stale = opss.types("submit", str(draft), "--reason", "Remark")
    assert (stale.exit_code, stale.stdout) == (Exit.CONFLICT, "")
    assert "The letter says 1 August" in stale.stderr
    assert "note" not in story.right("recognition")


def withdraw(story: Story) -> None:
    """What was issued before a withdrawal stays good."""
    opss = story.opss
    name = story.right("recognition")["id"]
    opss.does("withdraw", name, "--on", "2026-03-02", "--reason", "No longer competent")
    story.then(
        {
            standing("2026-03-01"): "accepted",
            standing("2026-03-02"): "not_accepted",
            ("2026-03-01", "2026-05-04", RULE): "accepted",
            standing("2025-07-31", OTHER): "not_accepted",
        }
    )
    after = refused(opss, "suspend", name, "--on", "2026-04-01", "--reason", "x")
    assert "withdrawn on 2026-03-02" in after


def hold_history(story: Story) -> None:
    """Everyone sees each step once, in its order, with who and why."""
    entries = story.opss.does("body", "history", story.body)["entries"]
    steps = [(each["authority"]["id"], each["public_reason"]) for each in entries if each["type"] == "recognition"]
    assert [why for _, why in steps][1:] == [
        "Scales not traceable", "Joint visit", "Once more", "Verified", "Extended", "Results do not agree", "Failed",
        "Corrected", "The letter says 1 August", "No longer competent",
    ]  # fmt: skip
    assert {who for who, _ in steps} == {"gb-opss"}
    assert entries[-1]["before"] != entries[-1]["after"]


def hold_who_may(story: Story) -> None:
    """Nobody changes what is another's, and an old token is none."""
    name = story.right("designation")["id"]
    stolen = refused(story.opss, "withdraw", name, "--on", "2026-03-02", "--reason", "x")
    assert "ch-seco" in stolen
    foreign = refused(story.sas, "correct", story.body, "--set", "/names/0/name=Mine", "--reason", "x")
    assert "ch-seco" in foreign

    past = datetime.now(UTC) - timedelta(days=100)
    registrar = story.office.registrar

    async def issue(engine: Any) -> str:
        now = await principals.authenticate(engine, registrar.token, lambda: datetime.now(UTC))
        issued = await tokens.issue_token(
            engine, now, authority="registrar", roles=("registrar",), name="old",
            clock=lambda: past, random=os.urandom,
        )  # fmt: skip
        return issued.text

    expired = Officer(registrar.server, run_on(story.office.url, issue), story.office.folder / "expired")
    assert "expired" in refused(expired, "admin", "principal", "list").lower()
