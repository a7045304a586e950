"""The real fleet's provider and API in one: it counts token requests, and judges what it is sent.

Tokens name the moment when they end; the API takes none that has passed. RFC 6749 section 5.1.
"""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web


class Issuer:
    """Counts, while it serves on ``port``.

    Attributes:
        lifetime: seconds that a token lives.
        asked: when each token request came (``time.monotonic``).
        answers: of the API, by status.
    """

    def __init__(self, lifetime: int) -> None:
        self.lifetime = lifetime
        self.port = 0
        self.asked: list[float] = []
        self.answers: Counter[int] = Counter()
        self._ends: dict[str, float] = {}
        self._numbers = itertools.count(1)

    async def give(self, _request: web.Request) -> web.Response:
        """A token."""
        self.asked.append(time.monotonic())
        token = f"token-{next(self._numbers)}"
        self._ends[token] = time.monotonic() + self.lifetime
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": self.lifetime}
        return web.json_response(answer)

    async def judge(self, request: web.Request) -> web.Response:
        """200 to a token that lives, else 401."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        status = 200 if self._ends.get(token, 0.0) > time.monotonic() else 401
        self.answers[status] += 1
        return web.Response(status=status)


@asynccontextmanager
async def issuer(lifetime: int) -> AsyncIterator[Issuer]:
    """One on a free port, until the block ends."""
    made = Issuer(lifetime)
    application = web.Application()
    application.router.add_post("/token", made.give)
    application.router.add_get("/{rest:.*}", made.judge)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    made.port = runner.addresses[0][1]
    try:
        yield made
    finally:
        await runner.cleanup()
