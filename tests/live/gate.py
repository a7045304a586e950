"""A relay before Keycloak that counts token requests and can hold them back.

It passes bytes as they are, both ways, and is as gone as Keycloak is when Keycloak is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from asyncio import StreamReader, StreamWriter

TOKEN_REQUEST = re.compile(rb"POST [^ \r\n]*/protocol/openid-connect/token HTTP/1\.1\r\n")
LONGEST_LINE = 512


class Gate:
    """Listens on ``port``; ``asked``: the moment (``time.monotonic``) of each token request."""

    def __init__(self, port: int, keycloak_port: int) -> None:
        self.port = port
        self.asked: list[float] = []
        self._keycloak_port = keycloak_port
        self._open = asyncio.Event()
        self._open.set()
        self._relays: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def base(self) -> str:
        """Keycloak's URL as whoever goes through here sees it, and so its issuer's."""
        return f"http://127.0.0.1:{self.port}/auth"

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def close(self) -> None:
        """Stop listening and cut what is open."""
        if self._server is not None:
            self._server.close()
        for relay in self._relays:
            relay.cancel()
        await asyncio.gather(*self._relays, return_exceptions=True)

    def hold(self) -> None:
        """From now on nothing reaches Keycloak."""
        self._open.clear()

    def release(self) -> None:
        """What was held goes through, in order."""
        self._open.set()

    async def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        relay = asyncio.create_task(self._relay(reader, writer))
        self._relays.add(relay)
        relay.add_done_callback(self._relays.discard)

    async def _relay(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            back, forth = await asyncio.open_connection("127.0.0.1", self._keycloak_port)
        except OSError:
            writer.transport.abort()
            return
        try:
            up = asyncio.create_task(self._upwards(reader, forth))
            down = asyncio.create_task(copy(back, writer))
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            up.cancel()
            down.cancel()
            forth.close()
            writer.close()
            await asyncio.gather(up, down, return_exceptions=True)

    async def _upwards(self, reader: StreamReader, forth: StreamWriter) -> None:
        tail = b""
        while chunk := await reader.read(65536):
            tail = self._count(tail + chunk)
            await self._open.wait()
            forth.write(chunk)
            await forth.drain()

    def _count(self, seen: bytes) -> bytes:
        """Count request lines; what is left may be the beginning of one."""
        end = 0
        for line in TOKEN_REQUEST.finditer(seen):
            self.asked.append(time.monotonic())
            end = line.end()
        return seen[end:][-LONGEST_LINE:]


async def copy(reader: StreamReader, writer: StreamWriter) -> None:
    """Pass bytes on until one side ends."""
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
