"""The outermost group: every exception that is raised on purpose ends here, as words and an exit code."""

from typing import Any, Final

import typer
from typer.core import TyperGroup

from cab_cli.console import say
from cab_cli.exits import Exit
from cab_registry.domain.controls import show_controls
from cab_registry.domain.errors import Defect, OperationalFault, Refusal, RegistryError
from cab_registry.settings import SettingsError

OURS: Final = frozenset({"", "cab_cli", "cab_registry"})


class Conflict(Refusal):
    """What was to be changed was changed by somebody else."""


class ServerFailure(RegistryError):
    """The server has a bug, and says so."""


class RegistryGroup(TyperGroup):
    """A group that turns refusals and outages into words on standard error; a bug keeps its traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for; Typer keeps the type of the context to itself."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = show_controls(error.message)
            raise
        except Refusal as refusal:
            say(str(refusal))
            for fault in refusal.faults:
                say(f"  {fault}")
            if refusal.more:
                say("  ... and more; these are the first of them")
            raise typer.Exit(Exit.CONFLICT if isinstance(refusal, Conflict) else Exit.REFUSED) from None
        except SettingsError as error:
            say("\n".join(error.faults))
            raise typer.Exit(Exit.REFUSED) from None
        except (ServerFailure, Defect) as failure:
            say(str(failure))
            raise typer.Exit(Exit.FAILURE) from None
        except OperationalFault as outage:
            # Only of a database of one's own: what a server knows of its database, it does not tell.
            say(": ".join(part for part in (str(outage), getattr(outage, "cause", "")) if part))
            raise typer.Exit(Exit.UNAVAILABLE) from None
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package in OURS:
                raise
            say(f"This command needs the server's packages ({package} is missing): pip install 'cab-registry[server]'")
            raise typer.Exit(Exit.REFUSED) from None
