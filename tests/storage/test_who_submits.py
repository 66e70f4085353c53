"""What the database itself holds of principals, tokens, policies and submissions, whatever a program does."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

PRINCIPAL = "INSERT INTO principal (id, kind, created) VALUES ('p-0123456789abcdef', 'person', now())"
GRANT = "INSERT INTO role_grant VALUES ('p-0123456789abcdef', 'xa', 'submitter', now())"
BEARER = (
    "INSERT INTO token (id, principal, secret_hash, authority, roles, name, created, expires, family, renewable_until)"
    " VALUES ('t', 'p-0123456789abcdef', sha256('s'), 'xa', '{submitter}', 'n', now(), now() + interval '1 day', 't',"
    " now() + interval '1 day')"
)
WAITING = (
    "INSERT INTO submission (id, principal, public_reason, state, authority, four_eyes, content, digest)"
    " VALUES ('s', 'p', 'why', 'submitted', 'xa', true, 'x', sha256('x'))"
)
PRIVATE = "INSERT INTO submission_private VALUES ('s', 'request', sha256('salt'), 'x')"
POLICY = "INSERT INTO authority_policy VALUES ('xa', 1, true, 'warn', now(), 's')"
DECIDE = "UPDATE submission SET state = '{}', decided = now(), decided_by = '{}'"


async def run(engine: AsyncEngine, *statements: str, role: bool = True) -> None:
    async with engine.begin() as connection:
        if role:
            await connection.execute(text("SET LOCAL ROLE cab_app"))
        for statement in statements:
            await connection.execute(text(statement.replace(":", r"\:")))


async def test_what_is_in_order_is_taken(engine: AsyncEngine) -> None:
    await run(engine, PRINCIPAL, GRANT, BEARER, WAITING, PRIVATE, POLICY, DECIDE.format("approved", "q"))
    await run(engine, "DELETE FROM submission_private", "UPDATE role_grant SET ended = now(), ended_by = 'q'", GRANT)


@pytest.mark.parametrize(
    ("statements", "reason"),
    [
        ((PRINCIPAL.replace("p-0123456789abcdef", "jane"),), "id_opaque"),
        ((PRINCIPAL.replace("person", "ghost"),), "kind_known"),
        ((PRINCIPAL.replace("now()", "'infinity'"),), "instants_finite"),
        ((GRANT,), "role_grant_principal_fkey"),
        ((PRINCIPAL, GRANT.replace("submitter", "king")), "role_known"),
        ((PRINCIPAL, GRANT.replace("submitter", "registrar")), "registrar_at_home"),
        ((PRINCIPAL, GRANT, GRANT.replace("now()", "now() + interval '1 s'")), "role_grant_current"),
        ((BEARER,), "token_principal_fkey"),
        ((PRINCIPAL, BEARER.replace("sha256('s')", "'short'")), "secret_hash_length"),
        ((PRINCIPAL, BEARER.replace("{submitter}", "{}")), "roles_known"),
        ((PRINCIPAL, BEARER.replace("{submitter}", "{submitter,king}")), "roles_known"),
        ((PRINCIPAL, BEARER.replace("'1 day'", "'-1 day'")), "expires_after_created"),
        ((PRINCIPAL, BEARER.replace("'1 day'", "'2 days'", 1)), "expires_in_its_life"),
        ((POLICY,), "authority_policy_submission_fkey"),
        ((WAITING, POLICY.replace("warn", "ignore")), "scope_wider_known"),
        ((WAITING, POLICY, POLICY), "authority_policy_pkey"),
        ((WAITING, PRIVATE.replace("request", "gossip")), "part_known"),
        ((WAITING.replace("sha256('x')", "sha256('y')"),), "digest_right"),
        ((WAITING.replace("'x', sha256('x')", "NULL, NULL"), DECIDE.format("approved", "p")), "approved_by_another"),
        ((WAITING.replace("'submitted'", "'approved'"),), "approved_by_another"),
        ((WAITING, DECIDE.format("approved", "p")), "approved_by_another"),
        ((WAITING, DECIDE.format("submitted", "q")), "decided_once_over"),
        ((WAITING, "UPDATE submission SET state = 'rejected', decided = now()"), "decision_whole"),
        ((WAITING, DECIDE.format("rejected", "q"), DECIDE.format("approved", "q")), "decided, once"),
        ((WAITING, "UPDATE submission SET principal = 'q'"), "decided, once"),
        ((WAITING, "UPDATE submission SET content = 'y', digest = sha256('y')"), "decided, once"),
        ((WAITING, "UPDATE submission SET four_eyes = false"), "decided, once"),
        ((WAITING.replace("true", "false").replace("content", "counterpart, content").replace("'x',", "'xb', 'x',"),),
         "counterpart_approves"),
    ],
)  # fmt: skip
async def test_what_is_out_of_order_is_refused(engine: AsyncEngine, statements: tuple[str, ...], reason: str) -> None:
    with pytest.raises(Exception, match=reason):
        await run(engine, *statements)


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE submission_private SET content = 'y'", "takes no UPDATE"),
        ("UPDATE authority_policy SET four_eyes = false", "takes no UPDATE"),
        ("DELETE FROM authority_policy", "takes no DELETE"),
        ("TRUNCATE authority_policy", "takes no TRUNCATE"),
    ],
)
async def test_even_the_owner_does_not_rewrite(owner_engine: AsyncEngine, statement: str, reason: str) -> None:
    await run(owner_engine, WAITING, PRIVATE, POLICY)
    with pytest.raises(Exception, match=reason):
        await run(owner_engine, statement, role=False)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM principal",
        "DELETE FROM token",
        "UPDATE token SET roles = '{registrar}'",
        "UPDATE token SET secret_hash = sha256('mine')",
        "UPDATE role_grant SET role = 'approver'",
        "DELETE FROM role_grant",
        "DELETE FROM submission",
    ],
)
async def test_the_application_does_not_rewrite_who_acts(engine: AsyncEngine, statement: str) -> None:
    await run(engine, PRINCIPAL, GRANT, BEARER, WAITING)
    with pytest.raises(Exception, match="permission denied"):
        await run(engine, statement)
