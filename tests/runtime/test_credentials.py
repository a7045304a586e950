from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from proxy.clock import Clock, SystemClock
from proxy.config import model
from proxy.oauth.authentication import ClientAuthentication
from proxy.oauth.exchange import TOKEN_EXCHANGE
from proxy.runtime.credentials import PATIENCE, Credentials
from proxy.runtime.tls import TlsContexts
from proxy.secret import Secret
from proxy.stores.memory import MemoryStore
from proxy.tokens.event import Event
from tests.support.clock import FakeClock
from tests.support.identity_provider import CLIENT, IdentityProvider
from tests.support.process import until

HERE = model.Position("c.yaml", 1, 1)


def static(name: str, value: str = "token") -> model.Credential:
    """A credential that needs no provider."""
    return model.Credential(
        name, HERE, grant=model.Grant.STATIC, token=model.PlainSecret(Secret(value), HERE)
    )


def held(events: list[Event] | None = None, clock: Clock | None = None) -> Credentials:
    log = (lambda _: None) if events is None else events.append
    return Credentials(environ={}, clock=clock or SystemClock(), contexts=TlsContexts(), log=log)


def at(provider: IdentityProvider, **keys: Any) -> model.Credential:
    """A credential of this provider."""
    return model.Credential(
        "a",
        HERE,
        provider=model.Provider(token_url=provider.token_url),
        client_id=CLIENT[0],
        client_secret=model.PlainSecret(Secret(CLIENT[1]), HERE),
        client_auth=ClientAuthentication.POST,
        **keys,
    )


async def test_an_unchanged_credential_is_kept_with_its_token() -> None:
    credentials = held()
    await credentials.adopt(credentials.plan({"a": static("a")}))
    before = credentials.plan({"a": static("a")})["a"].credential
    lease = await before.acquire(1.0)
    await credentials.adopt(credentials.plan({"a": static("a"), "b": static("b")}))
    after = credentials.plan({"a": static("a")})["a"].credential
    assert after is before
    assert (await after.acquire(1.0)).generation == lease.generation
    assert [status.name for status in credentials.statuses()] == ["a", "b"]
    await credentials.close()


@pytest.mark.parametrize(
    "changed",
    [
        static("a", "another"),
        replace(static("a"), required=False),
        replace(static("a"), renew=model.Renew(margin=1.0)),
    ],
)
async def test_a_changed_credential_starts_anew(changed: model.Credential) -> None:
    credentials = held()
    first = credentials.plan({"a": static("a")})
    await credentials.adopt(first)
    assert credentials.plan({"a": changed})["a"].credential is not first["a"].credential
    await credentials.close()


async def test_a_plan_that_is_not_adopted_changes_nothing() -> None:
    credentials = held()
    await credentials.adopt(credentials.plan({"a": static("a")}))
    credentials.plan({"b": static("b")})
    assert [status.name for status in credentials.statuses()] == ["a"]
    await credentials.close()


async def test_one_that_is_gone_is_closed() -> None:
    credentials = held()
    planned = credentials.plan({"a": static("a")})
    await credentials.adopt(planned)
    await credentials.adopt({})
    assert credentials.statuses() == ()


async def test_who_waits_for_one_that_is_replaced_is_served_and_the_change_does_not_wait() -> None:
    async with IdentityProvider() as provider:
        clock = FakeClock()
        credentials = held(clock=clock)
        await credentials.adopt(planned := credentials.plan({"a": at(provider)}))
        waiting = asyncio.create_task(planned["a"].credential.acquire(10.0))
        await asyncio.sleep(0)  # its answer takes longer than that
        await credentials.adopt(again := credentials.plan({"a": at(provider, scope="more")}))
        assert again["a"].credential is not planned["a"].credential
        assert not waiting.done()
        assert (await waiting).value
        await clock.advance(PATIENCE)

        async def gone() -> bool:
            return not credentials._leaving

        await until(gone, what="the end of the first")
        await credentials.close()


async def test_the_end_does_not_wait_for_those_that_are_replaced() -> None:
    credentials = held(clock=FakeClock())
    await credentials.adopt(credentials.plan({"a": static("a")}))
    await credentials.adopt(credentials.plan({"a": static("a", "b")}))
    async with asyncio.timeout(60):
        await credentials.close()
    assert credentials._leaving == {}


async def test_many_replaced_credentials_leave_nothing() -> None:
    clock = FakeClock()
    async with IdentityProvider() as provider:
        credentials = held(clock=clock)
        for number in range(100):
            tls = model.Tls(verify=bool(number % 2))
            one = at(provider, scope=f"s{number}")
            one = replace(one, provider=replace(one.provider or model.Provider(), tls=tls))
            await credentials.adopt(credentials.plan({"a": one}))
        await clock.advance(PATIENCE)

        async def gone() -> bool:
            return not credentials._leaving

        await until(gone, what="the end of the others")
        assert len(credentials._carriers._made) == 1
        store = credentials._store
        assert isinstance(store, MemoryStore)
        assert len(store._entries) <= 1
        await credentials.close()
        assert not credentials._carriers._made


async def test_credentials_of_one_provider_share_what_carries_their_requests() -> None:
    provider = model.Provider(token_url="https://provider.example.com/token")
    one = model.Credential("a", HERE, provider=provider, client_id="x")
    planned = held().plan(
        {
            "a": one,
            "b": replace(one, name="b"),
            "c": replace(one, name="c", provider=replace(provider, tls=model.Tls(verify=False))),
        }
    )
    assert planned["a"].carrier == planned["b"].carrier
    assert planned["a"].carrier != planned["c"].carrier


async def test_a_static_token_that_changed_is_not_taken_from_memory() -> None:
    credentials = held()
    for value in ("before", "after"):
        await credentials.adopt(credentials.plan({"a": static("a", value)}))
        credential = credentials.plan({"a": static("a", value)})["a"].credential
        assert (await credential.acquire(1.0)).value == value.encode()
    await credentials.close()


async def test_an_exchange_starts_anew_when_whom_it_stands_for_changes() -> None:
    exchange = replace(static("x"), subject=model.FromCredential("person"))
    credentials = held()
    before = credentials.plan({"x": exchange, "person": replace(static("person"), username="a")})
    await credentials.adopt(before)
    after = credentials.plan({"x": exchange, "person": replace(static("person"), username="b")})
    assert after["x"].credential is not before["x"].credential
    await credentials.close()


async def test_a_credential_that_borrows_asks_whoever_has_the_name_when_it_renews() -> None:
    async with IdentityProvider() as provider:
        provider.further_grants[TOKEN_EXCHANGE] = lambda _: None
        exchanged = model.Credential(
            "b",
            HERE,
            grant=model.Grant.TOKEN_EXCHANGE,
            provider=model.Provider(token_url=provider.token_url),
            client_id=CLIENT[0],
            client_secret=model.PlainSecret(Secret(CLIENT[1]), HERE),
            client_auth=ClientAuthentication.POST,
            subject=model.FromCredential("a"),
        )
        credentials = held()
        for value in ("first", "second"):
            # It stands before the one it borrows from, which is not there yet when it is made.
            both = {"b": exchanged, "a": static("a", value)}
            await credentials.adopt(planned := credentials.plan(both))
            await planned["b"].credential.refresh(5.0)
        subjects = [one.form["subject_token"] for one in provider.requests]
        await credentials.close()
    assert subjects[0] == "first"
    assert subjects[-1] == "second"
