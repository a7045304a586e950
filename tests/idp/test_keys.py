"""The provider's keys over real sockets: when they are fetched, what rotations and outages do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web
from joserfc import jwt as signing
from joserfc.jwk import RSAKey

from proxy.clock import SystemClock
from proxy.config.model import Provider
from proxy.idp.endpoint import Endpoints
from proxy.idp.keys import FRESH, MIN_INTERVAL, IdTokens
from proxy.net.carrier import Carrier
from proxy.oauth.response import UnusableAnswerError
from proxy.secret import Secret
from proxy.tokens.token import RefreshToken
from tests.support.answers import answer
from tests.support.clock import FakeClock

OLD, NEW = (RSAKey.generate_key(2048, parameters={"kid": kid}) for kid in ("old", "new"))
WALL = answer().received.wall


@dataclass(slots=True)
class Publisher:
    """Publishes ``keys``, or answers ``status``; counts how often it was asked."""

    keys: list[RSAKey]
    status: int = 200
    asked: int = 0

    async def answer(self, _: web.Request) -> web.Response:
        self.asked += 1
        listed = [key.as_dict(private=False) for key in self.keys]
        return web.json_response({"keys": listed}, status=self.status)


@dataclass(slots=True)
class Checking:
    publisher: Publisher
    tokens: IdTokens
    clock: FakeClock

    async def check(self, key: RSAKey, **more: Any) -> None:
        await self.tokens.check(answer(id_token=signed(key)), where="https://idp", **more)

    async def refused(self, key: RSAKey) -> UnusableAnswerError:
        refresh = RefreshToken(Secret("rotated"))
        with pytest.raises(UnusableAnswerError) as caught:
            await self.check(key, refresh=refresh)
        assert caught.value.refresh is refresh
        return caught.value


def signed(key: RSAKey, **claims: Any) -> str:
    usual = {"aud": "sd-api", "iat": WALL, "exp": WALL + 300}
    return signing.encode({"alg": "RS256", "kid": key.kid}, usual | claims, key)


@asynccontextmanager
async def checking() -> AsyncIterator[Checking]:
    publisher = Publisher([OLD])
    application = web.Application()
    application.router.add_get("/certs", publisher.answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    provider = Provider(jwks_url=f"http://127.0.0.1:{runner.addresses[0][1]}/certs")
    carrier, clock = Carrier(clock=SystemClock()), FakeClock()
    try:
        endpoints = Endpoints(provider, carrier, clock)
        yield Checking(publisher, IdTokens("sd-api", endpoints, carrier, clock), clock)
    finally:
        await carrier.close()
        await runner.cleanup()


async def test_the_keys_are_fetched_once_for_many_tokens() -> None:
    async with checking() as run:
        for _ in range(3):
            await run.check(OLD)
        assert run.publisher.asked == 1


async def test_an_answer_without_an_id_token_asks_for_no_keys() -> None:
    async with checking() as run:
        await run.tokens.check(answer(), where="https://idp")
        assert run.publisher.asked == 0


async def test_a_new_key_is_found_by_asking_again() -> None:
    async with checking() as run:
        await run.check(OLD)
        run.publisher.keys = [NEW]
        await run.clock.advance(MIN_INTERVAL)
        await run.check(NEW)
        assert run.publisher.asked == 2


async def test_tokens_by_unknown_keys_do_not_make_us_ask_over_and_over() -> None:
    async with checking() as run:
        for _ in range(5):
            assert (await run.refused(NEW)).reason == "id_token"
        assert run.publisher.asked == 1
        await run.clock.advance(MIN_INTERVAL)
        await run.refused(NEW)
        await run.refused(NEW)
        assert run.publisher.asked == 2


async def test_a_withdrawn_key_is_believed_no_longer_than_an_hour() -> None:
    async with checking() as run:
        await run.check(OLD)
        run.publisher.keys = [NEW]
        await run.clock.advance(FRESH + 1)
        assert (await run.refused(OLD)).reason == "id_token"


async def test_the_known_keys_outlive_an_outage() -> None:
    async with checking() as run:
        await run.check(OLD)
        run.publisher.status = 503
        await run.clock.advance(FRESH + 1)
        await run.check(OLD)
        await run.check(OLD)
        assert run.publisher.asked == 2


async def test_keys_that_never_came_are_told_and_asked_for_again() -> None:
    async with checking() as run:
        run.publisher.status = 500
        error = await run.refused(OLD)
        assert error.reason == "http_500"
        assert "no ID token can be checked" in str(error)
        assert "jwks_url" in str(error)
        run.publisher.status = 200
        await run.check(OLD)


async def test_the_nonce_reaches_the_check() -> None:
    async with checking() as run:
        with pytest.raises(UnusableAnswerError, match="nonce"):
            await run.check(OLD, nonce=Secret("n-0S6"))


async def test_the_clock_that_counts_is_the_providers() -> None:
    async with checking() as run:
        ahead = {"Date": "Wed, 15 Nov 2023 00:13:20 GMT"}
        late = answer(
            id_token=signed(OLD), headers={name.lower(): one for name, one in ahead.items()}
        )
        with pytest.raises(UnusableAnswerError, match="already ended"):
            await run.tokens.check(late, where="https://idp")
