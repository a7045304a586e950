"""aiohttp's client at an API that judges the token."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from proxy.client.aiohttp import SidecarMiddleware
from proxy.client.authorization import InsecureError
from proxy.errors import CredentialUnavailable
from tests.client.conftest import Scene
from tests.support.identity_provider import Reply


@pytest.fixture
async def session(scene: Scene) -> AsyncIterator[aiohttp.ClientSession]:
    middleware = SidecarMiddleware(scene.source(), scene.api.url)
    async with aiohttp.ClientSession(middlewares=(middleware,)) as session:
        yield session


async def test_each_request_carries_the_token(scene: Scene, session: aiohttp.ClientSession) -> None:
    for _ in range(3):
        async with session.get(scene.api.url) as answer:
            assert await answer.text() == "token-1"
    assert scene.provider.asked == 1


async def test_a_401_is_tried_once_more_with_a_new_token(
    scene: Scene, session: aiohttp.ClientSession
) -> None:
    scene.refused.add("token-1")
    async with session.post(scene.api.url, json={"a": 1}) as answer:
        assert (answer.status, await answer.text()) == (200, "token-2")
    assert [seen.body for seen in scene.api.seen] == [b'{"a": 1}'] * 2


async def test_the_second_401_is_the_answer(scene: Scene, session: aiohttp.ClientSession) -> None:
    scene.refused.update({"token-1", "token-2"})
    async with session.get(scene.api.url) as answer:
        assert answer.status == 401
    assert scene.tokens == ["Bearer token-1", "Bearer token-2"]


async def test_a_401_is_the_answer_where_no_other_token_comes(
    scene: Scene, session: aiohttp.ClientSession
) -> None:
    await session.get(scene.api.url)
    scene.refused.add("token-1")
    scene.provider.otherwise = Reply(400, {"error": "invalid_client"})
    async with session.get(scene.api.url) as answer:
        assert answer.status == 401
    assert scene.tokens == ["Bearer token-1"] * 2


@pytest.mark.parametrize("path", ["move", "keep"])
async def test_another_origin_never_gets_the_token(
    scene: Scene, session: aiohttp.ClientSession, path: str
) -> None:
    scene.other.answer = scene.judge
    async with session.get(f"{scene.api.url}/{path}?to={scene.other.url}/there") as answer:
        assert answer.status == 401
    await session.get(scene.other.url)
    assert [seen.all("Authorization") for seen in scene.other.seen] == [[], []]
    assert scene.provider.asked == 1


async def test_a_redirect_within_the_origin_carries_it(
    scene: Scene, session: aiohttp.ClientSession
) -> None:
    scene.refused.add("token-1")
    async with session.post(f"{scene.api.url}/move?to=/there", data=b"once") as answer:
        assert await answer.text() == "token-2"
    methods = [(seen.method, seen.target[:6]) for seen in scene.api.seen]
    assert methods == [("POST", "/move?"), ("GET", "/there"), ("GET", "/there")]


async def test_a_body_that_flows_is_not_sent_twice(
    scene: Scene, session: aiohttp.ClientSession
) -> None:
    scene.refused.add("token-1")

    async def body() -> AsyncIterator[bytes]:
        yield b"flowing"

    async with session.post(scene.api.url, data=body()) as answer:
        assert answer.status == 401
    async with session.post(scene.api.url, data=body()) as answer:
        assert await answer.text() == "token-2"
    assert [seen.body for seen in scene.api.seen] == [b"flowing"] * 2


async def test_a_provider_that_is_down_is_told_by_our_own_exception(
    scene: Scene, session: aiohttp.ClientSession
) -> None:
    scene.provider.otherwise = Reply(503, headers={"Retry-After": "60"})
    with pytest.raises(CredentialUnavailable, match="503"):
        await session.get(scene.api.url)


def test_no_token_goes_readable_over_a_network() -> None:
    with pytest.raises(InsecureError, match=r"api\.example: use https"):
        SidecarMiddleware("api", "http://api.example/")
    SidecarMiddleware("api", "http://api.example/", allow_insecure=True)
