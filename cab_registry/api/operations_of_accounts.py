"""The operations of accounts as the reference describes them."""

from __future__ import annotations

from typing import Final

from cab_registry.api import problem_kinds
from cab_registry.api.accounts import (
    Me,
    PrincipalListing,
    PrincipalPage,
    PrincipalRequest,
    Rotation,
    TokenList,
    TokenListing,
    TokenRequest,
)
from cab_registry.api.grants import ActListing, ActPage, GrantEnding, GrantRequest, ProposalListing, ProposalPage
from cab_registry.api.invitations import InvitationListing, InvitationPage, InvitationRequest, Redemption
from cab_registry.api.operation import Operation
from cab_registry.api.replies import NoParameters
from cab_registry.services.accounts.invitations import InvitationMade
from cab_registry.services.accounts.tokens import TokenIssued, TokenRevoked
from cab_registry.services.principals import PrincipalShown
from cab_registry.storage.accounts.invitations import StoredInvitation
from cab_registry.storage.accounts.proposals import StoredProposal

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
    return (*_own(), *_tokens(), *_invitations(), *_principals(), *_grants(), *_trail())


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
            summary="Issue a further token for oneself",
            description="Its text is in this answer and nowhere else. It can do no more than the token that asks for "
            "it, and works no longer than that can be renewed. Nobody issues tokens for others: they are invited.",
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
            description="The old one works for ten more minutes, so that a lost answer can be asked for again. Shown "
            "after that, it revokes every token that came of it, since two parties seem to hold it. None works longer "
            "than `renewable_until`; then a new invitation is needed.",
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
            description="From now on, for good. One that is revoked already stays so from then. With it end what it "
            "replaced or was replaced by, and what was issued with any of these. Registrars revoke those of others, "
            "but the token of a registrar only its holder revokes.",
            query=(NoParameters,),
            gives=TokenRevoked,
            account="needed",
            kinds=(*_NAMED, problem_kinds.REFUSED),
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
            description=f"{_REGISTRARS} With it end its tokens, endpoints, watches and invitations; nothing more is "
            "sent to it. What it did stays on record. Of two registrars none can be shut out.",
            query=(NoParameters,),
            gives=PrincipalShown,
            account="needed",
            kinds=(*_NAMED, problem_kinds.REFUSED),
        ),
        Operation(
            method="delete",
            path="/v1/principals/{principal_id}/name",
            id="erase_name",
            tag="Accounts",
            summary="Forget the name of a principal for good",
            description=f"{_REGISTRARS} Its id stays, and so does what it did.",
            query=(NoParameters,),
            gives=PrincipalShown,
            account="needed",
            kinds=_NAMED,
        ),
    )


def _invitations() -> tuple[Operation, ...]:
    return (
        Operation(
            method="post",
            path="/v1/invitations",
            id="invite",
            tag="Accounts",
            summary="Invite a principal to get a token",
            description=f"{_REGISTRARS} The code is in this answer and nowhere else; hand it to its holder, who "
            "redeems it once. One invitation of a principal is open: an earlier one ends. Who has or had a token is "
            "invited again only with the consent of another registrar or of the invited, and is told of it.",
            query=(NoParameters,),
            body=InvitationRequest,
            gives=InvitationMade,
            account="needed",
            statuses=(201,),
            examples=({"principal": "p-0123456789abcdef", "authority": "us-nist", "roles": ["submitter"]},),
            kinds=(*_NAMED, *SENT),
        ),
        Operation(
            path="/v1/invitations",
            id="list_invitations",
            tag="Accounts",
            summary="List invitations, never a code",
            description="Registrars see all; everybody sees their own with `principal`.",
            query=(InvitationListing,),
            gives=InvitationPage,
            account="needed",
            kinds=SECURED,
        ),
        Operation(
            method="post",
            path="/v1/invitations/redeem",
            id="redeem_invitation",
            tag="Accounts",
            summary="Turn the code of an invitation into a token, once",
            description="It needs no token. The text of the new one is in this answer and nowhere else. The "
            "principal's tokens that carry no role end with it; an invitation by the operator ends all earlier ones.",
            query=(NoParameters,),
            body=Redemption,
            gives=TokenIssued,
            statuses=(201,),
            examples=({"code": "cabi_0123456789abcdef_" + "0" * 64, "name": "laptop", "days": 90},),
            kinds=(
                *(
                    problem_kinds.UNREADABLE,
                    problem_kinds.WRONG_PARAMETERS,
                    problem_kinds.PLAIN_HTTP,
                    problem_kinds.INVITATION_REFUSED,
                ),
                *(problem_kinds.NO_SUCH_ACCOUNT, problem_kinds.UNAVAILABLE),
                *SENT,
            ),
        ),
        Operation(
            method="post",
            path="/v1/invitations/{invitation_id}/approve",
            id="approve_invitation",
            tag="Accounts",
            summary="Agree that somebody who has or had a token gets another",
            description="For another registrar than the one who invites, and for the invited with a token that carries "
            "a role.",
            query=(NoParameters,),
            gives=StoredInvitation,
            account="needed",
            kinds=(*_NAMED, problem_kinds.INVITATION_REFUSED, problem_kinds.REFUSED),
        ),
        Operation(
            method="delete",
            path="/v1/invitations/{invitation_id}",
            id="cancel_invitation",
            tag="Accounts",
            summary="Cancel an invitation",
            description="For registrars, and for the invited; one that the operator made, for the invited alone. One "
            "that is over stays as it is.",
            query=(NoParameters,),
            gives=StoredInvitation,
            account="needed",
            kinds=(*_NAMED, problem_kinds.REFUSED),
        ),
    )


def _grants() -> tuple[Operation, ...]:
    return (
        Operation(
            method="post",
            path="/v1/grants",
            id="propose_role",
            tag="Accounts",
            summary="Propose a role",
            description=f"{_REGISTRARS} It is held once another registrar approves it, who neither proposed it nor "
            "gets it. While there is one registrar alone, it makes one other principal a registrar at once, not more.",
            query=(NoParameters,),
            body=GrantRequest,
            gives=StoredProposal,
            account="needed",
            examples=({"principal": "p-0123456789abcdef", "authority": "us-nist", "role": "submitter"},),
            kinds=(*_NAMED, *SENT),
        ),
        Operation(
            path="/v1/grants",
            id="list_proposals",
            tag="Accounts",
            summary="List proposed roles",
            description="Registrars see all; everybody sees their own with `principal`.",
            query=(ProposalListing,),
            gives=ProposalPage,
            account="needed",
            kinds=SECURED,
        ),
        Operation(
            method="post",
            path="/v1/grants/{proposal_id}/approve",
            id="approve_role",
            tag="Accounts",
            summary="Grant a role that another registrar proposed",
            description=f"{_REGISTRARS} Its principal has redeemed an invitation before: ask the person for the id of "
            "the token that was shown then, and compare it with the list of tokens.",
            query=(NoParameters,),
            gives=StoredProposal,
            account="needed",
            kinds=(*_NAMED, problem_kinds.REFUSED),
        ),
        Operation(
            method="post",
            path="/v1/grants/{proposal_id}/refuse",
            id="refuse_role",
            tag="Accounts",
            summary="Refuse a proposed role, or take it back",
            description=_REGISTRARS,
            query=(NoParameters,),
            gives=StoredProposal,
            account="needed",
            kinds=(*_NAMED, problem_kinds.REFUSED),
        ),
        Operation(
            method="delete",
            path="/v1/grants",
            id="end_role",
            tag="Accounts",
            summary="Take a role",
            description=f"{_REGISTRARS} Nothing happens where it is not held. With the last role at an authority end "
            "the watches and endpoints that are kept for it. All three parameters are needed.",
            query=(GrantEnding,),
            gives=PrincipalShown,
            account="needed",
            kinds=(*_NAMED, problem_kinds.REFUSED),
        ),
    )


def _trail() -> tuple[Operation, ...]:
    return (
        Operation(
            path="/v1/acts",
            id="list_acts",
            tag="Accounts",
            summary="List who did what",
            description="The chain of acts. Registrars, and auditors of the registry, read all; auditors of another "
            "authority those for it; everybody those about and by themselves.",
            query=(ActListing,),
            gives=ActPage,
            account="needed",
            kinds=SECURED,
        ),
    )
