"""The way from simulated sidecars to a real Redis: a relay whose delay passes in simulated time.

The clock may move on only when nothing is under way: that is so when the loop is idle and Redis,
asked twice, has answered whatever came before. Knows bytes, not what they say.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.clock import FakeClock, settle

HOST = "127.0.0.1"
BACKLOG = 4096
PING = b"*1\r\n$4\r\nPING\r\n"
PONG = b"+PONG\r\n"
TURNS = 2
"""That find nothing to do before the loop counts as idle: sockets are asked between them."""


class Wire:
    """Listens for the stores on ``port`` and relays to the Redis on another.

    Args:
        redis: the port of the real one.
        delay: simulated seconds that bytes take in each direction.

    Attributes:
        cut: nobody gets through; who was, is cut off.
    """

    def __init__(self, clock: FakeClock, redis: int, delay: float) -> None:
        self.clock = clock
        self._redis = redis
        self.delay = delay
        self.cut = False
        self.port = 0
        self._under_way = False
        self._ends: set[_End] = set()
        self._travelling: defaultdict[float, list[tuple[_End, bytes]]] = defaultdict(list)
        self._control: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Begin to listen."""
        self._control = await asyncio.open_connection(HOST, self._redis)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Near(self), HOST, 0, backlog=BACKLOG)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Listen no more."""
        self.break_off()
        if self._server is not None:
            self._server.close()
        if self._control is not None:
            self._control[1].close()
        await settle()

    def break_off(self) -> None:
        """Nobody gets through from now on, until ``mend``."""
        self.cut = True
        for end in tuple(self._ends):
            end.drop()

    def mend(self) -> None:
        """All is as before; who wants to get through has to connect again."""
        self.cut = False

    async def settle(self) -> None:
        """Let everything happen that takes no simulated time."""
        await settle(TURNS)
        while self._under_way:
            self._under_way = False
            await self._all_answered()
            await settle(TURNS)

    async def _all_answered(self) -> None:
        # The second answer comes a whole turn of Redis's loop later: what it read in the turn of
        # the first is written by then, whichever connection was served first.
        assert self._control is not None
        reader, writer = self._control
        for _ in range(2):
            writer.write(PING)
            await reader.readexactly(len(PONG))

    async def connect(self, far: _Far) -> None:
        """Reach Redis."""
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: far, HOST, self._redis)

    def joined(self, end: _End) -> None:
        """A connection begins."""
        self._ends.add(end)

    def left(self, end: _End) -> None:
        """A connection has ended."""
        self._ends.discard(end)

    def asked(self) -> None:
        """Redis was sent something."""
        self._under_way = True

    def carry(self, end: _End, content: bytes) -> None:
        """Bring bytes to an end, in time."""
        if not self.delay:
            end.take(content)
            return
        due = self.clock.monotonic() + self.delay
        if due not in self._travelling:
            self.clock.call_later(self.delay, lambda: self._arrived(due))
        self._travelling[due].append((end, content))

    def _arrived(self, due: float) -> None:
        for end, content in self._travelling.pop(due):
            end.take(content)


class _End(asyncio.Protocol):
    """One side of a connection; what it hears goes to the other."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._transport: asyncio.Transport | None = None
        self._over = False
        self.other: _End | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is there, perhaps too late."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._wire.joined(self)
        if self._over:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        """Hand it on."""
        if self.other is not None:
            self._wire.carry(self.other, data)

    def connection_lost(self, _: Exception | None) -> None:
        """The other side ends too."""
        self._wire.left(self)
        if self.other is not None:
            self.other.drop()

    def take(self, content: bytes) -> None:
        """Send these bytes."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(content)

    def drop(self) -> None:
        """End it."""
        self._over = True
        if self._transport is not None:
            self._transport.abort()


class _Far(_End):
    """The side of Redis; what comes before it is connected waits."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire)
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send what had to wait."""
        super().connection_made(transport)
        for content in self._early:
            self.take(content)

    def take(self, content: bytes) -> None:
        """Send these bytes, now or as soon as it is connected."""
        if self._transport is None:
            self._early.append(content)
        else:
            super().take(content)
            self._wire.asked()


class _Near(_End):
    """The side of the stores."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connect to Redis for it."""
        super().connection_made(transport)
        if self._wire.cut:
            self.drop()
            return
        self.other = far = _Far(self._wire)
        far.other = self
        self._connecting = asyncio.get_running_loop().create_task(self._connect(far))

    async def _connect(self, far: _Far) -> None:
        await self._wire.connect(far)


@asynccontextmanager
async def wire(clock: FakeClock, redis: int, delay: float) -> AsyncIterator[Wire]:
    """One that is open until the block ends."""
    made = Wire(clock, redis, delay)
    await made.open()
    try:
        yield made
    finally:
        await made.close()
