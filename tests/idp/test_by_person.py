"""What the running sidecar does with a login's remains; test_login has the login itself."""

from __future__ import annotations

import pytest

from proxy.config.model import Grant
from proxy.errors import Failure
from proxy.secret import Secret
from proxy.tokens.token import RefreshToken
from tests.support.asking import Asking, asking
from tests.support.identity_provider import Reply

GRANTS = pytest.mark.parametrize("grant", [Grant.AUTHORIZATION_CODE, Grant.DEVICE_CODE])


def hold(run: Asking, value: str = "held") -> None:
    run.provider.refresh_lifetime = 0
    run.held = RefreshToken(Secret(run.provider.accept_refresh_token(value)))


@GRANTS
async def test_it_refreshes_and_follows_the_rotation(grant: Grant) -> None:
    async with asking(grant) as run:
        hold(run)
        for _ in range(3):
            await run.obtain()
    assert [one.form["refresh_token"] for one in run.provider.requests] == [
        "held",
        "refresh-2",
        "refresh-4",
    ]
    assert set(run.provider.grants) == {"refresh_token"}


@GRANTS
async def test_without_a_login_it_asks_nobody_and_says_what_to_run(grant: Grant) -> None:
    async with asking(grant) as run:
        error = await run.refused()
    assert (error.failure, error.reason) == (Failure.TERMINAL, "login_needed")
    assert "`token-sidecar login api`" in str(error)
    assert run.provider.asked == 0


async def test_a_dead_refresh_token_is_forgotten_and_explained() -> None:
    async with asking(Grant.AUTHORIZATION_CODE) as run:
        run.held = RefreshToken(Secret("canary-dead"))
        error = await run.refused()
        assert (error.failure, error.reason) == (Failure.TERMINAL, "login_needed")
        assert error.error == "invalid_grant"
        assert run.kept == [None]
        await run.refused()
    assert "used twice" in str(error)
    assert "`token-sidecar login api`" in str(error)
    assert "canary" not in str(error)
    assert run.provider.asked == 1


async def test_one_that_has_ended_is_not_sent() -> None:
    async with asking(Grant.AUTHORIZATION_CODE) as run:
        run.held = RefreshToken(Secret("held"), run.clock.now().later(5))
        await run.clock.advance(5)
        error = await run.refused()
    assert error.reason == "login_needed"
    assert "has ended" in str(error)
    assert run.provider.asked == 0


@pytest.mark.parametrize(
    "reply",
    [Reply(503, b""), Reply(401, {"error": "invalid_client"}), Reply(200, "<html>"), Reply(403)],
)
async def test_any_other_failure_forgets_nothing(reply: Reply) -> None:
    async with asking(Grant.AUTHORIZATION_CODE) as run:
        hold(run)
        run.provider.script.append(reply)
        assert (await run.refused()).reason != "login_needed"
        assert run.kept == []
        await run.obtain()
    assert [one.form["refresh_token"] for one in run.provider.requests] == ["held", "held"]


async def test_a_refresh_without_the_id_token_keeps_what_came_and_says_why() -> None:
    async with asking(Grant.AUTHORIZATION_CODE, use=("id_token",)) as run:
        hold(run)
        error = await run.refused()
    assert error.reason == "login_needed"
    assert "use: access_token" in str(error)
    assert run.kept == ["refresh-2"]


async def test_one_kind_of_token_is_never_followed_by_another() -> None:
    async with asking(Grant.AUTHORIZATION_CODE, use=("id_token", "access_token")) as run:
        hold(run)
        run.provider.signed = run.provider.id_token = True
        run.provider.lifetime = 1e9
        assert (await run.obtain()).field == "id_token"
        run.provider.id_token_on_refresh = False
        assert (await run.refused()).reason == "login_needed"
