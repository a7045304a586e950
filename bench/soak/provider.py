"""The soak's identity provider, a program: ``python -m bench.soak.provider``.

Two doors: at ``calm`` nothing ever goes wrong, at ``shaky`` it fails as it is told, for a while.
It counts the requests of each credential, and how many of one were under way together.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from asyncio import StreamReader, StreamWriter
from collections import Counter
from typing import Any
from urllib.parse import parse_qs

from bench.soak.orders import obey
from bench.soak.tokens import LIFETIME, Claims, mint

SLOW = 1.5
"""Seconds that a slow answer takes."""


class Provider:
    """Issues tokens of 4 s, each with a number of its own."""

    def __init__(self) -> None:
        self.ports: dict[str, int] = {}
        self._asked: Counter[str] = Counter()
        self._answered: Counter[str] = Counter()
        self._under_way: Counter[str] = Counter()
        self._busiest: dict[str, int] = {}
        self._shaky: asyncio.Server | None = None
        self._open: set[StreamWriter] = set()
        self._mode, self._until = "", 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Open both doors."""
        calm = await asyncio.start_server(self._calm, "127.0.0.1", 0)
        self._shaky = await asyncio.start_server(self._troubled, "127.0.0.1", 0)
        for name, server in (("calm", calm), ("shaky", self._shaky)):
            self.ports[name] = server.sockets[0].getsockname()[1]

    def act(self, order: dict[str, Any]) -> object:
        """Be in trouble for some seconds, or tell what there was."""
        if order["do"] == "trouble":
            self._mode, seconds = order["mode"], order["seconds"]
            self._until = time.monotonic() + seconds
            task = asyncio.get_running_loop().create_task(self._trouble(self._mode, seconds))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return {}
        return {"asked": self._asked, "answered": self._answered, "busiest": self._busiest}

    async def _trouble(self, mode: str, seconds: float) -> None:
        """A closed door; and whatever hung is cut at the end."""
        if mode == "refuse" and self._shaky is not None:
            self._shaky.close()
            self._cut()
        await asyncio.sleep(seconds)
        if mode == "refuse":
            port = self.ports["shaky"]
            self._shaky = await asyncio.start_server(self._troubled, "127.0.0.1", port)
        if mode == "hang":
            self._cut()

    def _cut(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _calm(self, reader: StreamReader, writer: StreamWriter) -> None:
        await self._converse(reader, writer, troubled=False)

    async def _troubled(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._open.add(writer)
        try:
            await self._converse(reader, writer, troubled=True)
        finally:
            self._open.discard(writer)

    async def _converse(
        self, reader: StreamReader, writer: StreamWriter, *, troubled: bool
    ) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
                form = parse_qs((await reader.readexactly(length)).decode())
                client, scope = form["client_id"][0], form.get("scope", [""])[0]
                await self._one(f"{client} {scope}".strip(), client, reader, writer, troubled)
        writer.close()

    async def _one(
        self,
        credential: str,
        client: str,
        reader: StreamReader,
        writer: StreamWriter,
        troubled: bool,
    ) -> None:
        self._asked[credential] += 1
        self._under_way[credential] += 1
        under_way = self._under_way[credential]
        self._busiest[credential] = max(self._busiest.get(credential, 0), under_way)
        mode = self._mode if troubled and time.monotonic() < self._until else ""
        self._answered[mode or "token"] += 1
        try:
            if mode in {"hang", "slow"}:
                await self._dawdle(reader, None if mode == "hang" else SLOW)
            if mode == "reset":
                writer.transport.abort()
            writer.write(self._failure(mode) or self._token(client))
        finally:
            # before the answer can be read, or the next request might seem to be beside this one
            self._under_way[credential] -= 1
        await writer.drain()

    async def _dawdle(self, reader: StreamReader, seconds: float | None) -> None:
        """Wait so long, or for ever; it ends at once when the client leaves."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                raise asyncio.IncompleteReadError(await reader.read(1), None)

    def _failure(self, mode: str) -> bytes:
        if mode == "5xx":
            return _answer("500 Internal Server Error", b"<html>out of order</html>")
        if mode == "garbage":
            return _answer("200 OK", b'{"access_token": ')
        if mode in {"429", "429 for long"}:
            wait = 1 if mode == "429" else max(1, round(self._until - time.monotonic()))
            return _answer("429 Too Many Requests", b"{}", f"Retry-After: {wait}\r\n")
        return b""

    def _token(self, client: str) -> bytes:
        number = sum(self._asked.values())
        claims = Claims(client, number, time.time() + LIFETIME)
        token = mint(claims, opaque=client == "shaky")
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME}
        return _answer("200 OK", json.dumps(answer).encode())


def _answer(status: str, body: bytes, fields: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{fields}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def main() -> None:
    """Serve until the orders end."""
    provider = Provider()
    await provider.start()
    await obey(provider.act, provider.ports)


if __name__ == "__main__":
    asyncio.run(main())
