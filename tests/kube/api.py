"""The API that the pods' programs are after: it takes tokens of one issuer and of nobody else.

The path's first segment is a visitor, with a ledger of its own. Beside it, on loopback, the books:
tests make visitors known there and read what came.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from aiohttp import web

from tests.kube.lab.place import NODE
from tests.live.verified_api import Ledger, VerifiedApi
from tests.support.process import free_port

CHUNK = bytes(256 * 1024)


class Books:
    """The visitors that the API knows, and what they did.

    Args:
        issuer: whose tokens are good.
        keys: the URL of its JWKS.
    """

    def __init__(self, api: VerifiedApi, issuer: str, keys: str) -> None:
        self._api, self._issuer, self._keys = api, issuer, keys
        self._ledgers: dict[str, Ledger] = {}

    async def expect(self, request: web.Request) -> web.Response:
        """A visitor with an empty ledger."""
        visitor = request.match_info["visitor"]
        self._ledgers[visitor] = Ledger(self._issuer)
        await self._api.expect(visitor, self._ledgers[visitor], self._keys)
        return web.Response(status=201)

    async def tell(self, request: web.Request) -> web.Response:
        """One visitor's ledger as JSON."""
        ledger = self._ledgers[request.match_info["visitor"]]
        return web.json_response(told(ledger))


def told(ledger: Ledger) -> dict[str, Any]:
    """Its answers, whose tokens they were for, how many there were, and what was refused."""
    return {
        "answers": {str(status): count for status, count in ledger.answers.items()},
        "clients": sorted({str(claims["azp"]) for claims in ledger.tokens.values()}),
        "tokens": len(ledger.tokens),
        "refused": dict(ledger.refused),
    }


@contextlib.asynccontextmanager
async def serving_api(
    http: aiohttp.ClientSession, issuer: str, keys: str, context: ssl.SSLContext
) -> AsyncIterator[tuple[str, str]]:
    """The URLs of the API, which pods reach over TLS, and of its books, until the block ends."""
    api = VerifiedApi(http)
    books = Books(api, issuer, keys)

    async def stream(request: web.Request) -> web.StreamResponse:
        """As many bytes as are asked for."""
        judged = await api.serve(request)
        if judged.status != 200:
            return judged
        size = int(request.match_info["size"])
        answer = web.StreamResponse(headers={"Content-Length": str(size)})
        await answer.prepare(request)
        for start in range(0, size, len(CHUNK)):
            await answer.write(CHUNK[: size - start])
        return answer

    strict, telling = web.Application(client_max_size=1 << 31), web.Application()
    strict.router.add_get("/{visitor}/bytes/{size:[0-9]+}", stream)
    strict.router.add_route("*", "/{visitor}/{rest:.*}", api.serve)
    telling.router.add_post("/{visitor}", books.expect)
    telling.router.add_get("/{visitor}", books.tell)
    async with contextlib.AsyncExitStack() as stack:
        port, books_port = free_port(), free_port()
        await listen(stack, strict, NODE, port, context)
        await listen(stack, telling, "127.0.0.1", books_port, None)
        yield f"https://{NODE}:{port}", f"http://127.0.0.1:{books_port}"


async def listen(
    stack: contextlib.AsyncExitStack,
    application: web.Application,
    address: str,
    port: int,
    context: ssl.SSLContext | None,
) -> None:
    """Serve an application until the stack is unwound."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, address, port, ssl_context=context, backlog=1024).start()
