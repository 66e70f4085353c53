"""A register to read: at the head, as it was known, or at the position to which a cursor is bound."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import blake2b
from typing import Annotated, Final, Protocol, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from cab_registry import __version__
from cab_registry.domain.errors import Fault, Refusal
from cab_registry.register.compiled import compile_register
from cab_registry.services.asking import parse_known_at
from cab_registry.services.heads import HeadSource, Held
from cab_registry.services.runtime.sharing import Shared
from cab_registry.services.runtime.work import PAST, Rooms, demand
from cab_registry.services.snapshots.cursors import Cursors, CursorSigner
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


class _Place(msgspec.Struct, frozen=True, array_like=True):
    position: int
    instant: datetime | None
    after: str


@dataclass(frozen=True, slots=True)
class View:
    """A register, what names its state, and the instant that was asked for, where one was."""

    held: Held
    today: date
    signer: CursorSigner
    instant: datetime | None = None

    @property
    def state(self) -> State:
        """What names the state."""
        return state_of(self.held)

    @property
    def tag(self) -> str:
        """Equal tags mean equal registers, seen on the same day."""
        key = msgspec.json.encode((__version__, self.state, self.today, self.instant))
        return blake2b(key, digest_size=12).hexdigest()


def state_of(held: Held) -> State:
    """Name the state of a register."""
    recorded = held.recorded
    return State(held.position, None if recorded is None else spell_instant(recorded), held.log_id)


class Views:
    """Finds the register that a request means."""

    def __init__(
        self,
        head: HeadSource,
        past: RecordSource | None,
        today: Callable[[], date],
        zone: ZoneInfo,
        cursors: Cursors,
        rooms: Rooms,
    ) -> None:
        self.rooms = rooms
        self._head = head
        self._past = past
        self._today = today
        self._zone = zone
        self._cursors = cursors
        self._kept: Shared[Held] = Shared(kept=_KEPT, at_once=_KEPT)

    async def find(self, viewing: Viewing) -> View:
        """Find the register that the parameters name.

        Raises:
            WrongParameters: known_at is neither a day nor an instant with an offset.
            WrongCursor: the cursor is not one that this list gave, or has expired.
            OperationalFault: the register is not there yet, or the past cannot be read.
        """
        text: str | None = getattr(viewing, "cursor", None)
        if text is not None:
            signer = await self._cursors.signer()
            return await self._find_page(signer.read(text, viewing, _Place), signer)
        held = self._head.current() if viewing.at_least is None else await self._head.at_least(viewing.at_least)
        signer = await self._cursors.signer()
        if viewing.known_at is None:
            return View(held, self._today(), signer)
        try:
            instant = parse_known_at(viewing.known_at, self._zone)
        except ValueError as error:
            raise WrongParameters([Fault("/known_at", str(error))]) from None
        return await self._as_known(instant, signer)

    async def _find_page(self, place: _Place, signer: CursorSigner) -> View:
        if place.instant is not None:
            return await self._as_known(place.instant, signer)
        held = self._head.recent(place.position)
        if held is None:
            held = await self._load(place.position, place.position)
        return View(held, self._today(), signer)

    async def _as_known(self, instant: datetime, signer: CursorSigner) -> View:
        """Find the register of an instant; one that is not past yet means the state that it is in, and names no other.

        Pages that follow are bound to that state, whatever the instant comes to mean.
        """
        demand(PAST)
        if self._past is None:
            return View(self._head.current(), self._today(), signer, instant)
        known = await self._past.resolve(instant)
        if not known.beyond:
            return View(await self._load(known.moment, known.position), self._today(), signer, instant)
        held = self._head.recent(known.position)
        return View(held or await self._load(known.moment, known.position), self._today(), signer)

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
    after = "" if paging.cursor is None else view.signer.read(paging.cursor, paging, _Place).after
    rest = [item for item in items if key(item) > after]
    page = list(rest[: paging.limit])
    if len(rest) <= paging.limit:
        return page, None
    return page, view.signer.write(paging, _Place(view.held.position, view.instant, key(page[-1])))
