"""One end of the socket between supervisor and worker: frames both ways, connections one way.

Never blocks: what the other side does not take yet waits here, up to a bound. Knows nothing of
what is said.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from typing import Final

from proxy.runtime.workers.frames import FrameError, Frames, Said

READ: Final = 64 << 10
ROUNDS: Final = 16
"""Reads before others get their turn: each brings at most one connection."""
MOST_UNSENT: Final = 64 << 20
"""Bytes that may wait for a worker; one that takes none is as good as dead."""

NONSENSE: Final = (ValueError, KeyError, TypeError, AttributeError)
"""What comes of reading words that make no sense; a ``FrameError`` is a ``ValueError``."""

Heard = Callable[[Said, bytes], None]


class Channel:
    """Frames over a Unix socket; a frame may bring an open socket along.

    Args:
        sock: our end; this object closes it.
        heard: called with each frame. What it raises of ``NONSENSE`` ends the channel.
        lost: called once, when the other side is gone or talks nonsense.
    """

    def __init__(self, sock: socket.socket, heard: Heard, lost: Callable[[], None]) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._heard = heard
        self._lost = lost
        self._frames = Frames()
        self._descriptors: deque[int] = deque()
        self._unsent: deque[tuple[bytes, socket.socket | None]] = deque()
        self._waiting = 0
        self._open = True
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock, self.read)

    def send(self, data: bytes, carried: socket.socket | None = None) -> None:
        """Send a frame, and a socket with it; that one is closed here afterwards."""
        if not self._open:
            if carried is not None:
                carried.close()
            return
        self._unsent.append((data, carried))
        self._waiting += len(data)
        if len(self._unsent) == 1:
            self._write()
        if self._waiting > MOST_UNSENT:
            self._lose()

    def carried(self) -> socket.socket:
        """The socket that came with the frame being heard.

        Raises:
            ValueError: none came.
        """
        if not self._descriptors:
            raise FrameError("no socket came along")
        return socket.socket(fileno=self._descriptors.popleft())

    def close(self) -> None:
        """Close it without a word."""
        if not self._open:
            return
        self._open = False
        self._loop.remove_reader(self._sock)
        self._loop.remove_writer(self._sock)
        self._sock.close()
        while self._descriptors:
            socket.socket(fileno=self._descriptors.popleft()).close()
        for _, carried in self._unsent:
            if carried is not None:
                carried.close()
        self._unsent.clear()

    def _lose(self) -> None:
        if self._open:
            self.close()
            self._loop.call_soon(self._lost)

    def read(self) -> None:
        """Take in what has come."""
        for _ in range(ROUNDS):
            if not self._open:
                return
            try:
                data, descriptors, _, _ = socket.recv_fds(self._sock, READ, 1)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                data, descriptors = b"", []
            self._descriptors.extend(descriptors)
            if not data:
                self._lose()
                return
            self._hear(data)

    def _hear(self, data: bytes) -> None:
        try:
            for said, blob in self._frames.feed(data):
                self._heard(said, blob)
        except NONSENSE:
            self._lose()

    def _write(self) -> None:
        while self._unsent:
            data, carried = self._unsent.popleft()
            try:
                sent = self._send(data, carried)
            except (BlockingIOError, InterruptedError):
                self._unsent.appendleft((data, carried))
                self._loop.add_writer(self._sock, self._write)
                return
            except OSError:
                self._unsent.appendleft((data, carried))
                self._lose()
                return
            if carried is not None:
                carried.close()
            self._waiting -= sent
            if sent < len(data):
                self._unsent.appendleft((data[sent:], None))
        self._loop.remove_writer(self._sock)

    def _send(self, data: bytes, carried: socket.socket | None) -> int:
        if carried is None:
            return self._sock.send(data)
        return socket.send_fds(self._sock, [data], [carried.fileno()])
