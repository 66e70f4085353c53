"""The question as flags spell it: plain flags become the document that goes to the server."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from cab_cli.texts import LONGEST, NotJson, decode, parse_json, read_text
from cab_registry.domain.day_forms import say_day
from cab_registry.domain.errors import Fault, Refusal

_PERIOD = ".."
_WANTED = "a question in JSON"
_ID = re.compile(r"[a-z0-9][a-z0-9-]*")


class Flags(msgspec.Struct, kw_only=True, frozen=True):
    """What the flags of `cab check` said; none or nothing where a flag was not given."""

    destination: str | None = None
    presented_on: str | None = None
    known_at: str | None = None
    standing_on: str | None = None
    kind: str | None = None
    issuer: str | None = None
    issuer_number: str | None = None
    issuer_name: str | None = None
    issuer_economy: str | None = None
    site: str | None = None
    performed_in: str | None = None
    performed_on: str | None = None
    issued_on: str | None = None
    ordered_on: str | None = None
    submitted_on: str | None = None
    valid_until: str | None = None
    number: str | None = None
    findings: str | None = None
    attests: tuple[str, ...] = ()
    subcontractor: tuple[str, ...] = ()
    sector: str | None = None
    requirement: str | None = None
    edition: str | None = None
    product_class: str | None = None
    activity: str | None = None
    procedure: str | None = None
    origin: str | None = None
    standard: tuple[str, ...] = ()


_TOP = ("destination", "presented_on", "known_at", "standing_on")
_RESULT = ("kind", "issuer_economy", "site", "performed_in", "issued_on", "ordered_on", "submitted_on", "valid_until",
           "number", "findings", "attests")  # fmt: skip
_SUBJECT = ("sector", "requirement", "edition", "product_class", "activity", "procedure", "origin")
_DAYS = ("presented_on", "standing_on", "issued_on", "ordered_on", "submitted_on", "valid_until")


def read_document(file: str) -> dict[str, Any]:
    """Read a question from a JSON file, or from standard input where the file is `-`.

    Raises:
        Refusal: there is no such file, or it holds no JSON object.
    """
    if file == "-":
        text = decode(sys.stdin.buffer.read(LONGEST + 1), "the standard input", _WANTED)
    else:
        text = read_text(Path(file), _WANTED)
    try:
        document = parse_json(text)
    except NotJson as error:
        raise Refusal("the question is no JSON", (Fault("", str(error), f"{file}:{error.line}"),)) from None
    if not isinstance(document, dict):
        raise Refusal("the question is no JSON object", (Fault("", "write {...}", file),))
    return document


def compose(flags: Flags, base: dict[str, Any] | None = None, *, alone: bool = True) -> dict[str, Any]:
    """Write the question's document: what the file says, changed and completed by the flags.

    Args:
        flags: the flags.
        base: what the file says.
        alone: whether nothing is added to the question before it is sent.

    Raises:
        Refusal: flags cannot be read; all of them are listed.
    """
    faults: list[Fault] = []
    document = dict(base or {})
    result, subject = (dict(_mapping(document, name, faults)) for name in ("result", "subject"))
    for names, target in ((_TOP, document), (_RESULT, result), (_SUBJECT, subject)):
        for name in names:
            if value := getattr(flags, name):
                target[name] = _day(name, value, faults) if name in _DAYS else value
    if flags.standard:
        subject["standards"] = flags.standard
    if flags.performed_on:
        result["performed_on"] = _days(flags.performed_on, faults)
    if flags.subcontractor:
        result["subcontractors"] = [_subcontractor(written) for written in flags.subcontractor]
    issuer = _issuer(flags, faults)
    if issuer:
        result["issuer"] = issuer
    document |= {name: part for name, part in (("result", result), ("subject", subject)) if part}
    if faults:
        told = {each.pointer for each in faults}
        more = _list_more(document, beside=base is not None) if alone else []
        faults += [each for each in more if each.pointer.partition(" ")[0] not in told]
        raise Refusal("the question cannot be read from the command line", tuple(faults))
    return document


def _list_more(document: dict[str, Any], *, beside: bool) -> list[Fault]:
    """List what a server would find wrong with the same question, so that all comes in one round."""
    from cab_registry.services.asking import list_all_faults

    return [Fault(_name_flag(each.pointer, beside=beside), each.message) for each in list_all_faults(document)]


@contextmanager
def naming_flags(file: str | None, prefix: str = "") -> Iterator[None]:
    """Let the faults of a refusal name the flags of the question; beside their places, where a file was read.

    Args:
        file: the file of the question, if there is one.
        prefix: where the question stands in what was sent.
    """
    try:
        yield
    except Refusal as refusal:
        refusal.faults = tuple(
            Fault(_name_flag(each.pointer.removeprefix(prefix), beside=file is not None), each.message, each.place)
            if each.pointer.startswith(f"{prefix}/")
            else each
            for each in refusal.faults
        )
        raise


_FLAGS = {"standards": "--standard", "subcontractors": "--subcontractor"}
_ISSUER = {"name": "--issuer-name", "scheme": "--issuer-number", "value": "--issuer-number"}


def _name_flag(pointer: str, *, beside: bool) -> str:
    """Return the flag for a part of the question, or its place where no flag sets it."""
    part, *rest = [step for step in pointer.split("/")[1:] if step not in ("result", "subject")] or [""]
    if part == "issuer":
        flag = _ISSUER.get(rest[0] if rest else "", "--issuer")
    elif part in Flags.__struct_fields__ or part in _FLAGS:
        flag = _FLAGS.get(part, "--" + part.replace("_", "-"))
    else:
        return pointer
    return f"{flag} ({pointer})" if beside else flag


def _mapping(document: dict[str, Any], name: str, faults: list[Fault]) -> dict[str, Any]:
    value = document.get(name) or {}
    if isinstance(value, dict):
        return value
    faults.append(Fault(f"/{name}", "is no object"))
    return {}


def _issuer(flags: Flags, faults: list[Fault]) -> dict[str, str]:
    given = {"--issuer": flags.issuer, "--issuer-number": flags.issuer_number, "--issuer-name": flags.issuer_name}
    named = [name for name, value in given.items() if value]
    if len(named) > 1:
        faults.append(Fault(named[1], f"the issuer is named by {named[0]} already"))
    if flags.issuer_number:
        scheme, colon, value = flags.issuer_number.partition(":")
        if not colon:
            return {"value": scheme}
        if not (scheme and value):
            faults.append(Fault("--issuer-number", "write SCHEME:VALUE, for example nando:0123, or the number alone"))
        return {"scheme": scheme, "value": value}
    if flags.issuer_name:
        return {"name": flags.issuer_name}
    return {"id": flags.issuer} if flags.issuer else {}


def _subcontractor(written: str) -> dict[str, str]:
    who, _, economy = written.rpartition("@") if "@" in written else (written, "", "")
    named = {"id" if _ID.fullmatch(who) else "name": who} if who else {}
    return {**named, **({"economy": economy} if economy else {})}


def _days(written: str, faults: list[Fault]) -> Any:
    first, dots, last = written.partition(_PERIOD)
    if not dots:
        return _day("performed_on", written, faults)
    return {"from": _day("performed_on", first, faults), "to": _day("performed_on", last, faults)}


def _day(name: str, written: str, faults: list[Fault]) -> str:
    try:
        return date.fromisoformat(written.strip()).isoformat()
    except ValueError:
        flag = "--" + name.replace("_", "-")
        more = f", or a period as DAY{_PERIOD}DAY" if name == "performed_on" else ""
        faults.append(Fault(flag, f"{say_day(written.strip())}{more}"))
        return written
