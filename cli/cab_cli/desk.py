"""The desk at which an officer works: a server, a token, and the authority for which the token speaks."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final, NamedTuple

import msgspec
import typer

from cab_cli.client import DEFAULT_SERVER, Client, NotFound
from cab_cli.profiles import FIRST, read_profile
from cab_registry.domain.errors import Fault, Refusal

WRITING_SECONDS: Final = 120.0
RIGHTS: Final = ("accreditation", "designation", "recognition")
ServerOption = Annotated[
    str | None,
    typer.Option(
        "--server",
        envvar="CAB_SERVER",
        metavar="URL",
        show_default="the profile's",
        help="The server to work on.",
    ),
]
ProfileOption = Annotated[
    str, typer.Option("--profile", envvar="CAB_PROFILE", metavar="NAME", help="The profile kept by cab auth login.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


class Writer(Client):
    """A connection that sends secrets. What it sends twice carries a key, or is harmless to send twice.

    Without a token it is for who gets a first one.
    """

    def __init__(self, server: str, token: str | None = None) -> None:
        super().__init__(server)
        address = self._http.base_url
        if address.scheme != "https" and self._http.trust_env:
            raise Refusal(f"a token is not sent to {server}: over plain http anybody on the way can read it; use https")
        if token is not None:
            self._http.headers["authorization"] = f"Bearer {token}"
        # A redirected POST would arrive as a GET, and a token might go elsewhere.
        self._http.follow_redirects = False

    def send(self, path: str, content: Any = None, *, key: str | None = None, attempts: int | None = None) -> Any:
        """Send a document and read the answer.

        Args:
            path: the address on the server.
            content: the document.
            key: the idempotency key, which makes it safe to send again.
            attempts: how often it is tried where the server does not answer; once, where a repetition would count.
        """
        headers = {"content-type": "application/json"} | ({"idempotency-key": key} if key else {})
        body = msgspec.json.encode(content if content is not None else {})
        sent = self._call("POST", path, attempts=attempts, content=body, headers=headers, timeout=WRITING_SECONDS)
        return msgspec.json.decode(sent.content)

    def delete(self, path: str, parameters: dict[str, str] | None = None) -> Any:
        """Take something away; taking it away twice changes nothing."""
        return msgspec.json.decode(self._call("DELETE", path, params=parameters or {}).content)


class Held(NamedTuple):
    """A record as the register holds it."""

    document: dict[str, Any]
    version: int


class Desk:
    """A connection with a token, and for whom it speaks."""

    def __init__(self, client: Writer, authority: str, principal: str) -> None:
        self.client = client
        self.authority = authority
        self.principal = principal

    def find(self, record_id: str) -> Held | None:
        """Read the current version of a record of any type; none where there is none."""
        try:
            found = self.client.get(f"/v1/records/{_plain(record_id)}", {})
        except NotFound:
            return None
        return Held(found["record"], found["version"])

    def read(self, record_id: str) -> Held:
        """Read the current version of a record of any type.

        Raises:
            NotFound: the register has no such record.
        """
        held = self.find(record_id)
        if held is None:
            raise NotFound(f"the register has no record {record_id!r}")
        return held

    def rights_of(self, body: str) -> list[Held]:
        """Read the accreditations, designations and recognitions of a body, or of an authority that inspects."""
        held: list[Held] = []
        cursor: str | None = None
        while True:
            page = self.client.get("/v1/records", {"body": _plain(body), "limit": "200", "cursor": cursor})
            held += [
                Held(each["record"], each["version"]) for each in page["items"] if each["record"]["type"] in RIGHTS
            ]
            cursor = page["next"]
            if cursor is None:
                return held


def _plain(record_id: str) -> str:
    if not record_id or not record_id.replace("-", "").isalnum() or not record_id.isascii():
        raise Refusal(f"{record_id!r} is no id", (Fault("ID", "small letters, digits and hyphens"),))
    return record_id


@contextmanager
def open_desk(server: str | None, profile: str) -> Iterator[Desk]:
    """Open the desk that the options and the environment name.

    Raises:
        Refusal: there is no token, or the server does not take it.
    """
    address, token = find_token(server, profile)
    with Writer(address, token) as client:
        me = client.get("/v1/me", {})
        yield Desk(client, me["token"]["authority"], me["principal"]["id"])


@contextmanager
def open_reading(server: str | None, profile: str) -> Iterator[Client]:
    """Open a connection that only reads what everybody may read; no token is shown."""
    kept = None if server else read_profile(profile)
    with Client(server or (kept.server if kept else DEFAULT_SERVER)) as client:
        yield client


def find_token(server: str | None, profile: str) -> tuple[str, str]:
    """Return the server and the token: of the command line, of the environment, else of the profile.

    A token that is kept for one server is shown to no other.

    Raises:
        Refusal: there is no token for that server.
    """
    named = os.environ.get("CAB_TOKEN", "").strip()
    if named:
        kept = None if server else read_profile(profile)
        return server or (kept.server if kept else DEFAULT_SERVER), named
    kept = read_profile(profile)
    if kept is None:
        more = "" if profile == FIRST else f" --profile {profile}"
        raise Refusal(f"there is no token: run cab auth login{more}, or set CAB_TOKEN")
    if server and server.rstrip("/") != kept.server:
        raise Refusal(f"the profile {profile} is for {kept.server}, not for {server}: name another with --profile")
    return kept.server, kept.token
