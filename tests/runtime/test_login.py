"""Logins between a scripted person, a provider over sockets, and a store."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from proxy.clock import SystemClock
from proxy.config.model import Credential, EnvSecret, Grant, Provider
from proxy.errors import LoginError, StartError, TokenRequestError
from proxy.idp.login import CodeLogin
from proxy.idp.sources import token_requests
from proxy.net.carrier import Carrier
from proxy.oauth.authentication import ClientAuthentication
from proxy.runtime.browser_login import BrowserLogin
from proxy.runtime.login import keep
from proxy.runtime.logout import end, forgotten
from proxy.secret import Secret
from proxy.secrets.references import Direct
from proxy.stores.memory import MemoryStore
from proxy.tokens.ports import Entry
from proxy.tokens.token import RefreshToken, Token
from tests.support.asking import AT
from tests.support.consent import People
from tests.support.identity_provider import CLIENT, IdentityProvider, Reply
from tests.support.person import ScriptedPerson, browse, redirect_of, sent_with
from tests.support.process import free_port

ELSEWHERE = "https://seldon.example/seldon-deploy/auth/callback"


@dataclass
class Scene:
    provider: IdentityProvider
    people: People
    credential: Credential
    carrier: Carrier
    person: ScriptedPerson = field(default_factory=lambda: ScriptedPerson(browse))

    async def log_in(self, *, paste: bool = False, patience: float = 10.0, **keys: Any) -> Token:
        credential = replace(self.credential, **keys)
        numbers = itertools.count(1)
        login = CodeLogin(self.requests(), lambda: f"{next(numbers)}".rjust(43, "x"))
        return await BrowserLogin(
            credential, login, self.person, paste=paste, patience=patience
        ).token()

    def requests(self) -> Any:
        environ = {"SECRET": CLIENT[1]}
        return token_requests(self.credential, self.carrier, Direct(environ), SystemClock())

    async def refused(self, **keys: Any) -> TokenRequestError:
        with pytest.raises(TokenRequestError) as caught:
            await self.log_in(**keys)
        return caught.value

    async def page(self) -> tuple[int, str]:
        """What the browser ended at."""
        assert self.person.visit is not None
        return await self.person.visit


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with opened() as made:
        yield made


@asynccontextmanager
async def opened() -> AsyncIterator[Scene]:
    provider = IdentityProvider()
    people = People(provider)
    async with provider:
        provider.refresh_lifetime = 0
        carrier = Carrier(clock=SystemClock())
        credential = Credential(
            "mine",
            AT,
            grant=Grant.AUTHORIZATION_CODE,
            provider=Provider(
                token_url=provider.token_url,
                authorize_url=people.authorize_url,
                revocation_url=people.revocation_url,
            ),
            client_id=CLIENT[0],
            client_secret=EnvSecret("SECRET", AT),
            client_auth=ClientAuthentication.POST,
        )
        try:
            yield Scene(provider, people, credential, carrier)
        finally:
            await carrier.close()


async def test_a_browser_on_this_machine_comes_back_by_itself(scene: Scene) -> None:
    token = await scene.log_in()
    assert token.refresh is not None
    status, text = await scene.page()
    assert status == 200
    assert "mine: you are logged in" in text
    ((url, returns),) = scene.person.sent
    assert returns
    assert sent_with(url)["redirect_uri"].startswith("http://127.0.0.1:")
    assert scene.provider.requests[0].form["redirect_uri"] == sent_with(url)["redirect_uri"]


async def test_the_configured_port_is_used(scene: Scene) -> None:
    port = free_port()
    await scene.log_in(redirect_port=port)
    assert sent_with(scene.person.sent[0][0])["redirect_uri"] == f"http://127.0.0.1:{port}/callback"


async def test_a_fixed_place_on_this_machine_is_listened_at(scene: Scene) -> None:
    uri = f"http://localhost:{free_port()}/auth/cb?from=us"
    await scene.log_in(redirect_uri=uri)
    assert sent_with(scene.person.sent[0][0])["redirect_uri"] == uri
    assert scene.provider.requests[0].form["redirect_uri"] == uri
    assert (await scene.page())[0] == 200


async def test_a_fixed_place_elsewhere_is_sent_as_it_is_and_its_answer_pasted(scene: Scene) -> None:
    async def paste(url: str) -> tuple[int, str]:
        await scene.person.pastes.put(await redirect_of(url))
        return 0, ""

    scene.person.then = paste
    await scene.log_in(redirect_uri=ELSEWHERE, paste=True)
    ((url, returns),) = scene.person.sent
    assert not returns
    assert sent_with(url)["redirect_uri"] == ELSEWHERE
    assert scene.provider.requests[0].form["redirect_uri"] == ELSEWHERE


async def test_a_bare_code_may_be_pasted_where_pasting_is_the_way(scene: Scene) -> None:
    async def paste(url: str) -> tuple[int, str]:
        await scene.person.pastes.put(sent_with(await redirect_of(url))["code"])
        return 0, ""

    scene.person.then = paste
    await scene.log_in(paste=True)


async def test_a_browser_elsewhere_can_be_helped_by_pasting_its_address(scene: Scene) -> None:
    async def paste(url: str) -> tuple[int, str]:
        place = await redirect_of(url)
        for line in ("what?", sent_with(place)["code"], place.replace("state=", "state=x"), place):
            await scene.person.pastes.put(line)
        return 0, ""

    scene.person.then = paste
    await scene.log_in()
    assert len(scene.person.complaints) == 3
    assert "whole one" in scene.person.complaints[0]
    assert "state" in scene.person.complaints[2]


async def test_where_nothing_can_be_pasted_the_browser_may_still_come(scene: Scene) -> None:
    async def late(url: str) -> tuple[int, str]:
        await scene.person.pastes.join()
        return await browse(url)

    await scene.person.pastes.put(None)
    scene.person.then = late
    await scene.log_in()


async def test_pasting_that_ends_without_an_answer_ends_the_login(scene: Scene) -> None:
    await scene.person.pastes.put(None)
    with pytest.raises(LoginError, match="before the input ended"):
        await scene.log_in(redirect_uri=ELSEWHERE)


async def test_a_denied_consent_is_told_here_and_in_the_browser(scene: Scene) -> None:
    scene.people.decision = "access_denied"
    error = await scene.refused()
    assert error.reason == "denied"
    status, text = await scene.page()
    assert status == 400
    assert "log in again and accept" in text
    assert scene.provider.asked == 0


async def test_a_code_that_is_not_taken_is_told_in_the_browser_too(scene: Scene) -> None:
    scene.provider.script.append(Reply(400, {"error": "invalid_grant"}))
    assert (await scene.refused()).reason == "code"
    status, text = await scene.page()
    assert status == 400
    assert "has expired" in text
    assert "code-1" not in text


async def test_a_foreign_answer_does_not_end_the_login(scene: Scene) -> None:
    async def attacked(url: str) -> tuple[int, str]:
        place = await redirect_of(url)
        for wrong in (place.replace("state=", "state=x"), place.partition("?")[0]):
            assert (await browse(wrong))[0] == 400
        return await browse(place)

    scene.person.then = attacked
    assert await scene.log_in()
    assert (await scene.page())[0] == 200
    assert scene.provider.asked == 1


async def test_nobody_coming_back_ends_with_what_to_look_at(scene: Scene) -> None:
    scene.person.then = None
    with pytest.raises(LoginError, match=r"within 0\.05 s.*register http://127.0.0.1") as caught:
        await scene.log_in(patience=0.05)
    assert "--timeout" in str(caught.value)


async def test_a_port_that_is_taken_is_told_before_anybody_is_asked(scene: Scene) -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    async with server:
        with pytest.raises(StartError, match="in use"):
            await scene.log_in(redirect_port=server.sockets[0].getsockname()[1])
    assert scene.person.sent == []


async def test_a_login_that_is_cancelled_leaves_nothing_behind(scene: Scene) -> None:
    scene.person.then = None
    task = asyncio.ensure_future(scene.log_in())
    await scene.person.asked.wait()
    place = sent_with(scene.person.sent[0][0])["redirect_uri"]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(OSError, match="Connect"):
        await browse(place)


def held(value: str = "old", generation: int = 4, refresh: str | None = "old-r") -> Entry:
    now = SystemClock().now()
    return Entry(
        token=Token(Secret(value), "access_token", now, now.later(300)),
        generation=generation,
        refresh=None if refresh is None else RefreshToken(Secret(refresh)),
        learned=7.0,
    )


async def test_a_login_replaces_what_was_kept_and_counts_on(scene: Scene) -> None:
    store = MemoryStore()
    await store.save("me", held())
    token = await scene.log_in()
    await keep(store, "me", token)
    entry = await store.load("me")
    assert entry.token == replace(token, refresh=None)
    assert entry.refresh == token.refresh
    assert (entry.generation, entry.rejected, entry.storm_until) == (5, 4, None)


async def test_a_login_without_a_refresh_token_forgets_the_old_one(scene: Scene) -> None:
    scene.provider.refresh_lifetime = None
    store = MemoryStore()
    await store.save("me", held())
    await keep(store, "me", await scene.log_in())
    assert (await store.load("me")).refresh is None


async def test_logging_out_ends_the_refresh_token_first_and_forgets_both(scene: Scene) -> None:
    store = MemoryStore()
    await store.save("me", held())
    done = await end(store, "me", scene.requests())
    assert (done.kept, done.revoked) == (True, ("refresh_token", "access_token"))
    assert scene.people.revoked == [("old-r", "refresh_token"), ("old", "access_token")]
    entry = await store.load("me")
    assert (entry.token, entry.refresh) == (None, None)
    assert (entry.generation, entry.rejected, entry.learned) == (4, 4, 7.0)
    assert not (await end(store, "me", scene.requests())).kept


async def test_what_the_provider_does_not_end_is_forgotten_all_the_same(scene: Scene) -> None:
    scene.people.revocation_replies += [Reply(), Reply(503, b"")]
    store = MemoryStore()
    await store.save("me", held())
    done = await end(store, "me", scene.requests())
    assert done.revoked == ("refresh_token",)
    assert done.failure is not None
    assert (await store.load("me")).refresh is None


async def test_a_provider_without_revocation_is_no_failure() -> None:
    async with opened() as scene:
        provider = replace(scene.credential.provider or Provider(), revocation_url=None)
        scene.credential = replace(scene.credential, provider=provider)
        store = MemoryStore()
        await store.save("me", held())
        done = await end(store, "me", scene.requests())
    assert (done.unsupported, done.failure, done.revoked) == (True, None, ())


async def test_cookies_are_forgotten_without_asking_anybody() -> None:
    store = MemoryStore()
    await store.save("me", held())
    assert (await end(store, "me", None)).unsupported
    assert await store.load("me") == forgotten(held())
