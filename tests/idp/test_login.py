"""Logins over real sockets; the browser and the person are a few lines of the test."""

from __future__ import annotations

import asyncio
import itertools
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import aiohttp
import pytest

from proxy.config.model import Credential, EnvSecret, Grant, Provider
from proxy.errors import Failure, TokenRequestError
from proxy.idp.login import CodeLogin, DeviceLogin, revoke
from proxy.idp.requests import TokenRequests
from proxy.idp.sources import token_requests
from proxy.net.carrier import Carrier
from proxy.oauth.authentication import ClientAuthentication
from proxy.oauth.authorization import AuthorizationRequest
from proxy.oauth.device import DeviceAuthorization
from proxy.oauth.redirect import code_in
from proxy.secret import Secret
from proxy.secrets.references import Direct
from proxy.tokens.token import Token
from tests.support.asking import AT
from tests.support.clock import FakeClock
from tests.support.consent import People
from tests.support.identity_provider import CLIENT, IdentityProvider, Reply

REDIRECT = "https://app.example/seldon-deploy/auth/callback?from=docs"


@dataclass
class Scene:
    provider: IdentityProvider
    people: People
    requests: TokenRequests
    clock: FakeClock

    def by_code(self) -> CodeLogin:
        numbers = itertools.count(1)
        return CodeLogin(self.requests, lambda: f"{next(numbers)}".rjust(43, "x"))

    async def browse(self, asked: AuthorizationRequest) -> str:
        """The query that the browser comes back with."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(asked.url, allow_redirects=False) as answer,
        ):
            return urlsplit(answer.headers["Location"]).query

    async def log_in(self) -> Token:
        login = self.by_code()
        asked = await login.begin(REDIRECT)
        return await login.finish(asked, code_in(await self.browse(asked), asked))

    async def by_device(self, *polls: str | None) -> tuple[Token, float]:
        """A device login with these answers to its polls; the token and the seconds it took."""
        self.people.polls += polls
        login, start = DeviceLogin(self.requests, self.clock), self.clock.monotonic()
        task = asyncio.get_running_loop().create_task(login.finish(await login.begin()))
        while not task.done():
            if self.clock.timers:
                await self.clock.advance(1)
            else:  # a poll is on its way, which takes none of this clock's time
                await asyncio.sleep(0.001)
        return await task, self.clock.monotonic() - start


@asynccontextmanager
async def scene(*, discover: bool = False, **keys: object) -> AsyncIterator[Scene]:
    provider = IdentityProvider()
    people = People(provider)
    async with provider:
        people.announce()
        provider.refresh_lifetime = 0
        clock = FakeClock()
        carrier = Carrier(clock=clock)
        written = Provider(
            token_url=provider.token_url,
            authorize_url=people.authorize_url,
            device_url=people.device_url,
            revocation_url=people.revocation_url,
        )
        credential = Credential(
            "mine",
            AT,
            grant=Grant.AUTHORIZATION_CODE,
            provider=Provider(issuer=provider.issuer) if discover else written,
            client_id=CLIENT[0],
            client_secret=EnvSecret("SECRET", AT),
            client_auth=ClientAuthentication.BASIC,
        )
        credential = replace(credential, **keys)  # type: ignore[arg-type]
        requests = token_requests(
            credential, sender=carrier, secrets=Direct({"SECRET": CLIENT[1]}), clock=clock
        )
        try:
            yield Scene(provider, people, requests, clock)
        finally:
            await carrier.close()


async def refused(login: Callable[[], object]) -> TokenRequestError:
    with pytest.raises(TokenRequestError) as caught:
        await login()  # type: ignore[misc]
    return caught.value


@pytest.mark.parametrize("discover", [False, True])
async def test_a_browser_brings_a_token_and_what_renews_it(discover: bool) -> None:
    async with scene(discover=discover, scope="openid", params={"prompt": "login"}) as run:
        token = await run.log_in()
        (asked,) = run.provider.requests
    assert token.refresh is not None
    assert asked.form["redirect_uri"] == run.people.authorizations[0]["redirect_uri"] == REDIRECT
    assert run.people.authorizations[0]["prompt"] == "login"
    assert asked.authorization is not None


async def test_the_id_token_is_of_this_login() -> None:
    async with scene(scope="openid", use=("id_token",)) as run:
        run.provider.signed = run.provider.id_token = True
        run.provider.lifetime = 1e9
        assert (await run.log_in()).field == "id_token"


async def test_an_id_token_of_another_login_is_not_used() -> None:
    async with scene(scope="openid") as run:
        run.provider.signed = run.provider.id_token = True
        run.provider.lifetime = 1e9
        login = run.by_code()
        asked = await login.begin(REDIRECT)
        code = code_in(await run.browse(asked), asked)
        error = await refused(lambda: login.finish(replace(asked, nonce=Secret("mine")), code))
    assert error.reason == "nonce"


async def test_a_code_works_once_and_says_so() -> None:
    async with scene() as run:
        login = run.by_code()
        asked = await login.begin(REDIRECT)
        code = code_in(await run.browse(asked), asked)
        await login.finish(asked, code)
        error = await refused(lambda: login.finish(asked, code))
    assert error.reason == "code"
    assert "used already or has expired" in str(error)
    assert code.reveal() not in "".join(traceback.format_exception(error))


async def test_a_stolen_code_is_worth_nothing_without_the_verifier() -> None:
    async with scene() as run:
        login = run.by_code()
        asked = await login.begin(REDIRECT)
        code = code_in(await run.browse(asked), asked)
        thief = replace(asked, verifier=Secret("t" * 43))
        assert (await refused(lambda: login.finish(thief, code))).error == "invalid_grant"


async def test_an_issuer_that_promises_to_name_itself_is_held_to_it() -> None:
    async with scene(discover=True) as run:
        run.provider.document["authorization_response_iss_parameter_supported"] = True
        assert (await refused(run.log_in)).reason == "issuer"
        run.people.tampered["iss"] = "https://evil.example"
        assert (await refused(run.log_in)).reason == "issuer"
        run.people.tampered["iss"] = run.provider.issuer
        assert await run.log_in()


async def test_a_provider_without_an_authorization_endpoint_is_told() -> None:
    async with scene(discover=True) as run:
        run.provider.document["authorization_endpoint"] = None
        error = await refused(run.log_in)
    assert "names no authorization_endpoint" in str(error)


async def test_a_web_page_instead_of_a_token_is_told() -> None:
    async with scene() as run:
        run.provider.script.append(Reply(200, "<html>"))
        error = await refused(run.log_in)
    assert "a web page instead of a JSON object" in str(error)


async def test_a_device_polls_until_the_person_consents() -> None:
    async with scene() as run:
        token, seconds = await run.by_device("authorization_pending", "authorization_pending", None)
    assert token.refresh is not None
    assert (run.provider.asked, seconds) == (3, 15)


async def test_a_device_slows_down_when_it_is_told_to() -> None:
    async with scene() as run:
        _, seconds = await run.by_device("slow_down", "authorization_pending", None)
    assert (run.provider.asked, seconds) == (3, 25)


async def test_a_device_survives_an_outage_of_the_provider() -> None:
    async with scene() as run:
        run.provider.script += [Reply(503, b""), Reply(500, close=True)]
        _, seconds = await run.by_device(None)
    assert (run.provider.asked, seconds) == (3, 35)


@pytest.mark.parametrize(
    ("state", "reason"), [("access_denied", "denied"), ("expired_token", "expired_code")]
)
async def test_a_device_is_told_of_the_end(state: str, reason: str) -> None:
    async with scene() as run:
        assert (await refused(lambda: run.by_device(state))).reason == reason
        assert run.provider.asked == 1


async def test_nobody_polls_beyond_the_codes_end() -> None:
    async with scene() as run:
        run.people.device["expires_in"] = 12
        error = await refused(run.by_device)
    assert error.reason == "expired_code"
    assert run.provider.asked == 3


async def test_a_device_does_not_poll_on_when_a_web_page_answers() -> None:
    async with scene() as run:
        run.provider.otherwise = Reply(200, "<html>")
        error = await refused(run.by_device)
    assert error.reason == "unreadable"
    assert run.provider.asked == 1


async def test_what_ends_a_device_login_before_it_begins_is_told() -> None:
    async with scene() as run:
        run.people.device_replies.append(Reply(401, {"error": "unauthorized_client"}))
        login = DeviceLogin(run.requests, run.clock)
        assert (await refused(login.begin)).failure is Failure.TERMINAL
        shown = await login.begin()
    assert isinstance(shown, DeviceAuthorization)


async def test_a_token_is_revoked_where_the_provider_can() -> None:
    async with scene() as run:
        assert await revoke(run.requests, Secret("gone"), "refresh_token")
        assert run.people.revoked == [("gone", "refresh_token")]
        run.people.revocation_replies.append(Reply(503, b""))
        error = await refused(lambda: revoke(run.requests, Secret("canary"), "access_token"))
    assert error.failure is Failure.TRANSIENT
    assert "canary" not in str(error)


async def test_a_provider_without_revocation_is_not_asked() -> None:
    async with scene(discover=True) as run:
        run.provider.document["revocation_endpoint"] = None
        assert not await revoke(run.requests, Secret("stays"), "refresh_token")
