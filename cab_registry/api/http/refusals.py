"""Why a request is refused before it is looked at, or while its body comes."""

from cab_registry.domain.errors import OperationalFault, Refusal


class BodyTooSlow(Refusal):
    """The body did not come in time, or not to its end, or more slowly than bodies may."""


class Overloaded(OperationalFault):
    """This process has as many requests, or as many bytes of bodies, as it takes at once."""


class NotTrailed(OperationalFault):
    """What is asked for acts, and nobody could see later that it was done."""


class ClientBusy(Refusal):
    """As many requests of this client are worked on at once as one client may have."""
