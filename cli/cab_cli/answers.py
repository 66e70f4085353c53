"""An answer for people: verdict, headline, the route, the checks as a ladder, and what would change it."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

NEAREST: Final = 5
_COLOURS: Final = {
    "accepted": "green",
    "accepted_with_conditions": "yellow",
    "not_accepted": "red",
    "not_covered": "magenta",
    "cannot_tell": "cyan",
}
_MARKS: Final = {"pass": ("✓", "+"), "fail": ("✗", "x"), "unknown": ("?", "?"), "not_applicable": ("·", "-")}
_TONES: Final = {"pass": "green", "fail": "bold red", "unknown": "bold cyan", "not_applicable": "dim"}
_FITS: Final = {
    "id": "its id",
    "exact": "as the register has it",
    "number": "its number",
    "fold": "spelled otherwise",
    "section": "a part of it",
    "several": "several fit",
    "near": "only like others",
    "unknown": "nothing like it is in the register",
}
_OUTCOMES: Final = {"not_applicable": "n/a"}


def print_answer(console: Console, answer: dict[str, Any]) -> None:
    """Print an answer; nothing in it depends on colour."""
    verdict = answer["verdict"]
    colour = _COLOURS[verdict]
    title = Text(verdict.replace("_", " ").upper(), style=f"bold {colour}")
    console.print(Panel(Text(answer["headline"]), title=title, title_align="left", border_style=colour))
    for note in answer["asked"]["notes"]:
        console.print(Text(f"Note: {note}.", style="bold"))
    for heading, lines in _sections(console, answer):
        console.print(Text(heading, style="bold"))
        console.print(Padding(lines, (0, 0, 0, 2), expand=False))
    console.print(Text(_asked(answer["asked"]), style="dim"))


def _sections(console: Console, answer: dict[str, Any]) -> Iterator[tuple[str, RenderableType]]:
    if answer["route"]:
        yield "Route", _route(answer["route"])
    if answer["checks"]:
        yield "Checks", _ladder(console, answer["checks"])
    listed = (
        ("Conditions", (_cited(each["text"], each["citation"]) for each in answer["conditions"])),
        ("Missing", _missing(answer)),
        ("Assumed", answer["assumptions"]),
        ("Taken", _taken(answer["taken"])),
        ("Could be meant", answer["candidates"]),
        ("Positions", (_position(each) for each in answer["positions"])),
        ("Holds", _holds(answer["holds"])),
        ("Alternatives", (each["text"] for each in answer["alternatives"])),
        ("Other routes", (_other(each) for each in answer["other_routes"])),
        ("Near misses", _near(answer["near"])),
    )
    for heading, lines in listed:
        if found := list(lines):
            yield heading, _bullets(found)


def _route(route: dict[str, Any]) -> Text:
    place = [f"{key} {route[key]}" for key in ("agreement", "annex", "scheme") if route[key]]
    lines = [f"{route['title']} [{route['id']}]", ", ".join([*place, f"duty: {route['duty']}"])]
    lines.append(_origin(route))
    return Text("\n".join(line for line in lines if line))


def _ladder(console: Console, checks: Iterable[dict[str, Any]]) -> Table:
    plain = console.options.ascii_only
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for check in checks:
        outcome = check["outcome"]
        tone = _TONES[outcome]
        text = Text(check["text"], style="dim" if outcome == "not_applicable" else "")
        if outcome in {"fail", "unknown"} and (origin := _origin(check)):
            text.append(f"\n{origin}", style="italic")
        mark = Text(_MARKS[outcome][plain], style=tone)
        grid.add_row(mark, Text(_OUTCOMES.get(outcome, outcome), style=tone), Text(check["check"], style="bold"), text)
    return grid


def _bullets(lines: Iterable[str]) -> Table:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for line in lines:
        grid.add_row("-", Text(line))
    return grid


def _origin(shown: dict[str, Any]) -> str:
    """Citation, source with its address, and how sure the reading is."""
    source = " ".join(part for part in (shown.get("source"), shown.get("address")) if part)
    confidence = shown.get("confidence")
    sure = f"confidence {confidence}" if confidence else ""
    return "; ".join(part for part in (shown.get("citation"), source, sure) if part)


def _cited(text: str, citation: str | None) -> str:
    return f"{text} ({citation})" if citation else text


def _missing(answer: dict[str, Any]) -> Iterator[str]:
    """Name each value that is missing, with the verdicts that it could bring."""
    brings = {each["name"]: each["verdicts"] for each in answer.get("could_bring", ())}
    for name in answer["missing"]:
        verdicts = " or ".join(verdict.replace("_", " ") for verdict in brings.get(name, ()))
        yield f"{name}: could bring {verdicts}" if verdicts else name


def _position(position: dict[str, Any]) -> str:
    where = ", ".join(position["binds_in"])
    force = f"binds in {where}" if position["binding"] else f"does not bind here (binds in {where or 'no market'})"
    return f"{position['by']} says {position['says'].replace('_', ' ')}: {force} [{position['record']}]"


def _holds(holds: dict[str, Any]) -> Iterator[str]:
    since, until, change = holds["since"], holds["until"], holds["next_change"]
    if since or until:
        start = f"from {since}" if since else "from as far back as asked"
        end = f"until {until}" if until else "with no end known"
        yield f"the same answer for a presentation {start} {end}"
    if change:
        yield f"next change: {change}"


def _taken(taken: dict[str, dict[str, Any] | None]) -> Iterator[str]:
    """Whom and which rule the question was taken to mean, and how the words fitted."""
    for part, fit in taken.items():
        if fit is None:
            continue
        if fit["id"] is None:
            yield f"{part}: {fit['asked']!r} is not settled ({_FITS[fit['how']]})"
        else:
            name = "" if fit["name"] in (None, fit["id"]) else f"{fit['name']} "
            yield f"{part}: {name}[{fit['id']}], asked as {fit['asked']!r} ({_FITS[fit['how']]})"


def _other(other: dict[str, Any]) -> str:
    failing = f", first failing: {other['first_failing']}" if other["first_failing"] else ""
    return f"{other['title']} [{other['id']}]: {other['verdict'].replace('_', ' ')}{failing}"


def _near(near: list[dict[str, Any]]) -> Iterator[str]:
    for each in near[:NEAREST]:
        yield f"{each['text']} [{each['id']}, {each['first_failing']}]"
    if len(near) > NEAREST:
        yield f"and {len(near) - NEAREST} more, which --json lists"


def _asked(asked: dict[str, Any]) -> str:
    parts = [f"presented on {asked['presented_on']}", f"known on {asked['known_on']}"]
    if asked["position"] is not None:
        parts.append(f"position {asked['position']}")
    if asked["engine"]:
        parts.append(f"engine {asked['engine']}")
    return "; ".join(parts)
