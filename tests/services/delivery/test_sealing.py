"""What is kept sealed opens only in its place and with its key, and keys can be replaced."""

import os
import stat
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cab_registry.domain.errors import Refusal
from cab_registry.services.delivery.sealing import (
    KEY_FILE,
    NoSecretKeys,
    Sealer,
    Unsealable,
    address_context,
    fold_address,
    keep_keys,
    make_key,
    make_sealer,
    secret_context,
)

OLD, NEW = bytes(range(32)), bytes(range(32, 64))


@given(plain=st.binary(max_size=300), context=st.text(max_size=30))
def test_what_was_sealed_opens_in_its_place(plain: bytes, context: str) -> None:
    sealer = Sealer([OLD], os.urandom)
    sealed = sealer.seal(plain, context)
    assert sealer.open(sealed, context) == plain
    assert len(plain) < 4 or plain not in sealed
    with pytest.raises(Unsealable):
        sealer.open(sealed, context + "x")


@given(place=st.integers(min_value=0), bit=st.integers(min_value=0, max_value=7))
def test_a_changed_byte_is_noticed(place: int, bit: int) -> None:
    sealer = Sealer([OLD], os.urandom)
    sealed = bytearray(sealer.seal(b"https://authority.example/in", "e"))
    sealed[place % len(sealed)] ^= 1 << bit
    with pytest.raises(Unsealable):
        sealer.open(bytes(sealed), "e")


def test_the_same_text_is_never_sealed_the_same_way() -> None:
    sealer = Sealer([OLD], os.urandom)
    assert sealer.seal(b"a", "e") != sealer.seal(b"a", "e")


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + bytes(11), b"\x02" + bytes(60), bytes(60)])
def test_what_nobody_sealed_does_not_open(sealed: bytes) -> None:
    with pytest.raises(Unsealable):
        Sealer([OLD], os.urandom).open(sealed, "e")


def test_keys_are_replaced_one_after_the_other() -> None:
    before, both, after = Sealer([OLD], os.urandom), Sealer([NEW, OLD], os.urandom), Sealer([NEW], os.urandom)
    sealed = before.seal(b"plain", "e")
    assert both.open(sealed, "e") == b"plain"
    assert after.open(both.seal(b"plain", "e"), "e") == b"plain"
    with pytest.raises(Unsealable):
        after.open(sealed, "e")
    assert before.address_digest("a@b.example") in both.address_digests("A@b.example")
    assert before.address_digest("a@b.example") != both.address_digest("a@b.example")
    assert both.is_marked("unsubscribe", "e-1", before.mark("unsubscribe", "e-1"))


def test_address_and_secret_are_sealed_apart() -> None:
    sealer = Sealer([OLD], os.urandom)
    with pytest.raises(Unsealable):
        sealer.open(sealer.seal(b"x", address_context("e-1")), secret_context("e-1"))


def test_a_mark_holds_for_its_text_and_purpose_only() -> None:
    sealer = Sealer([OLD], os.urandom)
    mark = sealer.mark("unsubscribe", "e-1")
    assert sealer.is_marked("unsubscribe", "e-1", mark)
    for purpose, text, shown in (
        ("confirm", "e-1", mark), ("unsubscribe", "e-2", mark), ("unsubscribe", "e-1", "é"), ("unsubscribe", "e-1", ""),
    ):  # fmt: skip
        assert not sealer.is_marked(purpose, text, shown)
    assert not Sealer([NEW], os.urandom).is_marked("unsubscribe", "e-1", mark)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Kim@Authority.example", " kim@authority.example ", True),
        ("https://Hooks.Example/In", "HTTPS://hooks.example/In", True),
        ("https://hooks.example", "https://hooks.example/", True),
        ("https://hooks.example/In", "https://hooks.example/in", False),
        ("a@b.example", "b@a.example", False),
    ],
)
def test_spellings_of_one_address_are_one(one: str, other: str, same: bool) -> None:
    assert (fold_address(one) == fold_address(other)) is same
    sealer = Sealer([OLD], os.urandom)
    assert (sealer.address_digest(one) == sealer.address_digest(other)) is same
    assert len(sealer.address_digest(one)) == 32


def test_without_keys_the_refusal_names_the_setting() -> None:
    with pytest.raises(NoSecretKeys, match="CAB_SECRET_KEYS") as refused:
        make_sealer(None, os.urandom)
    assert isinstance(refused.value, Refusal)


def test_a_made_key_can_be_set() -> None:
    first, second = make_key(os.urandom), make_key(os.urandom)
    assert len(b64decode(first)) == 32
    sealer = make_sealer(f"{first}, {second}", os.urandom)
    assert sealer.open(make_sealer(second, os.urandom).seal(b"x", "e"), "e") == b"x"


def test_kept_keys_are_made_once_and_for_their_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with ThreadPoolExecutor(8) as pool:
        given = set(pool.map(lambda _: keep_keys(folder, os.urandom), range(16)))
    assert len(given) == 1
    assert [file.name for file in folder.iterdir()] == [KEY_FILE]
    assert stat.S_IMODE((folder / KEY_FILE).stat().st_mode) == 0o600
    assert keep_keys(folder, os.urandom) == given.pop()
