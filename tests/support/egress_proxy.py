"""A small egress proxy: CONNECT tunnels and absolute-form forwarding, and what it was asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(slots=True)
class EgressProxy:
    """Connects everybody with ``target``, whatever name was asked for.

    Attributes:
        url: where it listens.
        asked: request line and head of each connection, as they came.
        refuse: a status to answer every request with, instead of doing as asked.
    """

    url: str = ""
    target: tuple[str, int] | None = None
    asked: list[str] = field(default_factory=list)
    refuse: int | None = None

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.asked.append(head.decode())
            if self.refuse is not None:
                writer.write(f"HTTP/1.1 {self.refuse} No\r\nContent-Length: 0\r\n\r\n".encode())
                await writer.drain()
            else:
                await self._join(head, reader, writer)
        writer.close()

    async def _join(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        method, target, _ = head.decode().split(" ", 2)
        far_reader, far_writer = await asyncio.open_connection(*self._place(method, target))
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        else:
            parts = urlsplit(target)
            far_writer.write(head.replace(target.encode(), (parts.path or "/").encode(), 1))
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            far_writer.transport.abort()

    def _place(self, method: str, target: str) -> tuple[str, int]:
        if self.target is not None:
            return self.target
        parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
        return parts.hostname or "", parts.port or 80


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while piece := await reader.read(1 << 16):
            writer.write(piece)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def egress_proxy() -> AsyncIterator[EgressProxy]:
    """A proxy on a free port of this machine."""
    proxy = EgressProxy()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await proxy.handle(reader, writer)
            await writer.wait_closed()
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    proxy.url = f"http://{host}:{port}"
    try:
        yield proxy
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
