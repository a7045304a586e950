"""The soak's upstream, a program: ``python -m bench.soak.upstream``.

It believes in no token that has ended or that nobody issued, compares every byte it is sent, and
does what each request's plan says. The ledger tells what it processed, and what it found wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from asyncio import StreamReader, StreamWriter
from collections import Counter
from typing import Any

from bench.soak import replies
from bench.soak.bodies import Check
from bench.soak.judge import Judge
from bench.soak.orders import obey
from bench.soak.plan import FIELD, Plan, decode
from bench.soak.requests import Head, incoming, read_head

READ_AHEAD = 1 << 17
MOST_TOLD = 50
SOON = 5.0
"""Seconds in which it must be seen here that the client has left."""
CLOSED_DOOR = "door"


class Upstream:
    """Three doors: ``main``; ``flaky``, whose connections end; ``door``, which is shut at times."""

    def __init__(self) -> None:
        self.ports: dict[str, int] = {}
        self._judge = Judge()
        self._door: asyncio.Server | None = None
        self._behind_the_door: set[StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._heads: Counter[int] = Counter()
        self._processed: Counter[int] = Counter()
        self._wrong: list[str] = []

    async def start(self) -> None:
        """Open the doors."""
        for name in ("main", "flaky", CLOSED_DOOR):
            server = await self._open(name, 0)
            self.ports[name] = server.sockets[0].getsockname()[1]
            self._door = server
        self._spawn(self._judge.lag.watch())

    async def _open(self, name: str, port: int) -> asyncio.Server:
        async def converse(reader: StreamReader, writer: StreamWriter) -> None:
            await self._converse(reader, writer, behind_the_door=name == CLOSED_DOOR)

        return await asyncio.start_server(
            converse, "127.0.0.1", port, limit=READ_AHEAD, backlog=1024
        )

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def act(self, order: dict[str, Any]) -> object:
        """Revoke what was shown, refuse everybody, shut the door, or tell the ledger."""
        if order["do"] == "revoke":
            self._judge.revoke()
        elif order["do"] == "refuse everybody":
            self._judge.refuse_everybody(order["seconds"])
        elif order["do"] == "shut":
            self._spawn(self._shut(order["seconds"]))
        if order["do"] != "tell":
            return {}
        return {
            "heads": list(self._heads.items()),
            "processed": list(self._processed.items()),
            "wrong": self._wrong,
            "excused": self._judge.excused,
            "unauthorized": self._judge.refused,
        }

    async def _shut(self, seconds: float) -> None:
        assert self._door is not None
        self._door.close()
        for writer in list(self._behind_the_door):
            writer.transport.abort()
        await asyncio.sleep(seconds)
        self._door = await self._open(CLOSED_DOOR, self.ports[CLOSED_DOOR])

    def _complain(self, plan: Plan | None, what: str) -> None:
        if len(self._wrong) < MOST_TOLD:
            self._wrong.append(f"{what} ({plan})")

    # -- a connection

    async def _converse(
        self, reader: StreamReader, writer: StreamWriter, *, behind_the_door: bool
    ) -> None:
        if behind_the_door:
            self._behind_the_door.add(writer)
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while await self._one(reader, writer):
                    pass
        finally:
            self._behind_the_door.discard(writer)
            writer.close()

    async def _one(self, reader: StreamReader, writer: StreamWriter) -> bool:
        """One request; whether the connection lives on."""
        head = await read_head(reader)
        arrived = time.time()
        plan = decode(head.one(FIELD))
        self._heads[plan.number] += 1
        if head.target != "/at" + plan.target:
            self._complain(plan, f"mixed up: the target is {head.target}")
        verdict = self._judge.look(plan, head, arrived)
        if verdict.wrong:
            self._complain(plan, verdict.wrong)
        if verdict.refused:
            await replies.unauthorized(writer, plan)
            await self._swallow(reader, head)
            return True
        if plan.fault == "reset":
            return replies.reset(writer)
        if plan.fault.startswith("early"):
            return await self._early(reader, writer, plan, head)
        await self._receive(reader, writer, plan, head)
        if plan.leave == "waiting":
            if not await replies.stall(reader, SOON):
                self._complain(plan, "the client had left, and nobody said so")
            return False
        return await replies.answer(reader, writer, plan)

    async def _receive(
        self, reader: StreamReader, writer: StreamWriter, plan: Plan, head: Head
    ) -> None:
        """Read the body to its end; from here on the request is processed."""
        if head.all("Expect"):
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        check = Check(plan.upload)
        async for piece in incoming(reader, head):
            check.feed(piece)
        fault = check.end()
        if fault is not None:
            self._complain(plan, f"the upload is {fault}")
        self._processed[plan.number] += 1
        if self._processed[plan.number] > 1:
            self._complain(plan, "duplicated: processed again")

    async def _early(
        self, reader: StreamReader, writer: StreamWriter, plan: Plan, head: Head
    ) -> bool:
        """Answer before the body; then read it, or say that this is the end."""
        self._processed[plan.number] += 1
        ends = plan.fault == "early end"
        alive = await replies.good(writer, plan, close=ends)
        if ends or not alive:
            writer.write_eof()
        await self._swallow(reader, head)
        return alive and not ends

    async def _swallow(self, reader: StreamReader, head: Head) -> None:
        async for _ in incoming(reader, head):
            pass


async def main() -> None:
    """Serve until the orders end."""
    upstream = Upstream()
    await upstream.start()
    await obey(upstream.act, upstream.ports)


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
