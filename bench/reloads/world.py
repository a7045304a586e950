"""The provider and the upstream of the reloads, one program: ``python -m bench.reloads.world``.

The upstream believes in a token only if it was issued for the credential that its path names, and
in a body only if every byte is what the request's field says. It answers in pieces, slowly.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from asyncio import StreamReader, StreamWriter
from typing import Any
from urllib.parse import parse_qs

from bench.reloads.exchange import FIELD, PACE, PIECE, Plan
from bench.soak.bodies import Check
from bench.soak.orders import obey
from bench.soak.requests import Head, incoming, read_head

LIFETIME = 60
IDLE = 3
"""Seconds after which an idle connection is closed, and what the answers say of it."""


class World:
    """Issues tokens and answers requests that carry them.

    Attributes:
        wrong: what must never be.
    """

    def __init__(self) -> None:
        self.ports: dict[str, int] = {}
        self.asked = 0
        self.served = 0
        self.wrong: list[str] = []

    async def start(self) -> None:
        """Open both doors."""
        for name, door in (("provider", self._provide), ("upstream", self._serve)):
            server = await asyncio.start_server(door, "127.0.0.1", 0)
            self.ports[name] = server.sockets[0].getsockname()[1]

    def act(self, _: dict[str, Any]) -> object:
        """Tell what there was."""
        return {"asked": self.asked, "served": self.served, "wrong": self.wrong}

    async def _provide(self, reader: StreamReader, writer: StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await read_head(reader)
            body = b"".join([piece async for piece in incoming(reader, head)])
            form = parse_qs(body.decode())
            self.asked += 1
            token = f"{form['client_id'][0]}.{form.get('scope', ['none'])[0]}.{self.asked}"
            said = json.dumps(
                {"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME}
            ).encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                b"Content-Length: %d\r\n\r\n%b" % (len(said), said)
            )
            await writer.drain()
        writer.close()

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            while True:
                async with asyncio.timeout(IDLE):
                    head = await read_head(reader)
                await self._answer(head, reader, writer)
        writer.close()

    async def _answer(self, head: Head, reader: StreamReader, writer: StreamWriter) -> None:
        credential = head.target.split("/")[2]
        token = head.one("Authorization").removeprefix("Bearer ")
        plan = Plan.decode(head.one(FIELD))
        check = Check(plan.upload)
        async for piece in incoming(reader, head):
            check.feed(piece)
        if token.split(".")[0] != credential:
            self.wrong.append(f"{head.target}: the token {token!r}")
        if fault := check.end():
            self.wrong.append(f"{head.target}: {fault}")
        self.served += 1
        writer.write(
            f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Target: {head.target}\r\n"
            f"Keep-Alive: timeout={IDLE}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )
        for piece in plan.download.pieces(step=PIECE):
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
            await asyncio.sleep(PACE * plan.slow)
        writer.write(b"0\r\n\r\n")
        await writer.drain()


async def main() -> None:
    """Serve until the orders end."""
    world = World()
    await world.start()
    await obey(world.act, world.ports)


if __name__ == "__main__":
    asyncio.run(main())
