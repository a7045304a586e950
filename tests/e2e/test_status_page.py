"""What the real process tells whoever follows its state: live, without a secret, to its end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from tests.e2e.conftest import SECRET, Scene
from tests.support.identity_provider import Reply
from tests.support.process import Sidecar

pytestmark = pytest.mark.parametrize("workers", [1, 2])


class Followed:
    """A stream of events, and all that came of it."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer
        self.seen = ""
        self.name = ""

    async def next(self) -> dict[str, Any] | None:
        """The next event's content; None at the end."""
        async with asyncio.timeout(10):
            async for line in self._answer.content:
                text = line.decode()
                self.seen += text
                if text.startswith("event: "):
                    self.name = text[7:].strip()
                if text.startswith("data: "):
                    found = json.loads(text[6:])
                    assert isinstance(found, dict)
                    return found
        return None


@asynccontextmanager
async def following(sidecar: Sidecar, base: str | None) -> AsyncIterator[Followed]:
    """``/v1/events``; ``base`` None: over the sidecar's own socket."""
    connector = None if base else aiohttp.UnixConnector(str(sidecar.own_socket))
    async with (
        aiohttp.ClientSession(connector=connector, read_bufsize=1 << 20) as session,
        session.get(f"{base or 'http://localhost'}/v1/events") as answer,
    ):
        assert answer.status == 200
        yield Followed(answer)


async def test_requests_show_within_seconds_and_no_secret_ever(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    scene.provider.script = [
        Reply(401, {"error": "invalid_client", "error_description": f"wrong {SECRET} <b>"})
    ]
    scene.provider.lifetime = 2.0
    async with scene.running(scene.config("hold: 10s")) as sidecar:
        await sidecar.healthy()
        async with following(sidecar, f"http://{scene.admin}") as one:
            while "wrong" not in one.seen:
                assert await one.next() is not None
            await refresh(sidecar)
            for _ in range(5):
                async with client.get(scene.url + "/api/x?q=canary-query") as answer:
                    assert answer.status == 200
            counted = 0
            while counted < 5:
                told = await one.next()
                assert told is not None
                counted = sum(told["routes"].get("/api/", {}).get("requests", {}).values())
            page = await sidecar.ask("/")
            shown = one.seen + page.text + repr(page.headers)
        assert scene.provider.issued
        for secret in (SECRET, *scene.provider.issued, "canary-query"):
            assert secret not in shown
        assert "<b>" not in page.text
        assert await sidecar.stop() == 0


async def refresh(sidecar: Sidecar) -> None:
    """Ask for a token now, though the provider refused the first time."""
    own = aiohttp.UnixConnector(str(sidecar.own_socket))
    async with (
        aiohttp.ClientSession(connector=own) as session,
        session.post(
            "http://localhost/v1/credentials/api/refresh", headers={"X-Token-Sidecar": "1"}
        ) as answer,
    ):
        assert answer.status == 200, await answer.text()


@pytest.mark.parametrize("own", [False, True])
async def test_who_follows_sees_the_drain_and_the_end(scene: Scene, own: bool) -> None:
    config = scene.config("drain: {delay: 2s, grace: 1s}")
    async with scene.running(config) as sidecar:
        await sidecar.ready()
        async with following(sidecar, None if own else f"http://{scene.admin}") as one:
            assert await one.next()
            sidecar.send(15)
            while (told := await one.next()) is not None and not told.get("draining"):
                pass
            assert told is not None
            assert told["verdict"]["says"].startswith("It is on its way out")
            while await one.next() is not None:
                pass
            assert one.name == "end"
        assert await sidecar.ended() == 0
