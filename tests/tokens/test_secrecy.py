"""Nothing that a credential says, shows or raises holds a token or a refresh token."""

from __future__ import annotations

import traceback

import pytest

from proxy.errors import CredentialUnavailable
from proxy.secret import Secret
from proxy.tokens.token import RefreshToken
from tests.support.provider import network
from tests.support.world import World

CANARY = "canary-7f3a"


async def test_events_status_and_reprs_hold_no_secret() -> None:
    async with World() as world:
        world.provider.refresh = lambda number: RefreshToken(Secret(f"{CANARY}-{number}"))
        world.provider.script = [
            world.provider.token(f"{CANARY}-a"),
            world.provider.token(f"{CANARY}-b"),
            network(),
        ]
        credential = await world.filled()
        lease = await world.now(credential.reject(1, 10.0))
        with pytest.raises(CredentialUnavailable) as told:
            await world.now(credential.refresh(10.0))
        shown = [
            repr(world.events),
            repr(lease),
            repr(credential.status()),
            repr(vars(credential)),
            repr(await world.store.load("api")),
            "".join(traceback.format_exception(told.value)),
        ]
        assert len(world.events) == 4
        assert lease is not None
        assert lease.value == f"{CANARY}-b".encode()
    assert CANARY not in "".join(shown)


async def test_a_token_that_is_no_ascii_is_not_quoted_in_the_error_about_it() -> None:
    async with World() as world:
        world.provider.script = [world.provider.token(f"{CANARY}-é")]
        await world.within(5.0, world.credential().acquire(10.0))
        assert [event.kind for event in world.events] == ["token_failed", "token_renewed"]
        assert CANARY not in repr(world.events)


async def test_what_was_odd_about_an_answer_is_told() -> None:
    async with World() as world:
        token = world.provider.token()
        odd = type(token)(
            token.value, token.field, token.received, token.expires, warnings=("no expires_in",)
        )
        world.provider.script = [odd]
        await world.filled()
        first = world.events[0]
        assert (first.kind, first.message) == ("token_odd", "no expires_in")
