"""requests' sessions at an API that judges the token."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import requests

from proxy.client.authorization import InsecureError
from proxy.client.requests import SidecarAuth
from proxy.errors import CredentialUnavailable
from tests.client.conftest import Scene
from tests.support.identity_provider import Reply

Ask = Callable[..., Awaitable[requests.Response]]


@pytest.fixture
async def ask(scene: Scene) -> AsyncIterator[Ask]:
    """One request."""
    with requests.Session() as session:
        session.trust_env = False
        session.auth = SidecarAuth(scene.source())

        async def work(*arguments: Any, **more: Any) -> requests.Response:
            return await asyncio.to_thread(session.request, *arguments, **more)

        yield work


async def test_each_request_carries_the_token(scene: Scene, ask: Ask) -> None:
    for _ in range(3):
        assert (await ask("GET", scene.api.url)).text == "token-1"
    assert scene.provider.asked == 1


@pytest.mark.parametrize("body", [b"body", "body", io.BytesIO(b"body")])
async def test_a_401_is_tried_once_more_with_a_new_token(
    scene: Scene, ask: Ask, body: object
) -> None:
    scene.refused.add("token-1")
    answer = await ask("POST", scene.api.url, data=body)
    assert (answer.status_code, answer.text) == (200, "token-2")
    assert [one.status_code for one in answer.history] == [401]
    assert [seen.body for seen in scene.api.seen] == [b"body"] * 2


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
    # By requests' own rule another port is another origin, another scheme may not be.
    await ask("GET", f"{scene.api.url}/{path}?to={scene.other.url}/there")
    assert [seen.target for seen in scene.other.seen] == ["/there"]
    assert not scene.other.seen[0].all("Authorization")


async def test_the_token_is_taken_off_before_requests_decides(scene: Scene, ask: Ask) -> None:
    target = scene.api.url.replace("127.0.0.1", "localhost").replace("http:", "HTTP:")
    answer = await ask("GET", f"{scene.api.url}/keep?to={target}/there", allow_redirects=False)
    assert "Authorization" not in answer.request.headers


async def test_a_redirect_within_the_origin_carries_it(scene: Scene, ask: Ask) -> None:
    scene.refused.add("token-1")
    answer = await ask("POST", f"{scene.api.url}/move?to=/there", data=b"once")
    assert answer.text == "token-2"
    methods = [(seen.method, seen.target[:6]) for seen in scene.api.seen]
    assert methods == [("POST", "/move?"), ("GET", "/there"), ("GET", "/there")]


async def test_a_401_of_another_origin_rejects_nothing(scene: Scene, ask: Ask) -> None:
    scene.other.answer = scene.judge
    answer = await ask("GET", f"{scene.api.url}/move?to={scene.other.url}/there")
    assert answer.status_code == 401
    assert len(scene.other.seen) == 1
    assert scene.provider.asked == 1


async def test_a_redirect_that_follows_the_second_try_carries_the_new_token(
    scene: Scene, ask: Ask
) -> None:
    judge = scene.judge
    scene.refused.add("token-1")

    def refuse_then_redirect(seen: Any) -> Any:
        refused = "token-1" in "".join(seen.all("Authorization"))
        return judge(seen) if not refused else type(judge(seen))(status=401)

    scene.api.answer = refuse_then_redirect
    answer = await ask("GET", f"{scene.api.url}/move?to=/there")
    assert answer.text == "token-2"
    assert scene.tokens == ["Bearer token-1", "Bearer token-2", "Bearer token-2"]
    scene.api.seen.clear()
    await ask("GET", f"{scene.api.url}/move?to={scene.other.url}/there")
    assert not scene.other.seen[0].all("Authorization")


async def test_a_body_that_flows_is_not_sent_twice(scene: Scene, ask: Ask) -> None:
    scene.refused.add("token-1")

    def body() -> Iterator[bytes]:
        yield b"flowing"

    assert (await ask("POST", scene.api.url, data=body())).status_code == 401
    assert (await ask("POST", scene.api.url, data=body())).text == "token-2"
    assert [seen.body for seen in scene.api.seen] == [b"flowing"] * 2


async def test_a_provider_that_is_down_is_told_by_our_own_exception(scene: Scene, ask: Ask) -> None:
    scene.provider.otherwise = Reply(503, headers={"Retry-After": "60"})
    with pytest.raises(CredentialUnavailable, match="503"):
        await ask("GET", scene.api.url)


async def test_no_token_goes_readable_over_a_network(ask: Ask) -> None:
    with pytest.raises(InsecureError, match=r"api\.example: use https"):
        await ask("GET", "http://api.example/")
