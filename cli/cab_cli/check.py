"""`cab check`: the one question, by flags or as a document, put to a server."""

from typing import Annotated, Any

import msgspec
import typer

from cab_cli import completion
from cab_cli.answers import print_answer
from cab_cli.client import DEFAULT_SERVER, Client
from cab_cli.console import data_console, write, write_json
from cab_cli.exits import exit_of_verdict
from cab_cli.questions import Flags, compose, naming_flags, read_document

Server = Annotated[str, typer.Option(envvar="CAB_SERVER", metavar="URL", help="The server to ask.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the server's document, untouched.")]
AsFeed = Annotated[
    bool, typer.Option("--feed", help="Print, in place of the answer, the address of the feed that follows it.")
]
Word = str | None
Words = list[str] | None


def _flag(meaning: str, metavar: str = "TEXT", complete: Any = None, panel: str | None = None) -> Any:
    return typer.Option(help=meaning, metavar=metavar, autocompletion=complete, rich_help_panel=panel)


_ISSUER = "Who issued it"
_WHEN = "When"
_DOCUMENT = "The document"
_SUBJECT = "What it is about"
Economy = completion.complete_economy


def check(
    file: Annotated[str | None, typer.Argument(help="The question as JSON; `-` reads standard input.")] = None,
    *,
    destination: Annotated[Word, _flag("The market.", "CODE", Economy)] = None,
    kind: Annotated[Word, _flag("What the result is, as test_report.", "KIND", completion.complete_kind)] = None,
    issuer: Annotated[Word, _flag("Its id in the register.", "ID", panel=_ISSUER)] = None,
    issuer_number: Annotated[
        Word, _flag("A number, for example nando:0123, or 0123 alone.", "[SCHEME:]VALUE", panel=_ISSUER)
    ] = None,
    issuer_name: Annotated[Word, _flag("A name that fits one body or authority.", "NAME", panel=_ISSUER)] = None,
    issuer_economy: Annotated[Word, _flag("Economy of the issuer.", "CODE", Economy, _ISSUER)] = None,
    site: Annotated[Word, _flag("Key of the site where the work was done.", "KEY", panel=_ISSUER)] = None,
    performed_in: Annotated[Word, _flag("Economy where the work was done.", "CODE", Economy, _ISSUER)] = None,
    subcontractor: Annotated[
        Words, _flag("Who did a part of the work; repeatable.", "ID|NAME[@CODE]", panel=_ISSUER)
    ] = None,
    performed_on: Annotated[Word, _flag("The day or the days of the work.", "DAY or FROM..TO", panel=_WHEN)] = None,
    issued_on: Annotated[Word, _flag("The day of issue.", "DAY", panel=_WHEN)] = None,
    ordered_on: Annotated[Word, _flag("The day of the order.", "DAY", panel=_WHEN)] = None,
    submitted_on: Annotated[Word, _flag("The day of filing with the regulator.", "DAY", panel=_WHEN)] = None,
    valid_until: Annotated[Word, _flag("The last valid day that it states.", "DAY", panel=_WHEN)] = None,
    presented_on: Annotated[Word, _flag("The day asked about; today unless given.", "DAY", panel=_WHEN)] = None,
    known_at: Annotated[Word, _flag("Answer as the register knew it then.", "DAY or INSTANT", panel=_WHEN)] = None,
    standing_on: Annotated[
        Word, _flag("No document: a result made and presented on this day.", "DAY", panel=_WHEN)
    ] = None,
    number: Annotated[Word, _flag("Its number.", panel=_DOCUMENT)] = None,
    findings: Annotated[Word, _flag("Outcome of an inspection, as NAI, VAI, OAI.", panel=_DOCUMENT)] = None,
    attests: Annotated[Words, _flag("A rule that it states itself; repeatable.", "ID", panel=_DOCUMENT)] = None,
    standard: Annotated[Words, _flag("A method on which it rests; repeatable.", panel=_DOCUMENT)] = None,
    sector: Annotated[Word, _flag("Sector.", "CODE", completion.complete_sector, _SUBJECT)] = None,
    requirement: Annotated[Word, _flag("The rule to satisfy: its id or citation.", panel=_SUBJECT)] = None,
    edition: Annotated[Word, _flag("Edition of the rule.", panel=_SUBJECT)] = None,
    product_class: Annotated[Word, _flag("Class of product.", "CODE", panel=_SUBJECT)] = None,
    activity: Annotated[Word, _flag("Activity, as surveillance.", "CODE", panel=_SUBJECT)] = None,
    procedure: Annotated[Word, _flag("Conformity assessment procedure.", "CODE", panel=_SUBJECT)] = None,
    origin: Annotated[Word, _flag("Economy where the product was made.", "CODE", Economy, _SUBJECT)] = None,
    server: Server = DEFAULT_SERVER,
    as_json: AsJson = False,
    feed: AsFeed = False,
) -> None:
    r"""Ask: is this result, from this body, accepted in that market, and why?

    Flags change and complete what a file says. The exit code is the verdict:
    0 accepted, 8 accepted with conditions, 3 not accepted, 4 not covered,
    5 cannot tell; 2 the question is refused, 7 no server answers.

    Examples:
      cab check --destination DE --kind gmp_inspection --issuer us-fda \
        --performed-in US --performed-on 2020-03-02..2020-03-06 \
        --issued-on 2020-03-10 --sector pharma_gmp_human \
        --requirement eu-gmp-human --product-class human_finished \
        --activity surveillance
      cab check --destination US --kind test_report --sector telecom_radio \
        --issuer-number fcc-designation:US5117 --standing-on 2026-01-15 \
        --requirement "47 CFR Part 15 Subpart C"
      cab check question.json --presented-on 2026-01-01 --json
    """
    flags = Flags(
        destination=destination,
        presented_on=presented_on,
        known_at=known_at,
        standing_on=standing_on,
        kind=kind,
        issuer=issuer,
        issuer_number=issuer_number,
        issuer_name=issuer_name,
        issuer_economy=issuer_economy,
        site=site,
        performed_in=performed_in,
        performed_on=performed_on,
        issued_on=issued_on,
        ordered_on=ordered_on,
        submitted_on=submitted_on,
        valid_until=valid_until,
        number=number,
        findings=findings,
        attests=tuple(attests or ()),
        subcontractor=tuple(subcontractor or ()),
        sector=sector,
        requirement=requirement,
        edition=edition,
        product_class=product_class,
        activity=activity,
        procedure=procedure,
        origin=origin,
        standard=tuple(standard or ()),
    )
    question = compose(flags, read_document(file) if file else None)
    with Client(server) as client, naming_flags(file):
        document = client.ask(question)
    answer = msgspec.json.decode(document)
    if feed:
        from cab_registry.services.watching.feed_addresses import make_feed_address

        today = "" if question.get("known_at") else answer["asked"]["known_on"]
        write(server.rstrip("/") + make_feed_address(question, today))
    elif as_json:
        write_json(document.decode())
    else:
        print_answer(data_console(), answer)
    raise typer.Exit(exit_of_verdict(answer["verdict"]))
