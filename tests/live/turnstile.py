"""A relay before a token endpoint that knows which refresh tokens were used up, and can withhold.

It knows nothing of the sidecar. A request counts as seen by the provider once it was sent on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import aiohttp
from aiohttp import web

from tests.support.process import free_port, until

SETTLED = 0.05
"""Seconds in which we notice that who had to wait is gone."""

KEPT = ("Authorization", "Content-Type", "Host")


@dataclass(slots=True)
class Stage:
    """Somewhere on the way: whoever comes here tells it, and waits until it may go on."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.open.set()

    def close(self) -> None:
        """Whoever comes from now on waits here."""
        self.reached.clear()
        self.open.clear()

    async def __call__(self) -> bool:
        """Come here; whether one had to wait."""
        self.reached.set()
        waits = not self.open.is_set()
        await self.open.wait()
        return waits


@dataclass(slots=True)
class Turnstile:
    """Listens on ``port`` for a provider on ``behind``.

    Attributes:
        used: refresh token → how often the provider was shown it.
        refused: the provider's ``error`` → how often it said so.
        before, after: a request that the provider has not seen; an answer that nobody else has.
        half: of the next answers only half is delivered; ``halved``: one was.
    """

    port: int
    behind: str
    used: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    before: Stage = field(default_factory=Stage)
    after: Stage = field(default_factory=Stage)
    half: bool = False
    halved: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """Where clients ask."""
        return f"http://127.0.0.1:{self.port}"

    def open(self) -> None:
        """Nothing is withheld any more."""
        self.half = False
        self.halved.clear()
        self.before.open.set()
        self.after.open.set()

    async def relay(self, request: web.Request) -> web.StreamResponse:
        """One token request, unless who asked is gone before it is sent on."""
        body = await request.read()
        if await self.before():
            await asyncio.sleep(SETTLED)
        if gone(request):
            return web.Response(status=502)
        self.used.update(parse_qs(body.decode()).get("refresh_token", []))
        status, told = await self._ask(request, body)
        await self.after()
        if not self.half:
            return web.Response(status=status, body=told, content_type="application/json")
        return await self._broken(request, told)

    async def _broken(self, request: web.Request, told: bytes) -> web.StreamResponse:
        """Half an answer, and no more of it until who asked is gone."""
        response = web.StreamResponse(headers={"Content-Length": str(len(told))})
        await response.prepare(request)
        await response.write(told[: len(told) // 2])
        self.halved.set()

        async def deserted() -> bool:
            return gone(request)

        await until(deserted, deadline=30, what="that who asked is gone")
        return response

    async def _ask(self, request: web.Request, body: bytes) -> tuple[int, bytes]:
        headers = {name: request.headers[name] for name in KEPT if name in request.headers}
        url = self.behind + request.raw_path
        async with (
            aiohttp.ClientSession() as http,
            http.post(url, data=body, headers=headers) as answer,
        ):
            if answer.status != 200:
                self.refused[str((await answer.json()).get("error"))] += 1
            return answer.status, await answer.read()


def gone(request: web.Request) -> bool:
    """Whether nobody is there any more for the answer."""
    return request.transport is None or request.transport.is_closing()


@contextlib.asynccontextmanager
async def turnstile(behind: str) -> AsyncIterator[Turnstile]:
    """One on a free port, until the block ends."""
    relay = Turnstile(free_port(), behind)
    application = web.Application(handler_args={"handler_cancellation": False})
    application.router.add_post("/{rest:.*}", relay.relay)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", relay.port).start()
    try:
        yield relay
    finally:
        relay.open()
        await runner.cleanup()
