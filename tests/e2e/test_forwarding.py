"""The whole program: what a client sends arrives with a live token on it."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from tests.e2e.conftest import Scene
from tests.support.identity_provider import Reply

pytestmark = pytest.mark.parametrize("workers", [1, 2])


async def test_a_request_goes_out_with_the_token_and_comes_back_untouched(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    scene.upstream.answer = lambda _: web.Response(
        status=207, text="héllo", headers={"X-Own": "kept"}
    )
    async with scene.running() as sidecar:
        await sidecar.ready()
        answer = await client.post(
            URL(scene.url + "/api/infer%2Fx?q=%2A", encoded=True),
            data=b"body",
            headers={"Authorization": "Bearer of the client", "X-Mine": "1"},
        )
        assert (answer.status, await answer.text(), answer.headers["X-Own"]) == (
            207,
            "héllo",
            "kept",
        )
    (seen,) = scene.upstream.seen
    assert (seen.method, seen.target, seen.body) == ("POST", "/v1/infer%2Fx?q=%2A", b"body")
    assert seen.all("Authorization") == ["Bearer token-1"]
    assert seen.all("X-Mine") == ["1"]
    assert scene.provider.asked == 1


async def test_two_hundred_clients_on_a_cold_start_cost_one_token_request(scene: Scene) -> None:
    scene.provider.otherwise = Reply(delay=0.5)
    async with scene.running() as sidecar:
        await sidecar.healthy()

        async def one() -> int:
            async with aiohttp.ClientSession() as own, own.get(scene.url + "/api/") as answer:
                return answer.status

        assert await asyncio.gather(*(one() for _ in range(200))) == [200] * 200
    assert scene.provider.asked == 1


async def test_requests_that_come_before_the_first_token_wait_for_it(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    await scene.provider.stop()
    async with scene.running() as sidecar:
        await sidecar.healthy()
        early = asyncio.create_task(client.get(scene.url + "/api/"))
        await sidecar.says("token_failed")
        await scene.provider.start()
        assert (await early).status == 200
        await sidecar.ready()


async def test_a_token_that_never_comes_is_told_as_a_problem_to_try_again(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    await scene.provider.stop()
    async with scene.running(scene.config("hold: 1s")) as sidecar:
        await sidecar.healthy()
        answer = await client.get(scene.url + "/api/")
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.content_type == "application/problem+json"
        assert answer.headers["Proxy-Status"].startswith("token-sidecar; error=")
        assert (await sidecar.ask("/healthz")).status == 200
        assert (await sidecar.ask("/readyz")).status == 503


async def test_the_log_tells_of_each_request_without_its_query(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    async with scene.running() as sidecar:
        await sidecar.ready()
        await client.get(scene.url + "/api/some/path?secret=canary")
        await sidecar.says("request method=GET route=/api/ status=200")
        assert "canary" not in sidecar.err
        assert "some/path" not in sidecar.err
        assert "credential=api generation=1" in sidecar.err
