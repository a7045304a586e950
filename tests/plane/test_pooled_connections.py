"""Pooled connections that their upstream closes as they are used: nothing twice, nothing lost."""

from __future__ import annotations

import asyncio
import os
import random
import socket
from collections import Counter
from collections.abc import Iterator
from typing import cast

import pytest

from tests.support.plane import Served, bound, route_to, serving
from tests.support.wire import DEADLINE, EMPTY, OK, RESET, Wire

POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody"
TRIES, CLIENTS = int(os.environ.get("TRIES", "2000")), 8


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """An upstream that no loop moves: what happens at it happens when the test says so."""
    sock, _ = bound()
    with sock:
        sock.listen()
        sock.setblocking(False)
        yield sock


async def pooled(served: Served, listening: socket.socket) -> tuple[Wire, socket.socket]:
    """A client, and the upstream's end of a connection that has served it once."""
    loop = asyncio.get_running_loop()
    client = await served.ask(POST)
    async with asyncio.timeout(DEADLINE):
        end, _ = await loop.sock_accept(listening)
        await received(end)
        await loop.sock_sendall(end, OK)
    assert (await client.response()).status == 200
    return client, end


async def received(end: socket.socket) -> bytes:
    """A whole POST."""
    loop, got = asyncio.get_running_loop(), b""
    async with asyncio.timeout(DEADLINE):
        while not got.endswith(EMPTY + b"body"):
            got += await loop.sock_recv(end, 65536)
    return got


def send_now(client: Wire, data: bytes) -> None:
    """Into the kernel, before the loop turns."""
    client.send(data)
    assert not client.unsent


async def test_a_connection_that_took_no_byte_is_followed_by_another(
    listening: socket.socket,
) -> None:
    async with serving(route_to(listening.getsockname()[1])) as served:
        client, end = await pooled(served, listening)
        send_now(client, POST)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        end.close()  # the reset is there before the request is written
        async with asyncio.timeout(DEADLINE):
            again, _ = await asyncio.get_running_loop().sock_accept(listening)
        with again:
            assert (await received(again)).count(b"POST ") == 1
            await asyncio.get_running_loop().sock_sendall(again, OK)
            assert (await client.response()).body == b"ok"
        await served.record()
        record = await served.record()
        assert (record.status, record.bytes_in, record.replayed) == (200, 4, False)


async def test_a_connection_that_may_have_taken_bytes_is_not(listening: socket.socket) -> None:
    async with serving(route_to(listening.getsockname()[1])) as served:
        client, end = await pooled(served, listening)
        send_now(client, POST)
        end.close()  # an orderly end: the kernel still takes what is written
        assert (await client.response()).status == 502
        with pytest.raises(BlockingIOError):
            listening.accept()


async def reset_all(listening: socket.socket) -> None:
    while True:
        end, _ = await asyncio.get_running_loop().sock_accept(listening)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        end.close()


async def test_a_new_connection_that_dies_at_once_is_a_502(listening: socket.socket) -> None:
    async with serving(route_to(listening.getsockname()[1])) as served:
        resetting = asyncio.create_task(reset_all(listening))
        client = await served.ask(POST)
        assert (await client.response()).status == 502
        resetting.cancel()


class Fickle(asyncio.Protocol):
    """Counts each POST it has read whole, then answers, or closes at an awkward moment."""

    def __init__(self, counted: Counter[bytes], chance: random.Random) -> None:
        self._counted = counted
        self._chance = chance
        self._got = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._got += data
        _, end, number = self._got.partition(EMPTY)
        if not end or len(number) < 6:
            return
        self._got = b""
        self._counted[number] += 1
        self._transport.write(OK)
        dice = self._chance.random()
        loop = asyncio.get_running_loop()
        if dice < 0.1:
            self._transport.close()  # without a word of it in the answer
        elif dice < 0.2:
            loop.call_soon(self._transport.close)
        elif dice < 0.3:
            loop.call_soon(loop.call_soon, self._reset)
        elif dice < 0.4:
            loop.call_later(0.0005, self._reset)
        elif dice < 0.5:
            loop.call_later(0.0005, self._transport.close)

    def _reset(self) -> None:
        sock = self._transport.get_extra_info("socket")
        if sock is not None and sock.fileno() >= 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._transport.abort()


async def test_no_post_is_processed_twice_or_lost_without_an_error_while_connections_close() -> (
    None
):
    counted: Counter[bytes] = Counter()
    statuses: dict[bytes, int] = {}
    chance = random.Random(7)
    server = await asyncio.get_running_loop().create_server(
        lambda: Fickle(counted, chance), "127.0.0.1", 0
    )
    port = server.sockets[0].getsockname()[1]

    async def client(wire: Wire, first: int) -> None:
        for number in range(first, TRIES, CLIENTS):
            name = b"%06d" % number
            wire.send(POST.replace(b": 4", b": 6").replace(b"body", name))
            statuses[name] = (await wire.response()).status

    async with serving(route_to(port)) as served:
        wires = [await served.connect() for _ in range(CLIENTS)]
        await asyncio.gather(*(client(wire, first) for first, wire in enumerate(wires)))
    server.close()
    twice = [name for name, times in counted.items() if times > 1]
    lost = [name for name, status in statuses.items() if status == 200 and not counted[name]]
    told = Counter(statuses.values())
    print(  # noqa: T201 - figures to look at
        f"{TRIES} tries: {told[200]} answered, {told[502]} told of as 502, "
        f"{len(twice)} duplicated, {len(lost)} lost without an error"
    )
    assert len(statuses) == TRIES  # every one was answered
    assert set(told) <= {200, 502}
    assert not twice
    assert not lost
    assert told[502] < TRIES / 3
