from __future__ import annotations

from proxy.config.model import Grant
from proxy.errors import Failure
from proxy.secret import Secret
from proxy.tokens.token import RefreshToken
from tests.support.asking import Asking, asking
from tests.support.identity_provider import Reply

GRANT = Grant.REFRESH_TOKEN


def sent(run: Asking) -> list[str]:
    return [one.form["refresh_token"] for one in run.provider.requests]


async def test_the_configured_one_comes_first_then_what_the_provider_gave() -> None:
    async with asking(GRANT, scope="openid") as run:
        run.provider.accept_refresh_token("first")
        run.provider.refresh_lifetime = 0
        for _ in range(3):
            await run.obtain()
    assert sent(run) == ["first", "refresh-2", "refresh-4"]
    assert all(one.form["scope"] == "openid" for one in run.provider.requests)


async def test_without_rotation_the_configured_one_serves_again() -> None:
    async with asking(GRANT) as run:
        run.provider.accept_refresh_token("first")
        await run.obtain()
        await run.obtain()
    assert sent(run) == ["first", "first"]


async def test_a_dead_configured_one_means_login_needed() -> None:
    async with asking(GRANT) as run:
        error = await run.refused()
    assert error.failure is Failure.TERMINAL
    assert error.reason == "login_needed"
    assert error.error == "invalid_grant"
    assert error.unattended
    assert "login needed" in str(error)
    assert "first" not in str(error)
    assert run.provider.asked == 1


async def test_when_the_held_one_dies_a_newer_configured_one_is_tried() -> None:
    async with asking(GRANT) as run:
        run.held = RefreshToken(Secret("held"))
        run.provider.accept_refresh_token("first")
        assert await run.obtain()
    assert sent(run) == ["held", "first"]
    assert run.kept == [None]


async def test_when_both_are_dead_login_is_needed_after_two_requests() -> None:
    async with asking(GRANT) as run:
        run.held = RefreshToken(Secret("held"))
        assert (await run.refused()).reason == "login_needed"
        assert sent(run) == ["held", "first"]


async def test_the_same_dead_one_is_not_sent_twice() -> None:
    async with asking(GRANT) as run:
        run.held = RefreshToken(Secret("first"))
        assert (await run.refused()).reason == "login_needed"
        assert sent(run) == ["first"]


async def test_an_ended_one_is_not_sent() -> None:
    async with asking(GRANT) as run:
        run.provider.accept_refresh_token("first")
        run.held = RefreshToken(Secret("held"), run.clock.now().later(5))
        await run.clock.advance(5)
        await run.obtain()
    assert sent(run) == ["first"]


async def test_another_failure_forgets_nothing() -> None:
    async with asking(GRANT) as run:
        run.held = RefreshToken(Secret("held"))
        run.provider.script.append(Reply(503, b""))
        assert (await run.refused()).failure is Failure.TRANSIENT
        assert sent(run) == ["held"]
        assert run.kept == []


async def test_an_unusable_answer_keeps_its_refresh_token() -> None:
    async with asking(GRANT, use=("id_token",)) as run:
        run.provider.accept_refresh_token("first")
        run.provider.refresh_lifetime = 0
        assert (await run.refused()).reason == "no_token"
        assert run.kept == ["refresh-2"]
        assert run.provider.asked == 1
