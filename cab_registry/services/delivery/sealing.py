"""Secrets and addresses at rest: sealed with keys of the operator, and found again without being opened."""

from __future__ import annotations

import hmac
import os
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Final
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cab_registry.domain.errors import OperationalFault, Refusal
from cab_registry.settings import KEY_LENGTH, read_keys

Random = Callable[[int], bytes]
"""Gives so many bytes that nobody can guess."""

KEY_FILE: Final = "secret-keys"

_FIRST_FORMAT: Final = b"\x01"
_NONCE: Final = 12


class NoSecretKeys(Refusal):
    """This registry keeps no address and no secret, since its operator set no key to seal them with."""

    def __init__(self) -> None:
        super().__init__(
            "This registry keeps no addresses, so that it sends no notices: its operator has not set CAB_SECRET_KEYS. "
            "Feeds tell the same without an address."
        )


class Unsealable(OperationalFault):
    """None of the keys opens what was sealed; the key that sealed it is missing, or it was changed."""


class Sealer:
    """Seals with the first of its keys and opens with any, so that keys can be replaced one after the other."""

    def __init__(self, keys: Sequence[bytes], random: Random) -> None:
        if not keys or any(len(key) != KEY_LENGTH for key in keys):
            raise ValueError(f"expected keys of {KEY_LENGTH} bytes, at least one")
        self._ciphers = tuple(AESGCM(_derive(key, "seal")) for key in keys)
        self._digesting = tuple(_derive(key, "digest") for key in keys)
        self._marking = tuple(_derive(key, "mark") for key in keys)
        self._random = random

    def seal(self, plain: bytes, context: str) -> bytes:
        """Encrypt for one place, which `context` names: nothing that is moved to another place opens there."""
        nonce = self._random(_NONCE)
        return _FIRST_FORMAT + nonce + self._ciphers[0].encrypt(nonce, plain, context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        """Decrypt what was sealed for a place.

        Raises:
            Unsealable: no key opens it.
        """
        if sealed[:1] == _FIRST_FORMAT and len(sealed) > _NONCE:
            nonce, text = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
            for cipher in self._ciphers:
                with suppress(InvalidTag):
                    return cipher.decrypt(nonce, text, context.encode())
        raise Unsealable("none of the keys in CAB_SECRET_KEYS opens it")

    def address_digest(self, address: str) -> bytes:
        """What finds an address without opening it, 32 bytes; spellings that reach the same are one."""
        return self.address_digests(address)[0]

    def address_digests(self, address: str) -> tuple[bytes, ...]:
        """The digests of an address under every key, to find also what was kept before the keys were changed."""
        folded = fold_address(address).encode()
        return tuple(hmac.digest(key, folded, sha256) for key in self._digesting)

    def mark(self, purpose: str, text: str) -> str:
        """What only this registry can add to a text, safe in an address: it proves that we gave the link out."""
        return _mark(self._marking[0], purpose, text)

    def is_marked(self, purpose: str, text: str, mark: str) -> bool:
        """Whether this registry gave that mark to a text for that purpose, with any of its keys."""
        shown = mark.encode(errors="replace")
        return any(hmac.compare_digest(_mark(key, purpose, text).encode(), shown) for key in self._marking)


def make_sealer(secret_keys: str | None, random: Random) -> Sealer:
    """Make the sealer of a setting.

    Raises:
        NoSecretKeys: it is not set.
        ValueError: it cannot be read.
    """
    if secret_keys is None:
        raise NoSecretKeys
    return Sealer(read_keys(secret_keys), random)


def make_key(random: Random) -> str:
    """Make a key as the setting CAB_SECRET_KEYS takes it."""
    return b64encode(random(KEY_LENGTH)).decode()


def keep_keys(folder: Path, random: Random) -> str:
    """Give the keys that are kept in a folder, as the setting takes them; the first time, make one.

    Of several processes that ask at once, one makes it and all get the same. Only its owner can read the file.

    Raises:
        OSError: the folder cannot be used.
        ValueError: the file holds no keys.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = folder / KEY_FILE
    if not kept.exists():
        draft = folder / f"{KEY_FILE}.{token_hex(8)}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(make_key(random) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # The link fails where another process made the file meanwhile, and then that one is taken.
        with suppress(FileExistsError):
            kept.hardlink_to(draft)
        draft.unlink()
    keys = kept.read_text().strip()
    read_keys(keys)
    return keys


def address_context(endpoint: str) -> str:
    """Where the address of an endpoint is sealed."""
    return f"endpoint/{endpoint}/address"


def secret_context(endpoint: str) -> str:
    """Where the secrets of an endpoint are sealed."""
    return f"endpoint/{endpoint}/secret"


def fold_address(address: str) -> str:
    """One spelling for the same mailbox, or for the same web address: of that, scheme and host in small letters."""
    text = address.strip()
    if "://" not in text:
        return text.casefold()
    parts = urlsplit(text)
    return parts._replace(scheme=parts.scheme.lower(), netloc=parts.netloc.lower(), path=parts.path or "/").geturl()


def _derive(key: bytes, purpose: str) -> bytes:
    return hmac.digest(key, f"cab-registry {purpose}".encode(), sha256)


def _mark(key: bytes, purpose: str, text: str) -> str:
    return urlsafe_b64encode(hmac.digest(key, f"{purpose}\x00{text}".encode(), sha256)[:24]).decode()
