"""What the rehearsal's sidecars stand before: provider and API in one, which remember what came.

A POST is answered with the digest of its body, ``/stream`` with events one by one, anything else
with two bytes.
"""

from __future__ import annotations

import asyncio
import collections
import hashlib
import json
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from bench.soak.requests import Head, incoming, read_head

TOKEN = "a-token-for-a-rehearsal"
EVENTS, APART = 12, 0.1
"""An answer that takes longer than endpoints need to be removed."""


class Upstream:
    """Attributes: ``posts``: how often each came; ``strangers``: requests without the token."""

    def __init__(self) -> None:
        self.posts: collections.Counter[str] = collections.Counter()
        self.strangers = 0

    async def converse(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Answer one connection's requests in turn."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await self._answer(await read_head(reader), reader, writer)
        writer.close()

    async def _answer(self, head: Head, reader: StreamReader, writer: StreamWriter) -> None:
        digest = hashlib.sha256()
        async for piece in incoming(reader, head):
            digest.update(piece)
        if head.target == "/token":
            writer.write(_whole(_token(), "application/json"))
            return
        if head.one("Authorization") != f"Bearer {TOKEN}":
            self.strangers += 1
        if head.start.startswith("POST"):
            self.posts[head.target] += 1
            writer.write(_whole(digest.hexdigest().encode()))
        elif head.target == "/stream":
            await _stream(writer)
        else:
            writer.write(_whole(b"ok"))


async def _stream(writer: StreamWriter) -> None:
    writer.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    for number in range(EVENTS):
        event = b"data: %d\n\n" % number
        writer.write(b"%x\r\n%b\r\n" % (len(event), event))
        await writer.drain()
        await asyncio.sleep(APART)
    writer.write(b"0\r\n\r\n")


def _whole(body: bytes, kind: str = "text/plain") -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _token() -> bytes:
    return json.dumps({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 60}).encode()


@asynccontextmanager
async def upstream() -> AsyncIterator[tuple[Upstream, int]]:
    """It, and its port."""
    serving = Upstream()
    server = await asyncio.start_server(serving.converse, "127.0.0.1", 0)
    yield serving, server.sockets[0].getsockname()[1]
    server.close()
