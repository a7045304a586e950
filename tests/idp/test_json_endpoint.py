"""Endpoints that take a JSON object instead of a form, such as Run:ai's."""

from __future__ import annotations

from proxy.config.model import Grant, Provider
from proxy.errors import Failure
from proxy.oauth.authentication import ClientAuthentication
from tests.support.answers import unsigned
from tests.support.asking import asking
from tests.support.identity_provider import CLIENT, IdentityProvider, Reply

NAMES = {"grant_type": "grantType", "client_id": "clientId", "client_secret": "clientSecret"}


async def test_runai_s_endpoint_gets_its_names_and_its_answer_is_understood() -> None:
    async with IdentityProvider() as provider:
        where = Provider(token_url=provider.token_url, json_names=NAMES)
        keys = {"provider": where, "use": ("accessToken",)}
        async with asking(
            Grant.CLIENT_CREDENTIALS, client_auth=ClientAuthentication.POST, **keys
        ) as run:
            jwt = unsigned(exp=run.clock.wall() + 600)
            provider.script.append(Reply(body={"accessToken": jwt}, headers={"Date": ""}))
            token = await run.obtain()
            provider.script.append(Reply(body={"accessToken": "opaque", "expiresIn": 77}))
            opaque = await run.obtain()
            provider.script.append(Reply(403, {"code": 403, "message": "canary"}))
            error = await run.refused()
    assert (token.field, token.value.reveal()) == ("accessToken", jwt)
    assert token.lifetime is not None
    assert 598 < token.lifetime <= 600
    assert opaque.lifetime == 77
    assert dict(provider.requests[0].form) == {
        "grantType": "client_credentials",
        "clientId": CLIENT[0],
        "clientSecret": CLIENT[1],
    }
    assert provider.requests[0].headers["Content-Type"] == "application/json"
    assert error.failure is Failure.SLOW
    assert "canary" not in str(error)
