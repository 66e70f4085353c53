"""What the command line keeps for its user: profiles with their tokens, and requests that got no answer yet.

Every file is readable by its owner alone; a profile that others can read is refused, as a key would be.
"""

import hashlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from cab_registry.domain.errors import Fault, OperationalFault, Refusal

FIRST: Final = "default"
_OPEN_TO_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A server, and the token that is shown to it."""

    server: str
    token: str
    authority: str | None = None


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was sent, or is about to be, and whose answer has not come."""

    key: str
    request: dict[str, Any]
    headline: str


def read_profile(name: str) -> Profile | None:
    """Read a profile; none where there is none of that name.

    Raises:
        Refusal: others can read it, or it is no profile.
    """
    place = _place_of(name)
    try:
        state = place.stat()
        text = place.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Refusal(f"{place} cannot be read: {error.strerror}") from None
    if os.name == "posix" and state.st_mode & _OPEN_TO_OTHERS:
        raise Refusal(f"others can read the token in {place}: chmod 600 it, or rotate the token if they did")
    try:
        return msgspec.json.decode(text, type=Profile)
    except msgspec.MsgspecError as error:
        raise Refusal(f"{place} is no profile: {error}; cab auth login makes it anew") from None


def keep_profile(name: str, profile: Profile) -> Path:
    """Keep a profile, and say where."""
    place = _place_of(name)
    _write(place, msgspec.json.format(msgspec.json.encode(profile), indent=2))
    return place


def forget_profile(name: str) -> bool:
    """Remove a profile; whether there was one."""
    place = _place_of(name)
    there = place.exists()
    place.unlink(missing_ok=True)
    return there


def name_waiting(server: str, authority: str, intent: Sequence[str]) -> str:
    """Return the name under which a request waits: equal for equal words to the same server for the same authority."""
    return hashlib.sha256(msgspec.json.encode((server, authority, list(intent)))).hexdigest()


def read_waiting(name: str) -> Waiting | None:
    """Read a request that got no answer; one that cannot be read counts as none."""
    try:
        return msgspec.json.decode(_waiting_place(name).read_bytes(), type=Waiting)
    except (OSError, msgspec.MsgspecError):
        return None


def keep_waiting(name: str, waiting: Waiting) -> None:
    """Keep a request before it is sent, so that the same words later ask for what became of it."""
    _write(_waiting_place(name), msgspec.json.encode(waiting))


def forget_waiting(name: str) -> None:
    """Remove a request that was answered."""
    _waiting_place(name).unlink(missing_ok=True)


def _place_of(name: str) -> Path:
    import platformdirs

    if not name or not name.replace("-", "").replace("_", "").isalnum():
        raise Refusal("a profile has a plain name", (Fault("--profile", "letters, digits, - and _"),))
    return platformdirs.user_config_path("cab") / "profiles" / f"{name}.json"


def _waiting_place(name: str) -> Path:
    import platformdirs

    return platformdirs.user_state_path("cab") / "waiting" / f"{name}.json"


def _write(place: Path, content: bytes) -> None:
    """Write a file whole or not at all, for its owner's eyes from its first byte on."""
    new = place.with_suffix(f".{os.getpid()}")
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(place)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise OperationalFault(f"{place} cannot be written: {error.strerror}") from None
