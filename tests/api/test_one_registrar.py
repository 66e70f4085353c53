"""One registrar alone cannot act for others, over HTTP: the ways that were open, each refused."""

from tests.api.test_accounts import Knock, clock, engine, knock, registrar, second
from tests.api.test_problems import check_shape

__all__ = ["clock", "engine", "knock", "registrar", "second"]


async def test_one_registrar_gets_no_token_of_another_and_gives_no_role_alone(
    knock: Knock, registrar: str, second: str
) -> None:
    del second
    async with knock(registrar) as first, knock() as nobody:
        puppets = [(await first.post("/v1/principals", json={"name": name})).json()["id"] for name in ("One", "Two")]
        for principal, role in zip(puppets, ("submitter", "approver"), strict=True):
            asked = {"principal": principal, "authority": "us-nist"}
            proposed = (await first.post("/v1/grants", json={**asked, "role": role})).json()
            own = {"authority": "us-nist", "roles": [role], "name": "office", "principal": principal}
            assert check_shape(await first.post("/v1/tokens", json=own))["status"] == 422
            code = (await first.post("/v1/invitations", json={**asked, "roles": [role]})).json()["code"]
            text = (await nobody.post("/v1/invitations/redeem", json={"code": code})).json()["text"]
            approved = await first.post(f"/v1/grants/{proposed['id']}/approve")
            assert check_shape(approved)["type"] == "/problems/not-permitted"
            assert (await first.get(f"/v1/principals/{principal}")).json()["grants"] == []
            async with knock(text) as puppet:
                sent = {"authority": "us-nist", "public_reason": "x", "records": [{"document": {"type": "body"}}]}
                refused = await puppet.post("/v1/submissions", json=sent, headers={"idempotency-key": "k"})
                assert check_shape(refused)["type"] == "/problems/not-permitted"
            again = (await nobody.post("/v1/invitations/redeem", json={"code": code})).json()
            assert again["type"] == "/problems/invitation-refused"


async def test_a_code_is_not_taken_over_plain_http(knock: Knock, registrar: str) -> None:
    del registrar
    async with knock(host="203.0.113.9") as far:
        sent = await far.post("/v1/invitations/redeem", json={"code": "cabi_x"})
        assert check_shape(sent)["type"] == "/problems/plain-http"
    async with knock(host="203.0.113.9", base="https") as safe:
        sent = await safe.post("/v1/invitations/redeem", json={"code": "cabi_x"})
        assert check_shape(sent)["type"] == "/problems/invitation-refused"
