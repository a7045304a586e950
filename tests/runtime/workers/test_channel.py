from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from proxy.runtime.workers.channel import Channel
from proxy.runtime.workers.frames import Said, frame


class End:
    """One end, with what it heard."""

    def __init__(self, sock: socket.socket) -> None:
        self.heard: asyncio.Queue[tuple[Said, bytes]] = asyncio.Queue()
        self.lost = asyncio.Event()
        self.channel = Channel(sock, self._hear, self.lost.set)

    def _hear(self, said: Said, blob: bytes) -> None:
        if said["kind"] == "nonsense":
            raise KeyError("nonsense")
        self.heard.put_nowait((said, blob))

    async def next(self) -> tuple[Said, bytes]:
        async with asyncio.timeout(60):
            return await self.heard.get()


@pytest.fixture
async def ends() -> AsyncIterator[tuple[End, End]]:
    pair = tuple(End(sock) for sock in socket.socketpair())
    yield pair  # type: ignore[misc]
    for end in pair:
        end.channel.close()


async def test_frames_arrive_in_order_however_large(ends: tuple[End, End]) -> None:
    one, other = ends
    blobs = [bytes([n]) * (n * 300_000) for n in range(6)]
    for number, blob in enumerate(blobs):
        one.channel.send(frame({"kind": "a", "number": number}, blob))
    for number, blob in enumerate(blobs):
        assert await other.next() == ({"kind": "a", "number": number}, blob)


async def test_a_socket_comes_with_its_frame_and_is_closed_where_it_came_from(
    ends: tuple[End, End],
) -> None:
    one, other = ends
    pairs = [socket.socketpair() for _ in range(20)]
    for number, (ours, _) in enumerate(pairs):
        one.channel.send(frame({"kind": "a", "number": number}), ours)
    for number, (ours, theirs) in enumerate(pairs):
        assert (await other.next())[0]["number"] == number
        with other.channel.carried() as carried:
            carried.send(b"%d" % number)
        assert theirs.recv(10) == b"%d" % number
        assert ours.fileno() == -1
        theirs.close()


async def test_more_sockets_than_the_other_side_takes_at_once_wait_their_turn(
    ends: tuple[End, End],
) -> None:
    one, other = ends
    far = []
    for number in range(400):
        ours, theirs = socket.socketpair()
        far.append(theirs)
        one.channel.send(frame({"kind": "a", "number": number}), ours)
    for number in range(400):
        assert (await other.next())[0]["number"] == number
        other.channel.carried().close()
    for theirs in far:
        theirs.close()


async def test_an_end_that_is_closed_is_lost_to_the_other_once(ends: tuple[End, End]) -> None:
    one, other = ends
    one.channel.close()
    async with asyncio.timeout(60):
        await other.lost.wait()
    assert not one.lost.is_set()
    sock, far = socket.socketpair()
    other.channel.send(frame({"kind": "a"}), sock)
    assert sock.fileno() == -1
    far.close()


@pytest.mark.parametrize("sent", [b"\xff\xff\xff\xff", frame({"kind": "nonsense"})])
async def test_nonsense_ends_the_channel(ends: tuple[End, End], sent: bytes) -> None:
    one, other = ends
    one.channel.send(sent)
    async with asyncio.timeout(60):
        await other.lost.wait()
