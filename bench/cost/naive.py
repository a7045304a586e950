"""The obvious aiohttp forwarder, as a floor to compare with: ``naive.py PORT UPSTREAM [CA]``."""

from __future__ import annotations

import ssl
import sys
from collections.abc import AsyncIterator

import aiohttp
import uvloop
from aiohttp import web

STAYS = frozenset({
    "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
    "proxy-authorization", "proxy-authenticate", "host", "authorization", "content-length",
})  # fmt: skip


async def forward(request: web.Request) -> web.StreamResponse:
    """Send the request on, with a fixed token, and its answer back."""
    headers = {k: v for k, v in request.headers.items() if k.lower() not in STAYS}
    headers["Authorization"] = "Bearer abcdefg"
    if request.content_length is not None:
        headers["Content-Length"] = str(request.content_length)
    async with request.app[SESSION].request(
        request.method,
        request.app[UPSTREAM] + request.path_qs,
        headers=headers,
        data=request.content if request.can_read_body else None,
        allow_redirects=False,
    ) as answer:
        kept = {k: v for k, v in answer.headers.items() if k.lower() not in STAYS}
        out = web.StreamResponse(status=answer.status, headers=kept)
        out.content_length = answer.content_length
        await out.prepare(request)
        async for chunk in answer.content.iter_any():
            await out.write(chunk)
        await out.write_eof()
        return out


SESSION = web.AppKey("session", aiohttp.ClientSession)
UPSTREAM = web.AppKey("upstream", str)
CA = web.AppKey("ca", str)


async def session(app: web.Application) -> AsyncIterator[None]:
    """The one client session."""
    tls = ssl.create_default_context(cafile=app[CA]) if app[CA] else True
    app[SESSION] = aiohttp.ClientSession(
        auto_decompress=False,
        connector=aiohttp.TCPConnector(limit=0, ssl=tls),
        read_bufsize=2**18,
    )
    yield
    await app[SESSION].close()


def main(port: int, upstream: str, ca: str = "") -> None:
    """Serve until the process is ended."""
    app = web.Application(client_max_size=0)
    app[UPSTREAM], app[CA] = upstream, ca
    app.cleanup_ctx.append(session)
    app.router.add_route("*", "/{path:.*}", forward)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


if __name__ == "__main__":
    uvloop.install()
    main(int(sys.argv[1]), *sys.argv[2:])
