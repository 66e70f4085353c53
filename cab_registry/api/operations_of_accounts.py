"""The operations of accounts as the reference describes them."""

from __future__ import annotations

from typing import Final

from cab_registry.api import problem_kinds
from cab_registry.api.accounts import (
    GrantEnding,
    GrantRequest,
    Me,
    PrincipalListing,
    PrincipalPage,
    PrincipalRequest,
    Rotation,
    TokenList,
    TokenListing,
    TokenRequest,
)
from cab_registry.api.operation import Operation
from cab_registry.api.replies import NoParameters
from cab_registry.services.principals import PrincipalShown, TokenIssued
from cab_registry.storage.tokens import StoredToken

SECURED: Final = (
    problem_kinds.UNREADABLE,
    problem_kinds.UNAUTHENTICATED,
    problem_kinds.TOKEN_REFUSED,
    problem_kinds.PLAIN_HTTP,
    problem_kinds.NOT_PERMITTED,
    problem_kinds.WRONG_PARAMETERS,
    problem_kinds.UNAVAILABLE,
)
SENT: Final = (problem_kinds.TOO_LARGE, problem_kinds.BODY_TOO_SLOW, problem_kinds.WRONG_CONTENT, problem_kinds.REFUSED)
_NAMED: Final = (*SECURED, problem_kinds.NO_SUCH_ACCOUNT)
_REGISTRARS: Final = "For registrars."


def list_account_operations() -> tuple[Operation, ...]:
    """Return the operations of accounts, in the order of the reference."""
    return (*_own(), *_tokens(), *_principals(), *_grants())


def _own() -> tuple[Operation, ...]:
    return (
        Operation(
            path="/v1/me",
            id="read_me",
            tag="Accounts",
            summary="Show who asks, and with which token",
            query=(NoParameters,),
            gives=Me,
            account="needed",
            kinds=_NAMED,
        ),
    )


def _tokens() -> tuple[Operation, ...]:
    return (
        Operation(
            path="/v1/tokens",
            id="list_tokens",
            tag="Accounts",
            summary="List tokens with their last use",
            query=(TokenListing,),
            gives=TokenList,
            account="needed",
            kinds=SECURED,
        ),
        Operation(
            method="post",
            path="/v1/tokens",
            id="issue_token",
            tag="Accounts",
            summary="Issue a token",
            description="Its text is in this answer and nowhere else. It can do no more than its principal may, and of "
            "one's own no more than the token that asks for it.",
            query=(NoParameters,),
            body=TokenRequest,
            gives=TokenIssued,
            account="needed",
            statuses=(201,),
            examples=({"authority": "us-nist", "roles": ["submitter"], "name": "office", "days": 90},),
            kinds=(*_NAMED, *SENT),
        ),
        Operation(
            method="post",
            path="/v1/tokens/{token_id}/rotate",
            id="rotate_token",
            tag="Accounts",
            summary="Issue a token in the place of another",
            description="The old one works for ten more minutes, so that a lost answer can be asked for again.",
            query=(NoParameters,),
            body=Rotation,
            body_required=False,
            gives=TokenIssued,
            account="needed",
            statuses=(201,),
            examples=({"days": 90},),
            kinds=(*_NAMED, *SENT),
        ),
        Operation(
            method="delete",
            path="/v1/tokens/{token_id}",
            id="revoke_token",
            tag="Accounts",
            summary="Revoke a token",
            description="From now on, for good. One that is revoked already stays so from then.",
            query=(NoParameters,),
            gives=StoredToken,
            account="needed",
            kinds=_NAMED,
        ),
    )


def _principals() -> tuple[Operation, ...]:
    return (
        Operation(
            path="/v1/principals",
            id="list_principals",
            tag="Accounts",
            summary="List principals with their roles",
            description=_REGISTRARS,
            query=(PrincipalListing,),
            gives=PrincipalPage,
            account="needed",
            kinds=SECURED,
        ),
        Operation(
            method="post",
            path="/v1/principals",
            id="make_principal",
            tag="Accounts",
            summary="Make a principal without a role",
            description=_REGISTRARS,
            query=(NoParameters,),
            body=PrincipalRequest,
            gives=PrincipalShown,
            account="needed",
            statuses=(201,),
            examples=({"name": "Ana Example", "kind": "person"},),
            kinds=(*SECURED, *SENT),
        ),
        Operation(
            path="/v1/principals/{principal_id}",
            id="read_principal",
            tag="Accounts",
            summary="Show a principal",
            description="For registrars, and for oneself.",
            query=(NoParameters,),
            gives=PrincipalShown,
            account="needed",
            kinds=_NAMED,
        ),
        Operation(
            method="delete",
            path="/v1/principals/{principal_id}",
            id="disable_principal",
            tag="Accounts",
            summary="Shut a principal out for good",
            description=f"{_REGISTRARS} All its tokens end; what it did stays on record.",
            query=(NoParameters,),
            gives=PrincipalShown,
            account="needed",
            kinds=(*_NAMED, problem_kinds.REFUSED),
        ),
    )


def _grants() -> tuple[Operation, ...]:
    return (
        Operation(
            method="post",
            path="/v1/grants",
            id="grant_role",
            tag="Accounts",
            summary="Give a role",
            description=f"{_REGISTRARS} Nothing happens where it is held already.",
            query=(NoParameters,),
            body=GrantRequest,
            gives=PrincipalShown,
            account="needed",
            examples=({"principal": "p-0123456789abcdef", "authority": "us-nist", "role": "submitter"},),
            kinds=(*_NAMED, *SENT),
        ),
        Operation(
            method="delete",
            path="/v1/grants",
            id="end_role",
            tag="Accounts",
            summary="Take a role",
            description=f"{_REGISTRARS} Nothing happens where it is not held. All three parameters are needed.",
            query=(GrantEnding,),
            gives=PrincipalShown,
            account="needed",
            kinds=(*_NAMED, problem_kinds.REFUSED),
        ),
    )
