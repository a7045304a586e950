"""Accepts connections for others to serve: whoever is least busy gets the next one.

So no worker's queue holds connections that it can't serve, and the load is even however few
connections there are, which the kernel's choice by a hash would not make it.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Final

from proxy.clock import Clock, Timer

AT_ONCE: Final = 64
"""Connections that are accepted before others get their turn."""
PAUSE: Final = 0.2
"""Seconds without accepting where the system has no descriptors or memory left."""
EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

Hand = Callable[[socket.socket], None]


class Acceptor:
    """One listening socket. It is closed by whoever bound it."""

    def __init__(self, sock: socket.socket, hand: Hand, clock: Clock) -> None:
        self._sock = sock
        self._hand = hand
        self._clock = clock
        self._timer: Timer | None = None
        self._reading = False

    def start(self) -> None:
        """Accept from now on."""
        if not self._reading:
            self._reading = True
            asyncio.get_running_loop().add_reader(self._sock, self._ready)

    def last(self) -> None:
        """Accept who is in the kernel's queue, then no more: they would be reset otherwise."""
        if self._reading:
            self._ready()
        self.stop()

    def stop(self) -> None:
        """Leave new connections in the kernel's queue."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._reading:
            self._reading = False
            asyncio.get_running_loop().remove_reader(self._sock)

    def _ready(self) -> None:
        for _ in range(AT_ONCE):
            if not self._reading:
                return
            try:
                accepted, _ = self._sock.accept()
            except OSError as error:
                if error.errno in EXHAUSTED:
                    self._rest()
                return  # nobody is there any more, or one left before we came: the loop tells
            self._hand(accepted)

    def _rest(self) -> None:
        self.stop()
        self._timer = self._clock.call_later(PAUSE, self.start)
