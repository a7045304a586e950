"""HTTP around the provider's and the API's rules: requests in, answers out, nothing decided here.

The rules are in ``provider``, ``bearer``, ``model`` and ``chat``.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import BodyPartReader, web

from proxy.demo import chat, model
from proxy.demo.bearer import UnauthorizedError, Verifier
from proxy.demo.provider import Provider

ARROW: Final = "application/vnd.apache.arrow.file"
WORD_PAUSE: Final = 0.06
BLOCK: Final = 256 << 10
LARGEST: Final = 64 << 20

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ProviderServer:
    """The provider's endpoints, and a ledger that the demonstration reads."""

    def __init__(self, provider: Provider, ledger: Callable[[], dict[str, Any]]) -> None:
        self._provider = provider
        self._ledger = ledger

    def application(self, path: str) -> web.Application:
        """Everything below the issuer's ``path``, and ``/ledger``."""
        app = web.Application()
        app.router.add_get(f"{path}/.well-known/openid-configuration", self._metadata)
        app.router.add_get(f"{path}/certs", self._certs)
        app.router.add_post(f"{path}/token", self._token)
        app.router.add_get("/ledger", self._counts)
        return app

    async def _metadata(self, _: web.Request) -> web.Response:
        return web.json_response(self._provider.metadata())

    async def _certs(self, _: web.Request) -> web.Response:
        return web.json_response(self._provider.jwks())

    async def _token(self, request: web.Request) -> web.Response:
        reply = self._provider.token(await request.text(), request.headers.get("Authorization"))
        headers = {"Cache-Control": "no-store"}
        if reply.status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="demo"'
        return web.json_response(reply.body, status=reply.status, headers=headers)

    async def _counts(self, _: web.Request) -> web.Response:
        return web.json_response(self._ledger())


class InferenceServer:
    """The inference API: whatever is asked, first the token is judged.

    Args:
        word_pause: seconds between two words of a completion.
    """

    def __init__(self, verifier: Verifier, word_pause: float = WORD_PAUSE) -> None:
        self._verifier = verifier
        self._word_pause = word_pause

    def application(self) -> web.Application:
        """The vendors' paths; everything on them wants a token."""
        app = web.Application(middlewares=[self._guard], client_max_size=LARGEST)
        app.router.add_post("/v1/api/pipelines/infer/{pipeline}/{name}", self._infer)
        app.router.add_post("/v1/api/models/upload", self._upload)
        app.router.add_post("/openai/v1/chat/completions", self._complete)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            self._verifier.verify(request.headers.getall("Authorization", []))
        except UnauthorizedError as refusal:
            said = "" if refusal.reason == "missing" else ', error="invalid_token"'
            headers = {"WWW-Authenticate": f'Bearer realm="demo"{said}'}
            return web.json_response({"message": str(refusal)}, status=401, headers=headers)
        return await handler(request)

    async def _infer(self, request: web.Request) -> web.Response:
        body, arrow = await request.read(), request.content_type == ARROW
        try:
            answer = model.infer_arrow(body) if arrow else model.infer_records(body)
        except model.UnfitError as error:
            return web.json_response({"message": str(error)}, status=400)
        return web.Response(body=answer, content_type=ARROW if arrow else "application/json")

    async def _upload(self, request: web.Request) -> web.Response:
        """Hashed as it arrives; never held."""
        if request.content_type != "multipart/form-data":
            return web.json_response({"message": "expected multipart/form-data"}, status=400)
        digest, size = hashlib.sha256(), 0
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                return web.json_response({"message": "expected one level of parts"}, status=400)
            while block := await part.read_chunk(BLOCK):
                digest.update(block)
                size += len(block)
        return web.json_response({"bytes": size, "sha256": digest.hexdigest()})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        for event in chat.events():
            await response.write(event)
            await asyncio.sleep(self._word_pause)
        await response.write_eof()
        return response


async def serve(app: web.Application, listener: socket.socket) -> web.AppRunner:
    """Answer on a bound socket."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    return runner
