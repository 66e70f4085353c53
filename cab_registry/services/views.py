"""A register to read: at the head, as it was known, or at the position to which a cursor is bound."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import blake2b
from typing import Annotated, Any, Final, Protocol, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from cab_registry import __version__
from cab_registry.domain.errors import Fault, Refusal
from cab_registry.register.compiled import compile_register
from cab_registry.services.asking import parse_known_at
from cab_registry.services.heads import HeadSource, Held
from cab_registry.services.runtime.sharing import Shared
from cab_registry.services.runtime.work import Rooms
from cab_registry.services.sources import Moment, RecordSource
from cab_registry.storage.canonical import spell_instant

_KEPT: Final = 2
LARGEST_PAGE: Final = 500
Item = TypeVar("Item")
Given = Annotated[str, Meta(min_length=1, max_length=1000)]


class WrongParameters(Refusal):
    """Query parameters that cannot be taken."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        super().__init__("the query parameters cannot be taken", faults)


class NoSuchRecord(Refusal):
    """The register has no record of that kind with that id."""

    def __init__(self, kind: str, record_id: str, meant: Iterable[str] = ()) -> None:
        near = " or ".join(meant)
        super().__init__(f"the register has no {kind} {record_id!r}" + (f"; did you mean {near}?" if near else ""))


class State(msgspec.Struct, frozen=True):
    """The state of the register that was read."""

    position: Annotated[int, Meta(description="Position of the log.")]
    recorded: Annotated[str | None, Meta(description="The instant at which that position was recorded.")]
    log: Annotated[str | None, Meta(description="Which log it is; none for a scratch register.")]


class Viewing(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters that choose the state of the register."""

    known_at: Annotated[
        Given | None, Meta(description="Day or instant with offset: as the register knew it then. Default: the head.")
    ] = None
    at_least: Annotated[
        Annotated[int, Meta(ge=0, le=2**62)] | None,
        Meta(description="Wait briefly until the register has reached this position of the log."),
    ] = None


class Paging(Viewing, frozen=True, kw_only=True):
    """Parameters of a list."""

    limit: Annotated[int, Meta(ge=1, le=LARGEST_PAGE, description="Items on a page.")] = 100
    cursor: Annotated[
        Given | None, Meta(description="Where the page before ended; bound to its state of the register.")
    ] = None


class Paged(Protocol):
    """Parameters of a list that comes in pages."""

    @property
    def limit(self) -> int:
        """How many items stand on a page."""

    @property
    def cursor(self) -> str | None:
        """Where the page before ended."""


class _Cursor(msgspec.Struct, frozen=True, array_like=True):
    position: int
    instant: datetime | None
    after: str
    query: str


@dataclass(frozen=True, slots=True)
class View:
    """A register, what names its state, and the instant that was asked for, where one was."""

    held: Held
    today: date
    instant: datetime | None = None

    @property
    def state(self) -> State:
        """What names the state."""
        recorded = self.held.recorded
        return State(self.held.position, None if recorded is None else spell_instant(recorded), self.held.log_id)

    @property
    def tag(self) -> str:
        """Equal tags mean equal registers, seen on the same day."""
        key = msgspec.json.encode((__version__, self.state, self.today, self.instant))
        return blake2b(key, digest_size=12).hexdigest()


class Views:
    """Finds the register that a request means."""

    def __init__(
        self, head: HeadSource, past: RecordSource | None, today: Callable[[], date], zone: ZoneInfo, rooms: Rooms
    ) -> None:
        self.rooms = rooms
        self._head = head
        self._past = past
        self._today = today
        self._zone = zone
        self._kept: Shared[Held] = Shared(kept=_KEPT, at_once=_KEPT)

    async def find(self, viewing: Viewing) -> View:
        """Find the register that the parameters name.

        Raises:
            WrongParameters: known_at is neither a day nor an instant with an offset.
            OperationalFault: the register is not there yet, or the past cannot be read.
        """
        text: str | None = getattr(viewing, "cursor", None)
        if text is not None:
            return await self._find_page(viewing, text)
        held = self._head.current() if viewing.at_least is None else await self._head.at_least(viewing.at_least)
        if viewing.known_at is None:
            return View(held, self._today())
        try:
            instant = parse_known_at(viewing.known_at, self._zone)
        except ValueError as error:
            raise WrongParameters([Fault("/known_at", str(error))]) from None
        return await self._as_known(instant)

    async def _find_page(self, viewing: Viewing, text: str) -> View:
        cursor = _read_cursor(text)
        if cursor.query != _digest(viewing):
            raise WrongParameters([Fault("/cursor", "belongs to a list with other parameters; repeat them all")])
        if cursor.instant is not None:
            return await self._as_known(cursor.instant)
        held = self._head.recent(cursor.position)
        if held is None:
            held = await self._load(cursor.position, cursor.position)
        return View(held, self._today())

    async def _as_known(self, instant: datetime) -> View:
        """Find the register of an instant; one that is not past yet means the state that it is in, and names no other.

        Pages that follow are bound to that state, whatever the instant comes to mean.
        """
        if self._past is None:
            return View(self._head.current(), self._today(), instant)
        known = await self._past.resolve(instant)
        if not known.beyond:
            return View(await self._load(known.moment, known.position), self._today(), instant)
        held = self._head.recent(known.position)
        return View(held or await self._load(known.moment, known.position), self._today())

    async def _load(self, moment: Moment, position: int) -> Held:
        """Compile the whole register of a moment, once for all who ask for it; the last few are kept."""
        past = self._past
        if past is None:
            return self._head.current()

        async def make() -> Held:
            state = await past.describe(position)
            records = [*await past.read_law(moment), *await past.read_bodies(moment)]
            register = await self.rooms.surveys.run(lambda: compile_register(records, position=position))
            return Held(register, state.recorded, state.log_id)

        return await self._kept.find(moment, make)


def cut_page(
    items: Sequence[Item], key: Callable[[Item], str], paging: Paged, view: View
) -> tuple[list[Item], str | None]:
    """Return the page of a sorted list that the parameters ask for, and the cursor of the next one."""
    after = "" if paging.cursor is None else _read_cursor(paging.cursor).after
    rest = [item for item in items if key(item) > after]
    page = list(rest[: paging.limit])
    if len(rest) <= paging.limit:
        return page, None
    cursor = _Cursor(view.held.position, view.instant, key(page[-1]), _digest(paging))
    return page, urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def _read_cursor(text: str) -> _Cursor:
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return msgspec.json.decode(raw, type=_Cursor)
    except (ValueError, msgspec.MsgspecError):
        raise WrongParameters([Fault("/cursor", "is none that a page of this list gave")]) from None


def _digest(paging: object) -> str:
    """What a cursor is bound to beside the state: every parameter but the page's own."""
    asked: dict[str, Any] = {key: value for key, value in msgspec.to_builtins(paging).items() if key not in _OF_PAGES}
    return blake2b(msgspec.json.encode((type(paging).__name__, asked)), digest_size=6).hexdigest()


_OF_PAGES: Final = frozenset({"cursor", "limit", "at_least"})
