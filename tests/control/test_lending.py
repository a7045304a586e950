"""Tokens by the control plane: who gets one, who does not, and what becomes of a refusal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import pytest

from proxy.control import application
from proxy.control.lending import Lendable, Lendables
from proxy.errors import Failure, TokenRequestError
from proxy.plane.guard import Guard
from proxy.plane.hosting import Hosted
from proxy.plane.settings import Address
from proxy.runtime.sockets import bind
from proxy.tokens.policy import RenewalPolicy
from tests.control.conftest import Control, fail
from tests.support.world import World

T = TypeVar("T")
MARK = {"X-Token-Sidecar": "1"}
NOTEBOOK = {**MARK, "X-Token-Sidecar-Key": "notebook-key"}


@pytest.fixture
async def world(control: Control) -> AsyncIterator[World]:
    async with World() as world:
        credential = world.credential(RenewalPolicy(min_interval=10.0))
        lendable = Lendable(credential, "identity of api", frozenset({"notebook"}))
        control.lendables = Lendables({"api": lendable}, hold=10.0)
        credential.start()
        await world.clock.advance(0)
        yield world


def place(control: Control, what: str = "token", name: str = "api") -> str:
    return f"{control.admin}/v1/credentials/{name}/{what}"


async def moving(world: World, work: Coroutine[Any, Any, T]) -> T:
    """The result of work that waits for sockets and for the clock."""
    task = world.task(work)
    while not task.done():
        await world.clock.advance(0.01)
        await asyncio.sleep(0.001)  # for the sockets; the clock moves ten times as fast
    return task.result()


@pytest.mark.usefixtures("world")
async def test_a_listed_client_gets_the_token_by_its_key(
    control: Control, client: aiohttp.ClientSession
) -> None:
    answer = await client.get(place(control), headers=NOTEBOOK)
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    said = await answer.json()
    assert said == {
        "credential": "api",
        "token": said["token"],
        "field": "access_token",
        "generation": 1,
        "cookie": False,
        "expires_in": 300.0,
    }
    assert said["token"]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"X-Token-Sidecar-Key": "notebook-key"}, 403),
        ({**MARK}, 403),
        ({**MARK, "X-Token-Sidecar-Key": "wrong"}, 403),
        ({**MARK, "X-Token-Sidecar-Key": "batch-key"}, 403),
        ({**MARK, "Authorization": "Bearer batch-key"}, 403),
        ({**NOTEBOOK, "Origin": "https://evil.example"}, 403),
        ({**NOTEBOOK, "Origin": "null"}, 403),
        ({**NOTEBOOK, "Sec-Fetch-Site": "cross-site"}, 403),
        ({**NOTEBOOK, "Host": "rebound.example"}, 421),
        ({**NOTEBOOK, "X-Token-Sidecar": "2"}, 403),
    ],
)
async def test_nobody_else_does(
    control: Control,
    world: World,
    client: aiohttp.ClientSession,
    method: str,
    headers: dict[str, str],
    status: int,
) -> None:
    what = "token" if method == "GET" else "refresh"
    answer = await client.request(method, place(control, what), headers=headers)
    assert answer.status == status
    assert "token" not in await answer.json(content_type=None)
    assert len(world.provider.asked) == 1


@pytest.mark.usefixtures("world")
async def test_a_preflight_is_answered_without_leave(
    control: Control, client: aiohttp.ClientSession
) -> None:
    headers = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "x-token-sidecar",
    }
    answer = await client.options(place(control), headers=headers)
    assert answer.status >= 400
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.usefixtures("world")
async def test_a_client_cannot_tell_which_names_there_are(
    control: Control, client: aiohttp.ClientSession
) -> None:
    headers = {**MARK, "X-Token-Sidecar-Key": "batch-key"}
    there = await client.get(place(control), headers=headers)
    absent = await client.get(place(control, name="other"), headers=headers)
    assert (there.status, await there.text()) == (absent.status, await absent.text())


@pytest.mark.usefixtures("world")
async def test_another_identity_is_a_conflict(
    control: Control, client: aiohttp.ClientSession
) -> None:
    headers = {**NOTEBOOK, "X-Token-Sidecar-Identity": "identity of api"}
    assert (await client.get(place(control), headers=headers)).status == 200
    headers["X-Token-Sidecar-Identity"] = "another"
    answer = await client.get(place(control), headers=headers)
    assert answer.status == 409
    assert "reload" in await answer.text()


async def test_a_rejected_token_is_replaced_once(
    control: Control, world: World, client: aiohttp.ClientSession
) -> None:
    first = await (await client.get(place(control), headers=NOTEBOOK)).json()
    body = {"generation": first["generation"]}
    for _ in range(3):
        answer = await moving(
            world, client.post(place(control, "reject"), headers=NOTEBOOK, json=body)
        )
        said = await answer.json()
        assert (answer.status, said["generation"]) == (200, 2)
        assert said["token"] != first["token"]
    assert len(world.provider.asked) == 2


@pytest.mark.parametrize("body", [b"", b"{}", b'{"generation": "1"}', b'{"generation": -1}', b"["])
async def test_a_rejection_without_a_generation_is_refused(
    control: Control, world: World, client: aiohttp.ClientSession, body: bytes
) -> None:
    answer = await client.post(place(control, "reject"), headers=NOTEBOOK, data=body)
    assert answer.status == 400
    assert len(world.provider.asked) == 1


async def test_a_refresh_brings_a_new_token(
    control: Control, world: World, client: aiohttp.ClientSession
) -> None:
    answer = await moving(world, client.post(place(control, "refresh"), headers=NOTEBOOK))
    assert (await answer.json())["generation"] == 2


@pytest.mark.parametrize(("least", "generation"), [(200, 1), (290, 2), (900, 1)])
async def test_a_token_with_too_little_left_is_renewed_where_a_new_one_would_do(
    control: Control,
    world: World,
    client: aiohttp.ClientSession,
    least: int,
    generation: int,
) -> None:
    await world.clock.advance(50)
    answer = await moving(
        world, client.get(place(control), headers=NOTEBOOK, params={"min_ttl": least})
    )
    assert (await answer.json())["generation"] == generation


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("least", ["-1", "nan", "inf", "5m", ""])
async def test_a_min_ttl_that_is_no_number_is_refused(
    control: Control, client: aiohttp.ClientSession, least: str
) -> None:
    answer = await client.get(place(control), headers=NOTEBOOK, params={"min_ttl": least})
    assert answer.status == 400


async def test_a_provider_that_refuses_is_a_502_and_one_that_is_down_a_503(
    control: Control, world: World, client: aiohttp.ClientSession
) -> None:
    refused = TokenRequestError("no", failure=Failure.TERMINAL, reason="invalid_client")
    down = TokenRequestError("late", failure=Failure.TRANSIENT, reason="timeout")
    for failure, status in ((refused, 502), (down, 503)):
        world.provider.script.append(failure)
        answer = await moving(world, client.post(place(control, "refresh"), headers=NOTEBOOK))
        assert answer.status == status
        assert answer.content_type == "application/problem+json"


@pytest.mark.usefixtures("world")
async def test_our_own_user_needs_no_key_over_a_unix_socket(
    control: Control, tmp_path: Path
) -> None:
    address = Address(path=str(tmp_path / "own.sock"))
    async with AsyncExitStack() as stack:
        runner = application.admin(
            control.read, control.count, lambda: Guard(address), fail, control.lending
        )
        hosted = await Hosted.open(runner, bind(address, key="own"))
        stack.push_async_callback(hosted.close)
        connector = aiohttp.UnixConnector(address.path)
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        url = "http://localhost/v1/credentials/api/token"
        assert (await session.get(url)).status == 403
        answer = await session.get(url, headers=MARK)
        assert answer.status == 200
        assert (await session.get(url.replace("api", "other"), headers=MARK)).status == 404
