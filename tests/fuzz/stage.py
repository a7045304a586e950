"""A whole data plane without sockets: its protocols are handed bytes, what they write is kept.

Only the transports are ours; everything between them is the product's. A turn of the loop is
all the waiting there is.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any, NoReturn

from proxy.plane.inbound import Inbound
from proxy.plane.outbound import Outbound
from proxy.plane.plane import Plane
from proxy.plane.settings import Address, PlaneSettings, Route, Upstream
from proxy.plane.totals import AccessRecord
from proxy.secret import Secret
from proxy.stores.memory import MemoryStore
from proxy.tokens.credential import Credential
from proxy.tokens.policy import RenewalPolicy
from tests.support.plane import HandClock, Source

HERE = Address("127.0.0.1", 8080)
THERE = Upstream("127.0.0.1", 9, "upstream.example")
ROUTES = (
    Route("/", THERE, "/", "token", max_body=1 << 20),
    Route("/open/", THERE, "/open/", None, max_body=1 << 20),
)
NEXT = b"GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


STOCK = 3
"""Idle connections that are there before each step: more than one step can begin requests."""


class Pipe(asyncio.Transport):
    """A transport whose other end is the test.

    Attributes:
        sent: what the protocol has written.
        ended: it has ended its side in good order; ``cut``: it went without saying so.
        paused: it does not want to read.
    """

    def __init__(self, protocol: Any) -> None:
        super().__init__()
        self.protocol = protocol
        self.sent = bytearray()
        self.ended = self.cut = self.paused = self.gone = False
        protocol.connection_made(self)

    def write(self, data: bytes | memoryview) -> None:
        if not self.gone:
            self.sent += data

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def is_closing(self) -> bool:
        return self.gone

    def close(self) -> None:
        self.ended = True
        self._go()

    def abort(self) -> None:
        self.cut = self.cut or not self.ended
        self._go()

    def _go(self) -> None:
        if not self.gone:
            self.gone = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    def feed(self, data: bytes) -> None:
        """Bytes from the other end."""
        if self.gone:
            return
        if isinstance(self.protocol, asyncio.Protocol):
            self.protocol.data_received(data)
            return
        while data and not self.gone:
            view = self.protocol.get_buffer(-1)
            size = min(len(view), len(data))
            view[:size] = data[:size]
            self.protocol.buffer_updated(size)
            data = data[size:]

    def end(self) -> None:
        """The other end says that nothing more will come."""
        if not self.gone and not self.protocol.eof_received():
            self.close()


@dataclass(slots=True)
class Outcome:
    """What became of one input.

    Attributes:
        streams: the bytes that each upstream connection got, in the order of their beginnings.
        statuses: what the finished requests were answered, in order.
        open: whether the client could have gone on when its bytes were all read.
        keyed: whether clients need a key here.
    """

    streams: list[bytes] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    open: bool = True
    keyed: bool = False


@dataclass(slots=True)
class Answered:
    """What a client got for what an upstream sent.

    Attributes:
        first: the bytes for its request; ``then``: for the next ones, its own and another's,
            each of which should have been ``expected``.
        ended: the connection ended behind ``first`` in good order, ``cut``: or not.
    """

    first: bytes = b""
    then: list[bytes] = field(default_factory=list)
    expected: bytes = OK
    ended: bool = False
    cut: bool = False


class Stage:
    """A plane with the routes ``/`` (with a token) and ``/open/`` (without), to one upstream."""

    def __init__(self, clients: dict[str, Secret] | None = None) -> None:
        self.clock = HandClock()
        self.source = Source(self.clock, "token")
        self.credential = Credential(
            "token",
            source=self.source,
            store=MemoryStore(),
            identity="token",
            renewal=RenewalPolicy(),
            clock=self.clock,
            random=random.Random(1),
        )
        settings = PlaneSettings((HERE,), ROUTES, clients=clients or {})
        self.bugs: list[BaseException] = []
        self.records: list[AccessRecord] = []
        self.plane = Plane(
            settings,
            {"token": self.credential},
            self.clock,
            self,
            self.bugs.append,
            resolve=_never,
        )
        self.far: list[Pipe] = []

    async def open(self) -> None:
        """Fetch the token."""
        await self.credential.acquire(1.0)

    async def close(self) -> None:
        await self.plane.close()
        await self.credential.close()

    def finished(self, record: AccessRecord) -> None:
        """The plane's observer is this object."""
        self.records.append(record)

    def client(self) -> Pipe:
        """A new client's end."""
        return Pipe(Inbound(self.plane.door(HERE)))

    def stock(self) -> None:
        """See to it that connections are idle, so that none has to be made."""
        pool, now = self.plane.pool(THERE), self.plane.now()
        idle = [each for each in pool._idle if each.usable and each.deadline > now]
        for _ in range(STOCK - len(idle)):
            far = Pipe(Outbound(pool))
            self.far.append(far)
            pool.put(far.protocol, None)

    def asked(self, *, whole: bool = True) -> list[Pipe]:
        """The upstream connections on which a request waits for its answer."""
        return [
            far
            for far in self.far
            if not far.gone
            and (exchange := far.protocol._exchange) is not None
            and (exchange.complete or not whole)
        ]

    async def settle(self) -> None:
        """Turn the loop until nothing is left to do; whole requests are answered meanwhile."""
        ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
        while (asked := self.asked()) or ready:
            for far in asked:
                self.stock()
                far.feed(OK)
            self.stock()
            await asyncio.sleep(0)
        self.far = [far for far in self.far if not far.gone or far.sent]

    async def run(self, pieces: list[bytes]) -> Outcome:
        """One client sends these pieces, is answered, and goes."""
        self._forget()
        client = self.client()
        for piece in pieces:
            self.stock()
            client.feed(piece)
            await self.settle()
        outcome = Outcome(
            open=not client.gone and not client.ended, keyed=bool(self.plane.settings.clients)
        )
        client.end()
        await self.settle()
        outcome.streams = [bytes(far.sent) for far in self.far if far.sent]
        outcome.statuses = [record.status for record in self.records if record.status]
        return outcome

    async def answer(self, request: bytes, pieces: list[bytes], *, end: bool) -> Answered:
        """One upstream answers a request with these pieces, and perhaps goes."""
        self._forget()
        client = self.client()
        self.stock()
        client.feed(request)
        (far,) = self.asked()
        for piece in pieces:
            far.feed(piece)
            await self.turn()
        if end:
            far.end()
            await self.turn()
        outcome = Answered(bytes(client.sent), ended=client.ended, cut=client.cut)
        if far in self.asked():  # it is not over: a client does not wait for ever
            client.end()
            await self.turn()
        for asker in (client, self.client()):
            asker.sent.clear()
            asker.feed(NEXT)
            await self.settle()
            outcome.then.append(bytes(asker.sent))
            asker.end()
        await self.settle()
        return outcome

    async def turn(self) -> None:
        """Let the loop do what is ready."""
        ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
        await asyncio.sleep(0)
        while ready:  # noqa: ASYNC110 - what is awaited would have to set an Event
            await asyncio.sleep(0)

    def _forget(self) -> None:
        self.records.clear()
        self.far = [far for far in self.far if not far.gone]
        for far in self.far:
            far.sent.clear()


async def _never(host: str, port: int) -> NoReturn:
    raise AssertionError(f"a connection to {host}:{port} was wanted")
