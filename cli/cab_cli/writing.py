"""What every command that writes has in common: its options, the look before, the question, the sending.

`writes` gives a command these options: `--reason`, `--although`, `--private-reason`, `--evidence`, `--source`,
`--dry-run`, `--yes`, `--json`, `--server` and `--profile`; the command itself gets them as one `Sending`.
`writes_unsourced` leaves `--source` out: for what says nothing new of a body or of the law.
"""

import functools
import hashlib
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Concatenate, Final, ParamSpec

import typer

from cab_cli.citing import Citation, read_citations
from cab_cli.connecting import name_fault
from cab_cli.desk import AsJson, ProfileOption, ServerOption
from cab_cli.profiles import FIRST
from cab_registry.domain.errors import Fault, OperationalFault, Refusal

Own = ParamSpec("Own")
LARGEST_EVIDENCE: Final = 100_000_000
EVIDENCE_SECONDS: Final = 60.0
_PANEL: Final = "How it is sent"
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """How a change is handed in."""

    reason: str | None = None
    although: str | None = None
    private_reason: str | None = None
    evidence: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    dry_run: bool = False
    yes: bool = False
    as_json: bool = False
    server: str | None = None
    profile: str = FIRST

    @property
    def asks(self) -> bool:
        """Whether somebody sits there who can be asked."""
        return not self.yes and sys.stdin.isatty() and sys.stderr.isatty()

    def require_consent(self) -> None:
        """Hold that somebody can say yes: at a terminal when asked, elsewhere by the flag.

        Raises:
            Refusal: nobody is there to be asked.
        """
        if not (self.dry_run or self.yes or self.asks):
            hint = "add it to send without being asked, or --dry-run to see what would change"
            raise Refusal("nothing was sent: there is no terminal to ask on", (Fault("--yes", hint),))

    @property
    def citations(self) -> list[Citation]:
        """The sources that the command names.

        Raises:
            Refusal: they cannot be read.
        """
        return read_citations(self.source)

    def words(self) -> list[str]:
        """Return what tells one intention from another, beside the command's own words."""
        although = [f"although={self.although}"] if self.although else []
        sources = ["", *self.source] if self.source else []
        return [self.reason or "", self.private_reason or "", *self.evidence, *although, *sources]


def _common(  # noqa: PLR0917 - read for its signature alone
    reason: Annotated[
        str | None,
        typer.Option(metavar="TEXT", rich_help_panel=_PANEL, help="Why; everybody can read it beside the change."),
    ] = None,
    although: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            rich_help_panel=_PANEL,
            help="Why it is right although the agreement leaves open who may say it; everybody can read it.",
        ),
    ] = None,
    private_reason: Annotated[
        str | None,
        typer.Option(metavar="TEXT", rich_help_panel=_PANEL, help="Why, for your authority and its auditors alone."),
    ] = None,
    evidence: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE|URL",
            rich_help_panel=_PANEL,
            help="What shows it; its SHA-256 is kept, not the file itself. Repeatable.",
        ),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TITLE=ADDRESS",
            rich_help_panel=_PANEL,
            help="Where it was read, for everybody to see; the first is named by each new fact. Repeatable.",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", rich_help_panel=_PANEL, help="Say what would change and which answers flip; send nothing."
        ),
    ] = False,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes",
            rich_help_panel=_PANEL,
            help="Do not ask before sending. Needed where there is no terminal; without it nothing is sent, and the "
            "exit code is 2.",
        ),
    ] = False,
    as_json: AsJson = False,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
) -> None: ...


def writes(work: Callable[Concatenate[Sending, Own], None]) -> Callable[Own, None]:
    """Give a command the options of every command that writes; its first parameter gets them."""
    return _with_options(work, frozenset())


def writes_unsourced(work: Callable[Concatenate[Sending, Own], None]) -> Callable[Own, None]:
    """Give a command the same options without the one that names sources."""
    return _with_options(work, frozenset({"source"}))


def _with_options(work: Callable[Concatenate[Sending, Own], None], without: frozenset[str]) -> Callable[Own, None]:
    @functools.wraps(work)
    def command(*given: Own.args, **named: Own.kwargs) -> None:
        options: dict[str, Any] = {name: named.pop(name) for name in list(named) if name in common}
        options |= {name: tuple(options.get(name) or ()) for name in ("evidence", "source")}
        work(Sending(**options), *given, **named)

    parameters = inspect.signature(_common).parameters
    common = {name: each for name, each in parameters.items() if name not in without}
    first, *own = inspect.signature(work).parameters.values()
    added = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in common.values()]
    command.__signature__ = inspect.Signature([*own, *added])  # type: ignore[attr-defined]  # what inspect looks for
    command.__annotations__ = {each.name: each.annotation for each in (*own, *added)}
    del first
    return command


def read_evidence(named: str) -> dict[str, str]:
    """Describe a piece of evidence: its title, its address, the digest of its bytes.

    Raises:
        Refusal: there is no such file, or it is too large.
        OperationalFault: the address does not answer.
    """
    if named.startswith(("http://", "https://")):
        return {"title": named, "address": named, "sha256": _digest_of_address(named)}
    place = Path(named)
    digest = hashlib.sha256()
    try:
        with place.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise Refusal("the evidence cannot be read", (Fault("--evidence", f"{named}: {error.strerror}"),)) from None
    return {"title": place.name, "address": "", "sha256": digest.hexdigest()}


def _digest_of_address(address: str) -> str:
    import httpx

    digest, size = hashlib.sha256(), 0
    try:
        with httpx.stream("GET", address, follow_redirects=True, timeout=EVIDENCE_SECONDS) as response:
            response.raise_for_status()
            for chunk in response.iter_bytes():
                size += len(chunk)
                if size > LARGEST_EVIDENCE:
                    raise Refusal(f"{address} is larger than {LARGEST_EVIDENCE} bytes")
                digest.update(chunk)
    except (httpx.TransportError, httpx.TooManyRedirects) as error:
        raise OperationalFault(f"the evidence cannot be read: {name_fault(error, address, EVIDENCE_SECONDS)}") from None
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        raise OperationalFault(f"the evidence cannot be read: {address} answered with status {status}") from None
    except httpx.InvalidURL as error:
        raise Refusal("the evidence cannot be read", (Fault("--evidence", f"{address}: {error}"),)) from None
    return digest.hexdigest()
