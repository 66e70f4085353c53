"""The kinds of problem that the service tells of: a stable type, a status, and what to do about it."""

from __future__ import annotations

from typing import Final

import msgspec

CHALLENGE: Final = 'Bearer realm="cab-registry"'


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of problem: its address, its status, what to do about it, and the headers that belong to it.

    `for_readers`: what a page says instead of detail and advice, where those speak to programs.
    `closes`: the connection is of no further use, since the rest of the request is not read.
    """

    slug: str
    status: int
    title: str
    advice: str
    for_readers: str | None = None
    retry_after: int | None = None
    closes: bool = False
    challenge: str | None = None

    @property
    def type(self) -> str:
        """Address of the kind."""
        return f"/problems/{self.slug}"


UNREADABLE: Final = Kind(
    slug="unreadable",
    status=400,
    title="The request cannot be read",
    advice="Send JSON in UTF-8, as the schema says; query parameters are percent-encoded UTF-8.",
)
UNAUTHENTICATED: Final = Kind(
    slug="unauthenticated",
    status=401,
    title="This needs a token",
    advice="Send the header Authorization: Bearer and a token. A registrar invites you: cab auth redeem.",
    challenge=CHALLENGE,
)
TOKEN_REFUSED: Final = Kind(
    slug="token-refused",
    status=401,
    title="The token does not let you in",
    advice="It is unknown, expired or revoked, or its account is disabled. Ask a registrar for an invitation.",
    challenge=f'{CHALLENGE}, error="invalid_token"',
)
PLAIN_HTTP: Final = Kind(
    slug="plain-http",
    status=403,
    title="A token was sent over plain http",
    advice="Send it over https, and rotate the token: others may have read it. Behind a proxy, the operator names the "
    "proxy in CAB_TRUSTED_PROXY.",
)
NOT_OWNER: Final = Kind(
    slug="not-owner",
    status=403,
    title="The records belong to another authority",
    advice="`owners` names whose they are; ask them to make the change.",
)
NOT_PERMITTED: Final = Kind(
    slug="not-permitted",
    status=403,
    title="The token does not permit this",
    advice="Another role or the token of another authority is needed, or another person: nobody decides on their own.",
)
INVITATION_REFUSED: Final = Kind(
    slug="invitation-refused",
    status=403,
    title="The invitation does not let you in",
    advice="Its code is unknown, was used or cancelled, is too old, or waits for another registrar or for the invited. "
    "Ask a registrar.",
)
NO_SUCH_SUBMISSION: Final = Kind(
    slug="no-such-submission",
    status=404,
    title="There is no such submission",
    advice="Compare the id with the list at /v1/submissions.",
)
NO_SUCH_ACCOUNT: Final = Kind(
    slug="no-such-account",
    status=404,
    title="There is no such principal, token, invitation or proposed role",
    advice="Compare the id with the list. Disabled accounts are not shown. Only registrars see what is others'.",
)
STALE: Final = Kind(
    slug="stale-version",
    status=409,
    title="The records changed since they were read",
    advice="`differences` says how. Read them again, make the change on the new version, and send it.",
)
DECIDED: Final = Kind(
    slug="already-decided",
    status=409,
    title="The submission does not wait any more",
    advice="`state` says where it stands.",
)
OTHER_CONTENT: Final = Kind(
    slug="other-content",
    status=409,
    title="The submission is not the one that was seen",
    advice="Read it again, and name the digest that it has.",
)
TOO_MANY: Final = Kind(
    slug="too-many-records",
    status=413,
    title="The submission has too many records",
    advice="Send it in parts; keep the records of one body together.",
)
KEY_REUSED: Final = Kind(
    slug="key-reused",
    status=422,
    title="The idempotency key was used for another request",
    advice="Use a new key for each new request, and the same only to repeat one.",
)
NO_SUCH_RECORD: Final = Kind(
    slug="no-such-record",
    status=404,
    title="The register has no such record",
    advice="Look the id up in the list of its kind; ids are never renamed. With known_at, the record may be younger.",
)
NO_SUCH_WATCH: Final = Kind(
    slug="no-such-watch",
    status=404,
    title="There is no such watch or endpoint",
    advice="Compare the id with the list at /v1/watches or /v1/endpoints; those of others are not shown.",
)
NOT_FOUND: Final = Kind(
    slug="not-found",
    status=404,
    title="There is nothing at this address",
    advice="The addresses of the service are listed at /openapi.json and, for readers, at /reference.",
)
NOT_ALLOWED: Final = Kind(
    slug="method-not-allowed",
    status=405,
    title="The address does not take this method",
    advice="The header Allow names the methods that it takes.",
)
TOO_LARGE: Final = Kind(
    slug="body-too-large",
    status=413,
    title="The body is too large",
    advice="A question is a few hundred bytes; the service reads no more than its operator allows.",
)
WRONG_CONTENT: Final = Kind(
    slug="unsupported-media-type",
    status=415,
    title="The body has a content type that is not read here",
    advice="Send Content-Type: application/json.",
)
IMPOSSIBLE: Final = Kind(
    slug="impossible-question",
    status=422,
    title="The question cannot be answered as it is put",
    advice="Mend every fault that is listed: unknown or missing fields, impossible days, economies that the register "
    "does not have. An issuer that the register does not know is no fault; it gets an answer.",
)
WRONG_PARAMETERS: Final = Kind(
    slug="wrong-parameters",
    status=422,
    title="The query parameters cannot be taken",
    advice="Mend every fault that is listed; parameters that are unknown, misspelt or repeated are refused.",
)
OVER_LIMIT: Final = Kind(
    slug="over-limit",
    status=422,
    title="That is more than one owner may keep",
    advice="`detail` tells the limit. End what is not needed any more, or split what is sent.",
)
REFUSED: Final = Kind(
    slug="refused",
    status=422,
    title="What was sent cannot be taken",
    advice="Mend every fault that is listed; nothing was stored.",
)
BODY_TOO_SLOW: Final = Kind(
    slug="body-too-slow",
    status=408,
    title="The body of the request came too slowly",
    advice="Send the whole request again, over a connection that carries it faster; nothing was stored.",
    closes=True,
)
HEADERS_TOO_SLOW: Final = Kind(
    slug="headers-too-slow",
    status=408,
    title="The headers of the request came too slowly",
    advice="Send the whole request again, at once.",
    closes=True,
)
HEADERS_TOO_LARGE: Final = Kind(
    slug="headers-too-large",
    status=431,
    title="The headers of the request are too large",
    advice="Send fewer and shorter headers: 32 KiB and 100 headers at most, with the address.",
    closes=True,
)
TOO_MANY_REQUESTS: Final = Kind(
    slug="too-many-requests",
    status=429,
    title="Too many requests from this client",
    advice="Wait as long as Retry-After says. The headers RateLimit and RateLimit-Policy show how much may be asked.",
    for_readers="Too many pages were opened from your network in a short time. Wait {wait} and try again.",
    retry_after=1,
)
TOO_MANY_CONNECTIONS: Final = Kind(
    slug="too-many-connections",
    status=429,
    title="Too many connections from this client",
    advice="Close connections that are not used, and send several requests over each.",
    retry_after=10,
    closes=True,
)
SHED: Final = Kind(
    slug="overloaded",
    status=503,
    title="The service has more requests than it can answer",
    advice="Send the request again after the time in Retry-After; it was not begun.",
    retry_after=2,
    closes=True,
)
INTERNAL: Final = Kind(
    slug="internal",
    status=500,
    title="The service failed",
    advice="This is a bug. Tell the operator the request id; the same request will probably fail again.",
)
NOT_REACHED: Final = Kind(
    slug="position-not-reached",
    status=503,
    title="The register has not reached the position asked for",
    advice="Ask again after the time in Retry-After, or without at_least.",
    retry_after=1,
)
NOT_LOADED: Final = Kind(
    slug="not-loaded",
    status=503,
    title="The register is being loaded",
    advice="Ask again after the time in Retry-After.",
    retry_after=2,
)
UNAVAILABLE: Final = Kind(
    slug="unavailable",
    status=503,
    title="The service cannot answer this now",
    advice="The database is unavailable, and nothing was entered. Questions about today are still answered. Try again "
    "after the time in Retry-After.",
    retry_after=5,
)
NOT_TRAILED: Final = Kind(
    slug="not-recorded",
    status=503,
    title="What is done cannot be recorded now",
    advice="The audit log cannot be written, so nothing was changed. Questions are still answered. The operator has to "
    "make room for it. Try again after the time in Retry-After.",
    retry_after=60,
)
OUTCOME_UNKNOWN: Final = Kind(
    slug="outcome-unknown",
    status=503,
    title="It is not known whether this was entered",
    advice="The database was lost while it was being entered, as a whole or not at all. Look whether it was. A "
    "submission may be sent again with the same Idempotency-Key, which never enters it twice.",
    retry_after=5,
)
REGISTER_DAMAGED: Final = Kind(
    slug="register-damaged",
    status=503,
    title="The register is damaged",
    advice="A record is not what was recorded, so nothing is answered that rests on it. The operator has been told.",
    retry_after=60,
)
BUSY: Final = Kind(
    slug="busy",
    status=503,
    title="Too many requests of this kind are waiting",
    advice="Try again after the time in Retry-After. Other requests are still answered.",
    retry_after=2,
)
OTHER: Final = Kind(
    slug="bad-request",
    status=400,
    title="The request is not understood",
    advice="Compare the request with the reference at /reference.",
)

KINDS: Final = (
    UNREADABLE,
    OTHER,
    UNAUTHENTICATED,
    TOKEN_REFUSED,
    PLAIN_HTTP,
    NOT_OWNER,
    NOT_PERMITTED,
    INVITATION_REFUSED,
    NO_SUCH_RECORD,
    NO_SUCH_SUBMISSION,
    NO_SUCH_ACCOUNT,
    NO_SUCH_WATCH,
    NOT_FOUND,
    NOT_ALLOWED,
    STALE,
    DECIDED,
    OTHER_CONTENT,
    TOO_LARGE,
    TOO_MANY,
    WRONG_CONTENT,
    IMPOSSIBLE,
    WRONG_PARAMETERS,
    KEY_REUSED,
    OVER_LIMIT,
    REFUSED,
    BODY_TOO_SLOW,
    HEADERS_TOO_SLOW,
    HEADERS_TOO_LARGE,
    TOO_MANY_REQUESTS,
    TOO_MANY_CONNECTIONS,
    INTERNAL,
    SHED,
    NOT_REACHED,
    NOT_LOADED,
    BUSY,
    UNAVAILABLE,
    NOT_TRAILED,
    REGISTER_DAMAGED,
    OUTCOME_UNKNOWN,
)
