from __future__ import annotations

import asyncio
import errno
import socket
from typing import Any, cast

from proxy.clock import SystemClock
from proxy.runtime.workers.acceptor import PAUSE, Acceptor
from tests.support.clock import FakeClock


class Exhausted(socket.socket):
    """A listening socket whose process has no descriptors left for a while."""

    tries = 0
    failing = True

    def accept(self) -> tuple[socket.socket, Any]:
        self.tries += 1
        if self.failing:
            raise OSError(errno.EMFILE, "too many open files")
        return super().accept()


def listening(kind: type[socket.socket] = socket.socket) -> socket.socket:
    sock = kind()
    sock.bind(("127.0.0.1", 0))
    sock.listen(16)
    sock.setblocking(False)
    return sock


async def test_every_connection_is_handed_on_until_it_is_told_to_stop() -> None:
    with listening() as sock:
        handed: asyncio.Queue[socket.socket] = asyncio.Queue()
        acceptor = Acceptor(sock, handed.put_nowait, SystemClock())
        acceptor.start()
        for _ in range(3):
            with socket.create_connection(sock.getsockname()) as client:
                async with asyncio.timeout(60):
                    accepted = await handed.get()
                assert accepted.getpeername() == client.getsockname()
                accepted.close()
        acceptor.stop()
        with socket.create_connection(sock.getsockname()):
            for _ in range(5):
                await asyncio.sleep(0)
            assert handed.empty()
            acceptor.start()  # who queued meanwhile is served now
            async with asyncio.timeout(60):
                (await handed.get()).close()
        acceptor.stop()


async def test_without_descriptors_it_rests_instead_of_spinning_and_then_goes_on() -> None:
    with listening(Exhausted) as plain:
        sock = cast("Exhausted", plain)
        clock, handed = FakeClock(), asyncio.Queue[socket.socket]()
        acceptor = Acceptor(sock, handed.put_nowait, clock)
        acceptor.start()
        with socket.create_connection(sock.getsockname()):
            async with asyncio.timeout(60):
                while not sock.tries:  # noqa: ASYNC110 - the loop's poll is what is waited for
                    await asyncio.sleep(0)
            for _ in range(20):
                await asyncio.sleep(0)
            assert sock.tries == 1
            sock.failing = False
            await clock.advance(PAUSE)
            async with asyncio.timeout(60):
                (await handed.get()).close()
        acceptor.stop()
