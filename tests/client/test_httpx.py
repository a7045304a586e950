"""httpx's clients, both of them, at an API that judges the token."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest

from proxy.client.authorization import InsecureError
from proxy.client.httpx import SidecarAuth
from proxy.errors import CredentialUnavailable
from tests.client.conftest import Scene
from tests.support.identity_provider import Reply

Ask = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def auth(scene: Scene) -> SidecarAuth:
    return SidecarAuth(scene.source())


@pytest.fixture(params=["blocking", "async"])
async def ask(request: pytest.FixtureRequest, auth: SidecarAuth) -> AsyncIterator[Ask]:
    """One request by one kind of client."""
    how: dict[str, Any] = {"auth": auth, "trust_env": False, "follow_redirects": True}
    if request.param == "async":
        async with httpx.AsyncClient(**how) as client:
            yield client.request
    else:
        with httpx.Client(**how) as blocking:

            async def work(*arguments: Any, **more: Any) -> httpx.Response:
                return await asyncio.to_thread(blocking.request, *arguments, **more)

            yield work


async def test_each_request_carries_the_token(scene: Scene, ask: Ask) -> None:
    for _ in range(3):
        assert (await ask("GET", scene.api.url)).text == "token-1"
    assert scene.provider.asked == 1


async def test_a_401_is_tried_once_more_with_a_new_token(scene: Scene, ask: Ask) -> None:
    scene.refused.add("token-1")
    answer = await ask("POST", scene.api.url, json={"a": 1})
    assert (answer.status_code, answer.text) == (200, "token-2")
    assert [seen.body for seen in scene.api.seen] == [b'{"a":1}'] * 2


async def test_the_second_401_is_the_answer(scene: Scene, ask: Ask) -> None:
    scene.refused.update({"token-1", "token-2"})
    assert (await ask("GET", scene.api.url)).status_code == 401
    assert scene.tokens == ["Bearer token-1", "Bearer token-2"]


async def test_a_401_is_the_answer_where_no_other_token_comes(scene: Scene, ask: Ask) -> None:
    await ask("GET", scene.api.url)
    scene.refused.add("token-1")
    scene.provider.otherwise = Reply(400, {"error": "invalid_client"})
    assert (await ask("GET", scene.api.url)).status_code == 401
    assert scene.tokens == ["Bearer token-1"] * 2


@pytest.mark.parametrize("path", ["move", "keep"])
async def test_a_redirect_to_another_origin_never_carries_the_token(
    scene: Scene, ask: Ask, path: str
) -> None:
    await ask("GET", f"{scene.api.url}/{path}?to={scene.other.url}/there")
    assert [seen.target for seen in scene.other.seen] == ["/there"]
    assert not scene.other.seen[0].all("Authorization")


async def test_a_401_of_another_origin_rejects_nothing(scene: Scene, ask: Ask) -> None:
    scene.other.answer = scene.judge
    answer = await ask("GET", f"{scene.api.url}/move?to={scene.other.url}/there")
    assert answer.status_code == 401
    assert len(scene.other.seen) == 1
    assert scene.provider.asked == 1


async def test_what_was_redirected_is_not_sent_again_as_a_whole(scene: Scene, ask: Ask) -> None:
    scene.refused.add("token-1")
    answer = await ask("POST", f"{scene.api.url}/move?to=/there", content=b"once")
    assert answer.text == "token-2"
    methods = [(seen.method, seen.target[:6]) for seen in scene.api.seen]
    assert methods == [("POST", "/move?"), ("GET", "/there"), ("GET", "/there")]


async def test_a_provider_that_is_down_is_told_by_our_own_exception(scene: Scene, ask: Ask) -> None:
    scene.provider.otherwise = Reply(503, headers={"Retry-After": "60"})
    with pytest.raises(CredentialUnavailable, match="503"):
        await ask("GET", scene.api.url)


async def test_a_body_that_flows_is_not_sent_twice(scene: Scene, auth: SidecarAuth) -> None:
    scene.refused.add("token-1")

    def body() -> Iterator[bytes]:
        yield b"flowing"

    with httpx.Client(auth=auth, trust_env=False) as client:
        answer = await asyncio.to_thread(client.post, scene.api.url, content=body())
        assert answer.status_code == 401
        again = await asyncio.to_thread(client.post, scene.api.url, content=body())
    assert again.text == "token-2"
    assert [seen.body for seen in scene.api.seen] == [b"flowing"] * 2


async def test_another_scheme_or_none_is_sent_where_an_api_wants_it(scene: Scene) -> None:
    auth = SidecarAuth(scene.source(), scheme="")
    async with httpx.AsyncClient(auth=auth, trust_env=False) as client:
        await client.get(scene.api.url)
    assert scene.tokens == ["token-1"]


async def test_no_token_goes_readable_over_a_network(auth: SidecarAuth) -> None:
    async with httpx.AsyncClient(auth=auth, trust_env=False) as client:
        with pytest.raises(InsecureError, match=r"api\.example: use https"):
            await client.get("http://api.example/")
