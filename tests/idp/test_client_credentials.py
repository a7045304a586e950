from __future__ import annotations

import time

import pytest

from proxy.config.model import Grant, Renew
from proxy.errors import Failure
from proxy.oauth.authentication import ClientAuthentication
from proxy.secret import Secret
from proxy.tokens.token import RefreshToken
from tests.support.asking import Asking, asking
from tests.support.identity_provider import Reply

GRANT = Grant.CLIENT_CREDENTIALS


@pytest.mark.parametrize("how", [ClientAuthentication.BASIC, ClientAuthentication.POST])
async def test_the_client_gets_its_token(how: ClientAuthentication) -> None:
    async with asking(GRANT, client_auth=how, scope="openid", audience=("a", "b")) as run:
        token = await run.obtain()
    assert token.value.reveal() == "token-1"
    assert token.lifetime == 60
    pairs = run.provider.requests[0].pairs
    assert ("scope", "openid") in pairs
    assert [value for name, value in pairs if name == "audience"] == ["a", "b"]


async def test_a_public_client_needs_no_secret() -> None:
    keys = {"client_id": "open", "client_secret": None}
    async with asking(GRANT, client_auth=ClientAuthentication.NONE, **keys) as run:
        run.provider.clients["open"] = None
        assert await run.obtain()


async def test_a_refresh_token_is_neither_used_nor_kept() -> None:
    async with asking(GRANT) as run:
        run.provider.extra = {"refresh_token": "r"}
        run.held = RefreshToken(Secret("held"))
        token = await run.obtain()
    assert token.refresh is None
    assert run.provider.grants == ["client_credentials"]


async def test_use_and_default_lifetime_reach_the_reading() -> None:
    async with asking(GRANT, use=("other_token",), renew=Renew(default_lifetime=77)) as run:
        run.provider.extra = {"other_token": "opaque", "expires_in": None}
        token = await run.obtain()
    assert (token.field, token.lifetime) == ("other_token", 77)


async def test_a_wrong_secret_is_terminal_and_in_no_message() -> None:
    async with asking(GRANT) as run:
        run.environ["CLIENT_SECRET"] = "canary-secret"
        error = await run.refused()
    assert error.failure is Failure.TERMINAL
    assert error.error == "invalid_client"
    assert error.unattended
    assert "canary" not in str(error)


async def test_an_echoed_secret_is_hidden() -> None:
    async with asking(GRANT) as run:
        run.environ["CLIENT_SECRET"] = "canary-secret"
        run.provider.script.append(
            Reply(401, {"error": "invalid_client", "error_description": "not canary-secret"})
        )
        assert "canary" not in str(await run.refused())


async def test_a_changed_secret_is_picked_up() -> None:
    async with asking(GRANT) as run:
        await run.obtain()
        run.environ["CLIENT_SECRET"] = run.provider.clients["api-client"] = "changed"
        assert await run.obtain()


async def rotated(run: Asking) -> None:
    """The secret changes here first; the provider still knows the old one."""
    await run.obtain()
    run.environ["CLIENT_SECRET"] = "new"


async def test_a_secret_that_changed_here_first_is_tried_in_turn_with_the_old() -> None:
    async with asking(GRANT) as run:
        await rotated(run)
        error = await run.refused()
        assert error.failure is Failure.TRANSIENT
        assert error.reason == "invalid_client"
        assert await run.obtain()
        run.provider.clients["api-client"] = "new"
        assert (await run.refused()).failure is Failure.TRANSIENT
        assert await run.obtain()


async def test_a_minute_after_the_change_a_refusal_is_terminal() -> None:
    async with asking(GRANT) as run:
        await rotated(run)
        await run.refused()
        await run.clock.advance(60)
        assert (await run.refused()).failure is Failure.TERMINAL


async def test_a_secret_that_can_not_be_read_sends_nothing() -> None:
    async with asking(GRANT) as run:
        del run.environ["CLIENT_SECRET"]
        error = await run.refused()
    assert error.failure is Failure.TRANSIENT
    assert error.reason == "secret"
    assert "CLIENT_SECRET is not set" in str(error)
    assert run.provider.asked == 0


async def test_a_redirect_is_not_followed_with_the_secret() -> None:
    async with asking(GRANT) as run:
        run.provider.script.append(Reply(307, b"", {"Location": run.provider.token_url}))
        assert (await run.refused()).reason == "redirect"
        assert run.provider.asked == 1


async def test_a_signed_token_ends_by_the_provider_s_clock_however_wrong_that_is() -> None:
    async with asking(GRANT) as run:
        run.provider.signed = True
        run.provider.clock_ahead = run.clock.wall() + 3600 - time.time()
        token = await run.obtain()
    assert token.lifetime is not None
    assert 58 < token.lifetime <= 60
    assert "ahead of ours" in token.warnings[0]
