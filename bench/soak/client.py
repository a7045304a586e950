"""The soak's clients: each asks over and over, reads raw bytes and says how a request ended.

An outcome is ``ok``, a status, ``cut`` (the connection ended before the answer did), ``left`` (the
client did), or what is wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import time
from asyncio import IncompleteReadError, StreamReader, StreamWriter
from collections.abc import Iterator

from bench.soak.bodies import TYPES, Check
from bench.soak.plan import FIELD, Plan, draw
from bench.soak.requests import Head, incoming, read_head
from bench.soak.tally import Tally

LONGEST = 60.0
"""Seconds after which a request counts as lost."""
READ_AHEAD = 1 << 17
THINKING = 0.4
"""Seconds between two requests of a client, at most."""
HEAVY_TOGETHER = 3
PATIENCE = 2.0
"""Seconds for which a client waits for a 100."""


class LeftError(Exception):
    """The client has gone, as planned."""


class Client:
    """One of them, with a connection that it keeps as long as it may."""

    def __init__(
        self, port: int, numbers: Iterator[int], heavy: asyncio.Semaphore, tally: Tally, seed: int
    ) -> None:
        self._port = port
        self._numbers = numbers
        self._heavy = heavy
        self._tally = tally
        self._chance = random.Random(seed)
        self._connection: tuple[StreamReader, StreamWriter] | None = None

    async def run(self, until: float) -> None:
        """Ask until that moment."""
        while time.monotonic() < until:
            plan = draw(self._chance, next(self._numbers))
            async with self._heavy if plan.heavy else contextlib.nullcontext():
                begun = time.monotonic()
                self._tally.enter(plan, await self._ask(plan), begun)
            await asyncio.sleep(self._chance.uniform(0, THINKING))
        self._close()

    async def _ask(self, plan: Plan) -> str:
        try:
            reader, writer = await self._connect()
        except OSError as error:
            return f"lost: {error}"
        go = asyncio.Event()
        sender = asyncio.create_task(send(plan, writer, go))
        outcome, alive = "", False
        try:
            async with asyncio.timeout(LONGEST):
                outcome, alive = await receive(plan, reader, go)
                if alive:
                    await sender
        except (IncompleteReadError, ConnectionError):
            outcome = outcome or ("cut" if plan.leave == "never" else "left")
        except LeftError:
            outcome = "left"
        except (ValueError, IndexError) as error:
            outcome = f"corrupt: {error}"
        except TimeoutError:
            outcome = "lost: no end of it"
        if not alive or not sender.done():
            self._close()
        sender.cancel()
        await asyncio.gather(sender, return_exceptions=True)
        return outcome

    async def _connect(self) -> tuple[StreamReader, StreamWriter]:
        if self._connection is None:
            opened = asyncio.open_connection("127.0.0.1", self._port, limit=READ_AHEAD)
            self._connection = await opened
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection[1].transport.abort()
            self._connection = None


async def send(plan: Plan, writer: StreamWriter, go: asyncio.Event) -> None:
    """The request, or as much of it as the client stays for."""
    writer.write(request_head(plan))
    if plan.expects:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await go.wait()
    end = plan.at if plan.leave == "sending" else None
    for piece in plan.upload.pieces(end):
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if plan.chunked else piece)
        await writer.drain()
    if plan.leave in {"sending", "waiting"}:
        await asyncio.sleep(0.02)
        writer.transport.abort()
    elif plan.chunked:
        writer.write(b"0\r\n\r\n")
    await writer.drain()


def request_head(plan: Plan) -> bytes:
    """The head, with the whole plan in it."""
    lines = [f"{plan.method} {plan.target} HTTP/1.{plan.minor}", "Host: localhost"]
    lines += [f"{FIELD}: {plan.encode()}", "Authorization: Bearer not-the-right-one"]
    if plan.method != "GET":
        lines.append(f"Content-Type: {TYPES[plan.up[0]]}")
        framing = "Transfer-Encoding: chunked"
        lines.append(framing if plan.chunked else f"Content-Length: {plan.up[1]}")
    lines += ["Expect: 100-continue"] * plan.expects
    lines.append(f"Connection: {'keep-alive' if plan.keep else 'close'}")
    return "\r\n".join([*lines, "", ""]).encode()


async def receive(plan: Plan, reader: StreamReader, go: asyncio.Event) -> tuple[str, bool]:
    """The outcome, and whether the connection lives on; ``go`` is set when a 100 comes."""
    head = await read_head(reader)
    while head.status == 100:
        go.set()
        head = await read_head(reader)
    connection = head.one("Connection").lower()
    alive = plan.keep and connection != "close" and (plan.minor > 0 or connection == "keep-alive")
    if head.status == 200:
        return await good(plan, head, reader), alive
    body = b"".join([piece async for piece in incoming(reader, head, until_close=True)])
    return other(plan, head, body), alive


async def good(plan: Plan, head: Head, reader: StreamReader) -> str:
    """Compare every byte of an answer."""
    if head.one(FIELD) != str(plan.number):
        return f"mixed up: the answer to {head.one(FIELD)}"
    if head.one("Content-Type") != TYPES[plan.down[0]]:
        return f"corrupt: the head {head}"
    check = Check(plan.download)
    async for piece in incoming(reader, head, until_close=True):
        check.feed(piece)
        if plan.leave == "reading" and check.taken >= plan.at:
            raise LeftError
    return check.end() or "ok"


def other(plan: Plan, head: Head, body: bytes) -> str:
    """An answer that is no 200: the upstream's 401, or a problem in the sidecar's own name."""
    if head.status == 401:
        return "401" if head.one(FIELD) == str(plan.number) else "mixed up: another's 401"
    ours = head.one("Proxy-Status").startswith("token-sidecar; error=")
    if not ours or json.loads(body)["status"] != head.status:
        return f"corrupt: {head} {body!r}"
    if head.status == 503 and not head.one("Retry-After").isdigit():
        return f"503: without Retry-After {head}"
    return str(head.status)


async def crowd(
    port: int, count: int, seconds: float, numbers: itertools.count[int], tally: Tally, seed: int
) -> None:
    """So many clients for so long."""
    heavy, until = asyncio.Semaphore(HEAVY_TOGETHER), time.monotonic() + seconds
    async with asyncio.TaskGroup() as group:
        for each in range(count):
            client = Client(port, numbers, heavy, tally, seed * 1000 + each)
            group.create_task(client.run(until))
