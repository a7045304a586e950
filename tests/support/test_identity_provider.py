"""The scriptable provider itself: others' tests believe what it says."""

from __future__ import annotations

import asyncio

import aiohttp
from joserfc import jwk, jwt

from tests.support.identity_provider import CLIENT, IdentityProvider, Reply

FORM = {"grant_type": "client_credentials", "client_id": CLIENT[0], "client_secret": CLIENT[1]}


async def test_its_signed_tokens_verify_against_its_keys() -> None:
    async with IdentityProvider() as provider, aiohttp.ClientSession() as session:
        provider.signed = True
        provider.claims = {"aud": "api"}
        answer = await (await session.post(provider.token_url, data=FORM)).json()
        keys = jwk.KeySet.import_key_set(await (await session.get(provider.jwks_url)).json())
    claims = jwt.decode(answer["access_token"], keys, algorithms=["RS256"]).claims
    assert (claims["iss"], claims["aud"]) == (provider.issuer, "api")
    assert provider.issued == [answer["access_token"]]


async def test_it_comes_back_on_the_same_port() -> None:
    async with IdentityProvider() as provider, aiohttp.ClientSession() as session:
        url = provider.token_url
        await provider.stop()
        await provider.start()
        assert provider.token_url == url
        assert (await session.post(url, data=FORM)).status == 200


async def test_it_knows_how_many_requests_were_under_way_together() -> None:
    async with IdentityProvider() as provider, aiohttp.ClientSession() as session:
        provider.script += [Reply(delay=0.05), Reply(delay=0.05), Reply()]
        await asyncio.gather(*(session.post(provider.token_url, data=FORM) for _ in range(2)))
        await session.post(provider.token_url, data=FORM)
    assert provider.busiest == 2
    assert provider.asked == 3


async def test_a_refresh_token_that_is_used_twice_kills_its_family_and_no_other() -> None:
    async with IdentityProvider() as provider, aiohttp.ClientSession() as session:
        provider.refresh_lifetime, provider.kills_families = 60, True

        async def refreshed(token: str) -> str | None:
            form = {**FORM, "grant_type": "refresh_token", "refresh_token": token}
            async with session.post(provider.token_url, data=form) as answer:
                said = await answer.json()
                return said.get("refresh_token")

        first, other = map(provider.accept_refresh_token, ("first", "other"))
        second = await refreshed(first)
        third = await refreshed(second or "")
        assert third is not None
        assert provider.honours(third)
        assert await refreshed(first) is None
        assert (provider.reused, provider.honours(third)) == (1, False)
        assert await refreshed(third) is None
        assert provider.honours(other)
