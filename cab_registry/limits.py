"""How much one process takes at once, and how much of it from one client: the part of the settings that bounds it."""

from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Count = Annotated[int, Meta(ge=1)]
LARGEST_BODY: Final = 1_073_741_824


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one process. A point is the price of a plain read; what costs the service more costs more points."""

    connection_limit: Annotated[
        Count,
        Meta(description="Connections of one process. At the limit, the one that has been silent longest is closed."),
    ] = 4096
    client_connection_limit: Annotated[
        Count, Meta(description="Connections of one client address; not of loopback, nor of the trusted proxy.")
    ] = 100
    header_seconds: Annotated[
        Seconds, Meta(description="How long a new connection may take until the headers of its request are whole.")
    ] = 10.0
    idle_seconds: Annotated[
        Seconds, Meta(description="How long a connection is kept after an answer, without a further request.")
    ] = 30.0
    body_seconds: Annotated[Seconds, Meta(description="How long a request body may take as a whole.")] = 120.0
    body_grace_seconds: Annotated[
        Seconds, Meta(description="How long a request body may take before its rate counts.")
    ] = 10.0
    body_bytes_per_second: Annotated[
        Count, Meta(description="The least rate at which a body comes, or an answer is taken.")
    ] = 8192
    body_limit_bytes: Annotated[
        int,
        Meta(ge=1024, le=LARGEST_BODY, description="The largest request body that is read; a larger one is refused."),
    ] = 1_048_576
    open_body_limit_bytes: Annotated[
        int,
        Meta(
            ge=1024,
            le=LARGEST_BODY,
            description="The largest request body that is read without a token; a larger one is refused.",
        ),
    ] = 65_536
    submission_limit_bytes: Annotated[
        int, Meta(ge=1024, le=LARGEST_BODY, description="The largest submission that is read; a larger one is refused.")
    ] = 8_388_608
    body_memory_bytes: Annotated[
        int, Meta(ge=65_536, description="Memory for the request bodies of one process, all together.")
    ] = 67_108_864
    bodies_limit: Annotated[
        Count,
        Meta(description="Request bodies that one process receives at once; an eighth of it for one client address."),
    ] = 512
    request_limit: Annotated[
        Count, Meta(description="Requests that one process works on at once; an eighth of it for one client address.")
    ] = 256
    client_points: Annotated[
        Count, Meta(description="Points that a client address (IPv6: a /64) may spend at once.")
    ] = 400
    client_points_per_second: Annotated[
        float, Meta(gt=0, le=1e6, description="Points that a client address gets back each second.")
    ] = 20.0
    token_points: Annotated[Count, Meta(description="Points that a token may spend at once.")] = 1000
    token_points_per_second: Annotated[
        float, Meta(gt=0, le=1e6, description="Points that a token gets back each second.")
    ] = 50.0
    limit_loopback: Annotated[
        bool, Meta(description="Whether clients on this machine are limited like others: true or false.")
    ] = False
    mail_client_requests: Annotated[
        Count,
        Meta(description="Watches by mail that a client may ask for within 24 hours, without an account."),
    ] = 20
    mail_domain_requests: Annotated[Count, Meta(description="Those of them that may go to one mail domain.")] = 10
    audit_log: Annotated[
        Path | None, Meta(description="The file of the audit log. Unset: it goes to standard error.")
    ] = None
    audit_log_bytes: Annotated[
        int, Meta(ge=65_536, description="The size at which a new file of the audit log is begun.")
    ] = 52_428_800
    audit_log_files: Annotated[Count, Meta(description="How many full files of the audit log are kept.")] = 20
