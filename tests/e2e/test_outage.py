"""A provider that goes away and comes back, seen from both sides of the sidecar."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest
from aiohttp import web

from tests.e2e.conftest import Scene
from tests.support.process import until
from tests.support.upstream import Seen

LIFETIME = 3.0

pytestmark = pytest.mark.parametrize("workers", [1, 2])


async def test_requests_are_served_while_the_token_lives_and_again_once_the_provider_is_back(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    scene.provider.lifetime = LIFETIME
    expired: list[str] = []

    def strict(seen: Seen) -> web.Response:
        number = int(seen.all("Authorization")[0].removeprefix("Bearer token-"))
        if time.time() > scene.provider.requests[number - 1].at + LIFETIME:
            expired.append(seen.target)
        return web.Response()

    async def status() -> int:
        async with client.get(scene.url + "/api/") as answer:
            return answer.status

    async def is_served() -> bool:
        return await status() == 200

    async def is_not_there() -> bool:
        return await status() == 503

    scene.upstream.answer = strict
    async with scene.running(scene.config("hold: 0s")) as sidecar:
        await sidecar.ready()
        await scene.provider.stop()
        assert await status() == 200
        await until(is_not_there, what="503 after the token's end")
        assert (await sidecar.ask("/healthz")).status == 200
        assert (await sidecar.ask("/readyz")).status == 200
        await scene.provider.start()
        began = time.monotonic()
        await until(is_served, what="200 after the provider's return")
        assert time.monotonic() - began < 30.0  # left alone, tries come to be 60 s apart
        assert await sidecar.stop() == 0
    assert expired == []


async def test_tokens_are_renewed_without_any_request(scene: Scene) -> None:
    scene.provider.lifetime = 1.0

    async def renewed() -> bool:
        return scene.provider.asked >= 3

    async with scene.running() as sidecar:
        await sidecar.ready()
        began = time.monotonic()
        await until(renewed, what="three token requests")
        assert scene.provider.asked <= (time.monotonic() - began) / (0.6 * 1.0) + 2 + 1


async def test_a_401_is_answered_with_a_new_token_that_the_client_never_notices(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    def revoked(seen: Seen) -> web.Response:
        return web.Response(status=401 if seen.all("Authorization")[0] == "Bearer token-1" else 200)

    scene.upstream.answer = revoked
    async with scene.running() as sidecar:
        await sidecar.ready()
        answers = await asyncio.gather(
            *(client.post(scene.url + "/api/", data=b"x" * 1000) for _ in range(20))
        )
        assert [answer.status for answer in answers] == [200] * 20
        assert scene.provider.asked == 2
        await sidecar.says("replayed=True")
        assert b"token_sidecar_replays_total" in (await sidecar.ask("/metrics")).body


async def test_the_data_plane_can_be_a_unix_socket(scene: Scene) -> None:
    config = scene.config().replace(f"listen: {scene.data}", "listen: unix:data.sock")
    async with scene.running(config) as sidecar:
        await sidecar.ready()
        path = scene.home / "data.sock"
        assert path.stat().st_mode & 0o777 == 0o600
        connector = aiohttp.UnixConnector(str(path))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get("http://localhost/api/") as answer,
        ):
            assert answer.status == 200
        assert await sidecar.stop() == 0
        assert not path.exists()
