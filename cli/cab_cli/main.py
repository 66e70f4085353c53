"""The command line's entry point.

Whatever needs the server's packages is imported inside the command that needs it, so that the plain install,
which has none of them, still answers `cab --help`.
"""

from typing import Annotated

import typer

from cab_cli.accreditation import accreditation_app
from cab_cli.admin import admin_app
from cab_cli.auth import auth_app
from cab_cli.bodies import body_app
from cab_cli.cases import cases_app
from cab_cli.catalogue import catalogue_app
from cab_cli.check import check
from cab_cli.console import write
from cab_cli.correcting import correct, submit
from cab_cli.db import db_app
from cab_cli.dev import dev
from cab_cli.endpoint import endpoint_app
from cab_cli.exits import exits_in_words
from cab_cli.expiry import expiry
from cab_cli.exporting import export
from cab_cli.group import RegistryGroup
from cab_cli.handing_over import policy_app, transfer
from cab_cli.impact import impact
from cab_cli.importing import import_table
from cab_cli.inbox import inbox
from cab_cli.jobs import jobs_app
from cab_cli.rights import designate, object_to, propose, receive, recognise
from cab_cli.serving import serve
from cab_cli.show import search, show
from cab_cli.steps import annul, contest, reinstate, restrict, suspend, verify, withdraw
from cab_cli.submission import submission_app
from cab_cli.tokens import token_app
from cab_cli.watch import watch_app
from cab_registry import __version__

app = typer.Typer(
    name="cab",
    cls=RegistryGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Ask and keep the register of conformity assessment bodies.",
    epilog=f"Exit codes:\n\n{exits_in_words()}",
)
app.command("check")(check)
app.command("show")(show)
app.command("search")(search)
app.command("expiry")(expiry)
app.command("impact")(impact)
app.add_typer(body_app, name="body")
app.command("designate")(designate)
app.command("propose")(propose)
app.command("receive")(receive)
app.command("object")(object_to)
app.command("recognise")(recognise)
app.add_typer(accreditation_app, name="accreditation")
for _name, _step in (
    ("suspend", suspend),
    ("reinstate", reinstate),
    ("restrict", restrict),
    ("withdraw", withdraw),
    ("annul", annul),
    ("contest", contest),
    ("verify", verify),
):
    app.command(_name)(_step)
app.command("correct")(correct)
app.command("submit")(submit)
app.command("import")(import_table)
app.command("export")(export)
app.add_typer(submission_app, name="submission")
app.command("transfer")(transfer)
app.add_typer(policy_app, name="policy")
app.command("inbox")(inbox)
app.add_typer(watch_app, name="watch")
app.add_typer(endpoint_app, name="endpoint")
app.add_typer(auth_app, name="auth")
app.add_typer(token_app, name="token")
app.add_typer(admin_app, name="admin")
app.add_typer(cases_app, name="cases")
app.add_typer(catalogue_app, name="catalogue")
app.add_typer(db_app, name="db")
app.add_typer(jobs_app, name="jobs")
app.command("serve")(serve)
app.command("dev")(dev)


def _show_version(wanted: bool) -> None:
    if wanted:
        write(f"cab {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Ask and keep the register of conformity assessment bodies."""


def run() -> None:
    """What the console script calls."""
    app()
