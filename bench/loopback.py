"""The other side of every bench, a program of its own: ``python -m bench.loopback PORT``.

A provider (any path that ends in ``/token``) and an upstream: ``GET /N`` answers N bytes, a POST
is read to its end and its length told; ``/slow`` reads it slowly. HTTP/1.1 as far as a bench needs.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from asyncio import StreamReader, StreamWriter

from bench.slowness import CHUNK, slowly

TOKEN = {"access_token": "a-token-for-a-bench", "token_type": "Bearer", "expires_in": 3600}


async def converse(reader: StreamReader, writer: StreamWriter) -> None:
    """Answer one connection's requests in turn."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            await answer(head, reader, writer)
    writer.close()


async def answer(head: bytes, reader: StreamReader, writer: StreamWriter) -> None:
    """Read one request's body and answer it."""
    target = head.split(b" ", 2)[1]
    received = await receive(reader, length_of(head), slow=target == b"/slow")
    if target.endswith(b"/token"):
        await whole(writer, json.dumps(TOKEN).encode())
    elif head.startswith(b"GET") and target[1:].isdigit():
        await many(writer, int(target[1:]))
    else:
        await whole(writer, b"%d" % received)


def length_of(head: bytes) -> int:
    """The Content-Length, 0 without one."""
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


async def receive(reader: StreamReader, length: int, *, slow: bool) -> int:
    """Read a body of this length; how many bytes it was."""
    if slow:
        return await slowly(reader, length)
    left = length
    while left:
        left -= len(await reader.read(min(left, CHUNK)))
    return length


async def whole(writer: StreamWriter, body: bytes) -> None:
    """A small JSON answer."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    writer.write(head % len(body) + body)
    await writer.drain()


async def many(writer: StreamWriter, length: int) -> None:
    """An answer of ``length`` bytes, never held whole."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
    writer.write(head + b"Content-Length: %d\r\n\r\n" % length)
    await send(writer, length)


async def send(writer: StreamWriter, length: int) -> None:
    """Write ``length`` bytes, as fast as they are taken."""
    chunk = bytes(CHUNK)
    for start in range(0, length, CHUNK):
        writer.write(chunk[: length - start])
        await writer.drain()


async def main(port: int) -> None:
    """Serve until the process is ended."""
    server = await asyncio.start_server(converse, "127.0.0.1", port, limit=CHUNK)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
