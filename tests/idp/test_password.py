from __future__ import annotations

import pytest

from proxy.config.model import Grant
from proxy.errors import Failure
from proxy.secret import Secret
from proxy.tokens.token import RefreshToken
from tests.support.asking import asking
from tests.support.identity_provider import USER, Reply

GRANT = Grant.PASSWORD


async def test_the_first_token_costs_the_password_later_ones_the_refresh_token() -> None:
    async with asking(GRANT, scope="offline_access") as run:
        run.provider.refresh_lifetime = 0
        for _ in range(3):
            await run.obtain()
    first, *later = run.provider.requests
    assert first.form["username"] == USER[0]
    assert first.form["scope"] == "offline_access"
    assert run.provider.grants == ["password", "refresh_token", "refresh_token"]
    assert all("password" not in one.form and "scope" not in one.form for one in later)
    assert [one.form["refresh_token"] for one in later] == ["refresh-2", "refresh-4"]


async def test_without_a_refresh_token_the_password_is_sent_each_time() -> None:
    async with asking(GRANT) as run:
        await run.obtain()
        await run.obtain()
    assert run.provider.grants == ["password", "password"]


async def test_a_refresh_that_brings_no_new_refresh_token_keeps_the_old() -> None:
    async with asking(GRANT) as run:
        run.provider.refresh_lifetime = 0
        await run.obtain()
        run.provider.extra = {"refresh_token": None}
        assert (await run.obtain()).refresh is None
        assert run.held is not None
        assert run.held.value.reveal() == "refresh-2"
        assert run.kept == []


async def test_a_dead_refresh_token_is_forgotten_and_the_password_sent_at_once() -> None:
    async with asking(GRANT) as run:
        run.provider.refresh_lifetime = 0
        await run.obtain()
        run.provider.revoke_refresh_tokens()
        token = await run.obtain()
    assert run.provider.grants == ["password", "refresh_token", "password"]
    assert run.kept == [None]
    assert run.held == token.refresh


async def test_a_refresh_token_that_is_dead_in_the_words_of_dex_is_forgotten_too() -> None:
    said = "Refresh token is invalid or has already been claimed by another client."
    async with asking(GRANT) as run:
        run.provider.refresh_lifetime = 0
        await run.obtain()
        run.provider.script.append(
            Reply(400, {"error": "invalid_request", "error_description": said})
        )
        await run.obtain()
    assert run.provider.grants == ["password", "refresh_token", "password"]
    assert run.kept == [None]


async def test_an_ended_refresh_token_is_not_sent() -> None:
    async with asking(GRANT) as run:
        run.provider.refresh_lifetime = 1800
        await run.obtain()
        await run.clock.advance(1799)
        await run.obtain()
        await run.clock.advance(1800)
        await run.obtain()
    assert run.provider.grants == ["password", "refresh_token", "password"]


async def test_a_refresh_without_the_field_is_followed_by_the_password_from_then_on() -> None:
    async with asking(GRANT, use=("id_token",)) as run:
        run.provider.refresh_lifetime = 0
        run.provider.id_token = True
        run.provider.id_token_on_refresh = False
        await run.obtain()
        assert (await run.obtain()).field == "id_token"
        assert run.provider.grants == ["password", "refresh_token", "password"]
        assert run.kept == ["refresh-5"]
        await run.obtain()
    assert run.provider.grants[3:] == ["password"]


async def test_a_refresh_may_not_replace_the_field_by_one_further_down_the_list() -> None:
    async with asking(GRANT, use=("id_token", "access_token")) as run:
        run.provider.refresh_lifetime = 0
        run.provider.id_token = True
        run.provider.id_token_on_refresh = False
        await run.obtain()
        assert (await run.obtain()).field == "id_token"


async def test_after_a_restart_a_refresh_takes_whatever_the_list_allows() -> None:
    async with asking(GRANT, use=("id_token", "access_token")) as run:
        run.provider.accept_refresh_token("stored")
        run.held = RefreshToken(Secret("stored"))
        assert (await run.obtain()).field == "access_token"
    assert run.provider.grants == ["refresh_token"]


async def test_an_unusable_refresh_answer_keeps_its_refresh_token() -> None:
    async with asking(GRANT) as run:
        run.provider.refresh_lifetime = 0
        await run.obtain()
        run.provider.extra = {"token_type": "DPoP"}
        error = await run.refused()
        assert error.failure is Failure.TRANSIENT
        assert run.provider.grants == ["password", "refresh_token"]
        assert run.kept == ["refresh-4"]
        run.provider.extra = {}
        assert await run.obtain()


async def test_an_unusable_answer_to_the_password_keeps_its_refresh_token_too() -> None:
    async with asking(GRANT) as run:
        run.provider.refresh_lifetime = 0
        run.provider.extra = {"token_type": "DPoP"}
        await run.refused()
    assert run.kept == ["refresh-2"]


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        (Reply(503, b""), Failure.TRANSIENT),
        (Reply(429, b"", {"Retry-After": "9"}), Failure.RETRY_AFTER),
        (Reply(403, {"error": "invalid_grant"}), Failure.SLOW),
        (Reply(401, {"error": "invalid_client"}), Failure.TERMINAL),
        (Reply(close=True), Failure.TRANSIENT),
        (Reply(200, b"<html>"), Failure.TRANSIENT),
    ],
)
async def test_another_failed_refresh_costs_no_password(reply: Reply, failure: Failure) -> None:
    async with asking(GRANT) as run:
        run.provider.refresh_lifetime = 0
        await run.obtain()
        run.provider.script.append(reply)
        error = await run.refused()
        assert error.failure is failure
        assert error.unattended
        assert run.provider.grants == ["password", "refresh_token"]
        assert run.kept == []


async def test_a_refused_password_is_terminal_and_never_repeated_by_itself() -> None:
    async with asking(GRANT) as run:
        run.environ["PASSWORD"] = "canary-password"
        error = await run.refused()
    assert error.failure is Failure.TERMINAL
    assert error.error == "invalid_grant"
    assert not error.unattended
    assert "canary" not in str(error)


async def test_a_password_refused_after_a_dead_refresh_is_not_repeated_either() -> None:
    async with asking(GRANT) as run:
        run.provider.refresh_lifetime = 0
        await run.obtain()
        run.provider.revoke_refresh_tokens()
        run.provider.users.clear()
        assert not (await run.refused()).unattended
        assert run.provider.asked == 3


async def test_while_the_client_s_secret_rotates_a_refresh_is_repeated_but_no_password() -> None:
    async with asking(GRANT) as run:
        run.provider.refresh_lifetime = 0
        await run.obtain()
        run.environ["CLIENT_SECRET"] = "new"
        assert (await run.refused()).failure is Failure.TRANSIENT
        run.held = None
        run.provider.clients["api-client"] = "neither"
        error = await run.refused()
        assert error.failure is Failure.TERMINAL
        assert not error.unattended


async def test_a_password_that_can_not_be_read_sends_nothing() -> None:
    async with asking(GRANT) as run:
        del run.environ["PASSWORD"]
        assert (await run.refused()).reason == "secret"
        assert run.provider.asked == 0
