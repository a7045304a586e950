"""An upstream that remembers what it was sent and answers as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it arrived."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def all(self, name: str) -> list[str]:
        """Every value of a field."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass(slots=True)
class Upstream:
    """Answers 200 with ``hello``, or whatever ``answer`` gives; keeps every request."""

    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    answer: Callable[[Seen], web.Response] = field(default=lambda _seen: web.Response(text="hello"))
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """Closed by a test that wants answers to wait; open at first."""

    async def handle(self, request: web.Request) -> web.Response:
        """Remember, wait for the gate, answer."""
        seen = Seen(
            request.method, request.raw_path, tuple(request.headers.items()), await request.read()
        )
        self.seen.append(seen)
        await self.gate.wait()
        return self.answer(seen)


@asynccontextmanager
async def upstream() -> AsyncIterator[Upstream]:
    """An upstream on a free port of this machine."""
    serving = Upstream()
    serving.gate.set()
    application = web.Application(client_max_size=0)
    application.router.add_route("*", "/{tail:.*}", serving.handle)
    async with TestServer(application) as server:
        serving.url = str(server.make_url("")).rstrip("/")
        yield serving
