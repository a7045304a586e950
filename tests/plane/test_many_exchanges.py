"""One client connection, many exchanges of every kind: no answer is ever another one's."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from proxy.plane.settings import Limits
from tests.support.plane import route_to, serving
from tests.support.wire import DEADLINE, Origin, Wire, noise

SIZES = (0, 1, 10, 1000, 70_000, 300_000)
PATIENT = Limits(head_time=1e6, body_idle=1e6)
KINDS = ("length", "chunked", "close", "no content", "not modified")


@dataclass(frozen=True, slots=True)
class Plan:
    """One exchange: what the client sends, and what the upstream answers."""

    number: int
    method: bytes
    body: bytes
    chunked: bool
    kind: str
    answer: bytes
    expire: bool
    closes: bool

    def request(self, dice: random.Random) -> bytes:
        start = b"%b /%d HTTP/1.1\r\nHost: localhost\r\n" % (self.method, self.number)
        if self.chunked:
            return start + b"Transfer-Encoding: chunked\r\n\r\n" + coded(self.body, dice)
        length = b"Content-Length: %d\r\n" % len(self.body) if self.body else b""
        return start + length + b"\r\n" + self.body

    def response(self, dice: random.Random) -> bytes:
        fields = b"X-Number: %d\r\n" % self.number
        fields += b"Connection: close\r\n" if self.closes else b""
        if self.kind == "no content":
            return b"HTTP/1.1 204 No Content\r\n" + fields + b"\r\n"
        if self.kind == "not modified":
            return b"HTTP/1.1 304 Not Modified\r\n" + fields + b"Content-Length: 9\r\n\r\n"
        body = b"" if self.method == b"HEAD" else self.answer
        if self.kind == "chunked":
            end = b"" if self.method == b"HEAD" else coded(body, dice)
            return b"HTTP/1.1 200 OK\r\n" + fields + b"Transfer-Encoding: chunked\r\n\r\n" + end
        length = b"Content-Length: %d\r\n" % len(self.answer) if self.kind == "length" else b""
        return b"HTTP/1.1 200 OK\r\n" + fields + length + b"\r\n" + body


def coded(body: bytes, dice: random.Random) -> bytes:
    pieces = []
    while body:
        size = dice.randint(1, len(body))
        pieces.append(b"%x\r\n%b\r\n" % (size, body[:size]))
        body = body[size:]
    return b"".join(pieces) + b"0\r\n\r\n"


def plan(number: int, dice: random.Random) -> Plan:
    method = dice.choice([b"GET", b"POST", b"PUT", b"HEAD"])
    body = noise(dice.choice(SIZES)) if method in {b"POST", b"PUT"} else b""
    kind = dice.choice(KINDS)
    return Plan(
        number,
        method,
        body,
        chunked=bool(body) and dice.random() < 0.5,
        kind=kind,
        answer=noise(dice.choice(SIZES))[::-1],
        expire=dice.random() < 0.2,
        closes=kind == "close" or dice.random() < 0.2,
    )


def in_pieces(wire: Wire, message: bytes, dice: random.Random) -> None:
    """Send it cut at random places."""
    while message:
        size = dice.choice([1, 7, 100, 5000, len(message)])
        wire.send(message[:size])
        message = message[size:]


@contextlib.asynccontextmanager
async def answering(
    upstream: Origin, plans: list[Plan], dice: random.Random
) -> AsyncIterator[None]:
    """An upstream that answers by plan and finds every request as it was sent."""
    expired: set[int] = set()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(wire: Wire) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                request = await wire.request()
                now = plans[int(request.head.target[1:])]
                assert request.body == now.body
                if now.expire and now.number not in expired:
                    expired.add(now.number)
                    wire.send(b"HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno")
                    continue
                in_pieces(wire, now.response(dice), dice)
                if now.closes:
                    wire.close()
                    return

    async def accept() -> None:
        while True:
            tasks.add(asyncio.create_task(serve(await upstream._waiting.get())))

    tasks.add(asyncio.create_task(accept()))
    try:
        yield
        for task in tasks:
            assert not (task.done() and not task.cancelled() and task.exception())
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("pipelined", [False, True])
async def test_every_answer_belongs_to_its_request(
    upstream: Origin, seed: int, pipelined: bool
) -> None:
    dice = random.Random(seed)
    plans = [plan(number, dice) for number in range(30)]
    async with (
        serving(route_to(upstream.port), limits=PATIENT) as served,
        answering(upstream, plans, dice),
        asyncio.timeout(2 * DEADLINE),
    ):
        client = await served.connect()
        if pipelined:
            in_pieces(client, b"".join(plan.request(dice) for plan in plans), dice)
        for now in plans:
            served.clock.move(11)  # the storm is over: a 401 is worth a new token again
            if not pipelined:
                in_pieces(client, now.request(dice), dice)
            answer = await client.response(to_head=now.method == b"HEAD")
            assert answer.head.one(b"x-number") == b"%d" % now.number
            bodyless = now.method == b"HEAD" or now.kind in {"no content", "not modified"}
            assert answer.body == (b"" if bodyless else now.answer)
        assert not served.plane.in_flight
        assert served.plane.budget._left == served.settings.limits.replay_budget
