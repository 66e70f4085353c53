"""The journal by which a soak that was ended goes on, and its documentation."""

import re
from pathlib import Path

import pytest

from tests import soak


@pytest.fixture(autouse=True)
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(soak, "JOURNAL", tmp_path / "new" / "rounds.jsonl")
    monkeypatch.setattr(soak, "find_commit", lambda: "one")
    return soak.JOURNAL


def test_rounds_add_up_and_have_seeds_of_their_own() -> None:
    rounds = soak.rounds_of(1_200, 500)
    assert [size for _, size in rounds] == [500, 500, 200]
    assert len({seed for seed, _ in rounds}) == 3


def test_a_round_that_held_is_not_ridden_again_at_that_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    soak.write_round("kills", 7, 500, submissions=1_000)
    assert soak.was_ridden("kills", 7, 500)
    assert not soak.was_ridden("kills", 8, 500)
    assert not soak.was_ridden("kills", 7, 100)
    assert not soak.was_ridden("requests", 7, 500)
    monkeypatch.setattr(soak, "find_commit", lambda: "two")
    assert not soak.was_ridden("kills", 7, 500)


def test_the_summary_adds_up_rounds_and_keeps_what_was_most(capsys: pytest.CaptureFixture[str]) -> None:
    soak.main()
    assert capsys.readouterr().out == "No round was ridden at this commit yet.\n"
    soak.write_round("kills", 7, 500, most_seconds=1.5)
    soak.write_round("kills", 8, 100, most_seconds=0.5)
    soak.main()
    assert capsys.readouterr().out == "kills: rounds 2, size 600, most_seconds 1.5\n"


def test_each_setting_of_a_soak_is_documented() -> None:
    said = set(re.findall(r"`(CAB_SOAK_\w+)`", (soak.CHECKOUT / "docs" / "soak.md").read_text()))
    source = Path(soak.__file__).read_text()
    read = {f"CAB_SOAK_{name}" for name in re.findall(r'asked\("(\w+)"', source)} | set(
        re.findall(r'"(CAB_SOAK_\w+)"', source)
    )
    assert said == read
