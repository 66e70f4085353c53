"""What can be set from outside, and nothing else: one Struct, read once from the environment.

A variable that starts with CAB_ and is not a setting is refused, so that a misspelt one cannot pass unnoticed.
"""

from base64 import b64decode
from collections.abc import Callable, Mapping
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Final, Literal, get_args, get_type_hints
from urllib.parse import parse_qs, quote, unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from cab_registry.limits import Limits

PREFIX = "CAB_"
SECRETS: Final = ("database_url", "database_password", "secret_keys", "smtp_url")
"""What may stand in a file: the variable with _FILE behind it names the file."""

IN_FILE: Final = "_FILE"
# Variables of the same prefix that other programs of this project read: the command line and the tests.
NOT_OURS = frozenset({"CAB_PROFILE", "CAB_SERVER", "CAB_TOKEN", "CAB_TEST_DATABASE_URL"})

Environment = Literal["development", "production", "test"]
LogLevel = Literal["debug", "info", "warning", "error"]
Port = Annotated[int, Meta(ge=0, le=65_535)]
Network = IPv4Network | IPv6Network
Encryption = Literal["none", "starttls", "tls"]
KEY_LENGTH: Final = 32
WIDEST: Final = 8


class SettingsError(Exception):
    """The environment cannot be used; `faults` says everything that is wrong with it, one sentence each."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("The settings are refused: " + " ".join(faults))
        self.faults = faults


class Settings(Limits, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set. Each field is read from the variable of its name in capitals, with CAB_ before it."""

    database_url: Annotated[
        str | None,
        Meta(description="The PostgreSQL server to use, postgresql://user:password@host/name. Unset: one is started."),
    ] = None
    database_password: Annotated[
        str | None, Meta(description="The password for that server, where the address has none.")
    ] = None
    pg_bin: Annotated[
        Path | None,
        Meta(
            description="The folder of initdb and postgres, for the server that is started when no database is named."
        ),
    ] = None
    data_folder: Annotated[
        Path | None,
        Meta(description="Where that server keeps its data. Unset: below the checkout, or the user's data."),
    ] = None
    host: Annotated[str, Meta(min_length=1, description="The address on which the service listens.")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="The port on which the service listens; 0 takes a free one.")] = 8000
    metrics_host: Annotated[str, Meta(min_length=1, description="The address on which metrics are served.")] = (
        "127.0.0.1"
    )
    metrics_port: Annotated[Port, Meta(description="The port on which metrics are served; 0 takes a free one.")] = 9464
    log_level: Annotated[LogLevel, Meta(description="The least important message that is written.")] = "info"
    time_zone: Annotated[
        str, Meta(description='The IANA zone in which "today" is, for a question that names no day.')
    ] = "UTC"
    pool_size: Annotated[
        int, Meta(ge=1, le=1000, description="How many database connections one process keeps at most.")
    ] = 10
    statement_timeout_seconds: Annotated[
        float, Meta(gt=0, le=86_400, description="How long one database statement may take before it is given up.")
    ] = 30.0
    database_patience_seconds: Annotated[
        float,
        Meta(
            gt=0,
            le=86_400,
            description="How long the database may leave a small question unanswered, asked every second; after twice "
            "as long it counts as silent, and everything that waits for it is given up.",
        ),
    ] = 3.0
    wait_for_position_seconds: Annotated[
        float,
        Meta(ge=0, le=86_400, description="How long an answer waits for the log position that the client asked for."),
    ] = 5.0
    poll_seconds: Annotated[
        float, Meta(gt=0, le=86_400, description="How often the log is looked at when no notification came.")
    ] = 2.0
    trusted_proxy: Annotated[
        str | None,
        Meta(
            description="The address or network of the proxies in front, whose X-Forwarded-Proto is believed. "
            "Unset: none is, and tokens are taken over https and from loopback only."
        ),
    ] = None
    secret_keys: Annotated[
        str | None,
        Meta(
            description="The keys that seal kept addresses and secrets, made by `cab admin secret-key`, with commas "
            "between them: the first seals, all open. Unset: no notices are sent; feeds work."
        ),
    ] = None
    webhook_networks: Annotated[
        str | None,
        Meta(
            description="The networks that are not public to which webhooks may go all the same, with commas between "
            "them, such as 10.1.0.0/16. Unset: none."
        ),
    ] = None
    smtp_url: Annotated[
        str | None,
        Meta(
            description="The mail server, smtps://user:password@host or smtp://user:password@host:587; the second "
            "encrypts by STARTTLS, or with ?tls=none not at all. Unset: no mail is sent."
        ),
    ] = None
    mail_from: Annotated[
        str | None, Meta(description="Whom mail comes from, such as Register <notices@register.example>.")
    ] = None
    public_address: Annotated[
        str | None,
        Meta(description="The address under which people reach this registry, for links: https://register.example."),
    ] = None
    environment: Annotated[
        Environment, Meta(description="What this process is for; production refuses what only development needs.")
    ] = "production"


def variable(field: str) -> str:
    """The environment variable of a field."""
    return PREFIX + field.upper()


def describe_settings() -> tuple[tuple[str, str, object], ...]:
    """Variable, meaning and default of every setting, for the documentation and for `cab settings`."""
    hints = get_type_hints(Settings, include_extras=True)
    defaults = Settings()
    return tuple(
        (variable(name), _description(hints[name]), getattr(defaults, name)) for name in Settings.__struct_fields__
    )


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings from an environment, or raise SettingsError with all that is wrong in it.

    A variable that is set to nothing counts as not set, as a composition file leaves it. What is secret may stand in a
    file instead, named by the variable with _FILE behind it.
    """
    fields = {variable(name): name for name in Settings.__struct_fields__}
    given = {name: value for name, value in environ.items() if name.startswith(PREFIX) and name not in NOT_OURS}
    given, unread = _read_files(given)
    faults = unread + [f"{name} is no setting." for name in sorted(given.keys() - fields.keys())]
    accepted: dict[str, str] = {}
    for name, field in fields.items():
        if not (value := given.get(name, "").strip()):
            continue
        try:
            accepted[field] = _checked(field, value)
        except (msgspec.ValidationError, ValueError) as fault:
            faults.append(f"{name}: {_in_words(fault)}.")
    if "smtp_url" in accepted:
        needed = (variable(each) for each in ("mail_from", "public_address"))
        faults += [f"CAB_SMTP_URL needs {each} beside it." for each in needed if not given.get(each, "").strip()]
    if faults:
        raise SettingsError(tuple(faults))
    if "database_url" in accepted and "database_password" in accepted:
        accepted["database_url"] = _with_password(accepted["database_url"], accepted["database_password"])
    return _convert(accepted)


def _read_files(given: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Read the secrets that stand in files; give what is set then, and the faults in it."""
    read = dict(given)
    faults: list[str] = []
    for field in SECRETS:
        name = variable(field)
        file = read.pop(name + IN_FILE, "").strip()
        if not file:
            continue
        if read.get(name, "").strip():
            faults.append(f"{name} and {name}{IN_FILE} are both set.")
            continue
        try:
            read[name] = Path(file).expanduser().read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as fault:
            faults.append(f"{name}{IN_FILE}: {file} cannot be read: {getattr(fault, 'strerror', '') or 'not UTF-8'}.")
    return read, faults


def _with_password(url: str, password: str) -> str:
    scheme, _, rest = url.partition("://")
    place, slash, more = rest.partition("/")
    user, at, host = place.rpartition("@")
    if not at or ":" in user:
        return url
    return f"{scheme}://{user}:{quote(password, safe='')}@{host}{slash}{more}"


def asyncpg_url(url: str) -> str:
    """The same server, named as SQLAlchemy names it with asyncpg."""
    scheme, separator, rest = url.partition("://")
    if not separator or not rest or scheme not in {"postgres", "postgresql", "postgresql+asyncpg"}:
        message = "expected an address that starts with postgresql://"
        raise ValueError(message)
    return "postgresql+asyncpg://" + rest


class MailServer(msgspec.Struct, frozen=True, kw_only=True):
    """A server that takes mail.

    Attributes:
        host: its name or IP address.
        port: where it listens.
        encryption: from the first byte (`tls`), asked for before anything is said (`starttls`), or none.
        user: name to log in with; without it nobody logs in.
        password: the password of that name.
    """

    host: str
    port: int
    encryption: Encryption
    user: str = ""
    password: str = ""


def read_keys(text: str) -> tuple[bytes, ...]:
    """Read the keys of CAB_SECRET_KEYS.

    Raises:
        ValueError: one of them is no base64 of 32 bytes; its text is not repeated.
    """
    try:
        keys = tuple(b64decode(each.strip(), validate=True) for each in text.split(","))
    except ValueError:
        keys = (b"",)
    if any(len(key) != KEY_LENGTH for key in keys):
        message = f"expected base64 of {KEY_LENGTH} bytes, as cab admin secret-key prints it; several with commas"
        raise ValueError(message)
    return keys


def read_networks(text: str | None) -> tuple[Network, ...]:
    """Read the networks of CAB_WEBHOOK_NETWORKS.

    Raises:
        ValueError: one of them is no network.
    """
    return tuple(ip_network(_network(each.strip())) for each in (text or "").split(",") if each.strip())


def read_mail_server(url: str) -> MailServer:
    """Read the mail server of CAB_SMTP_URL.

    Raises:
        ValueError: it is no address of a mail server, or would send a password in the clear; it is not repeated.
    """
    message = "expected smtps://user:password@host or smtp://user:password@host:587?tls=starttls"
    try:
        parts = urlsplit(url)
        port, asked = parts.port, parse_qs(parts.query, strict_parsing=bool(parts.query))
    except ValueError:
        raise ValueError(message) from None
    encryption = "tls" if parts.scheme == "smtps" else asked.pop("tls", ["starttls"])[0]
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or asked or parts.path.strip("/") or parts.fragment:
        raise ValueError(message)
    if encryption not in get_args(Encryption) or (parts.scheme == "smtp" and encryption == "tls"):
        raise ValueError(message)
    if encryption == "none" and parts.password and not _is_loopback(parts.hostname):
        raise ValueError("a password is not sent without encryption")
    return MailServer(
        host=parts.hostname,
        port=port or (465 if encryption == "tls" else 587),
        encryption=msgspec.convert(encryption, Encryption),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"{value!r} is no IANA time zone"
        raise ValueError(message) from None
    return value


def _network(value: str) -> str:
    try:
        ip_network(value)
    except ValueError:
        message = f"{value!r} is no address or network such as 10.0.0.0/8"
        raise ValueError(message) from None
    return value


def _proxies(value: str) -> str:
    # Whoever is in it names their own address, and says that they came over https.
    if ip_network(_network(value)).prefixlen < WIDEST:
        raise ValueError(f"{value} is wider than a /{WIDEST} and would believe too many; name the proxies alone")
    return value


def _networks(value: str) -> str:
    read_networks(value)
    return value


def _keys(value: str) -> str:
    read_keys(value)
    return value


def _mail_server(value: str) -> str:
    read_mail_server(value)
    return value


def _mail_from(value: str) -> str:
    _, address = parseaddr(value)
    local, _, domain = address.partition("@")
    if not local or not domain or not address.isascii() or not value.isprintable():
        raise ValueError("expected a mail address, such as Register <notices@register.example>")
    return value


def _public_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or "@" in value:
        raise ValueError("expected an address such as https://register.example")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("expected an address such as https://register.example")
    return value.rstrip("/")


_CHECKS: Final[Mapping[str, Callable[[str], str]]] = {
    "database_url": asyncpg_url,
    "time_zone": _time_zone,
    "trusted_proxy": _proxies,
    "secret_keys": _keys,
    "webhook_networks": _networks,
    "smtp_url": _mail_server,
    "mail_from": _mail_from,
    "public_address": _public_address,
}


def _checked(field: str, value: str) -> str:
    value = _CHECKS.get(field, str)(value)
    _convert({field: value})
    return value


def _convert(values: dict[str, str]) -> Settings:
    return msgspec.convert(values, Settings, strict=False, dec_hook=_path)


def _path(kind: type, value: str) -> Path:
    if kind is not Path:
        message = f"no setting is read as {kind}"
        raise NotImplementedError(message)
    return Path(value).expanduser()


def _in_words(fault: Exception) -> str:
    text = str(fault).partition(" - at `")[0].rstrip(".")
    return text[:1].lower() + text[1:]


def _description(hint: object) -> str:
    for part in get_args(hint):
        if isinstance(part, Meta) and part.description:
            return part.description
    message = f"a setting without a description: {hint}"
    raise TypeError(message)
