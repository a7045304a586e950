"""The data plane's listening sockets where workers serve: bound here, accepted here, handed on."""

from __future__ import annotations

import functools
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass

from proxy.clock import Clock
from proxy.plane.hosting import BACKLOG
from proxy.runtime.binding import Binding, Bound, Place
from proxy.runtime.workers.acceptor import Acceptor

Hand = Callable[[Place, socket.socket], None]


@dataclass(frozen=True, slots=True)
class _Open:
    sockets: list[socket.socket]
    acceptors: list[Acceptor]


class Gate:
    """What listens where.

    Args:
        hand: takes each accepted connection with the place it came in at.
        binding: where sockets come from.
    """

    def __init__(self, hand: Hand, clock: Clock, binding: Binding) -> None:
        self._binding = binding
        self._hand = hand
        self._clock = clock
        self._open: dict[Place, _Open] = {}
        self._accepting = False

    def bind(self, places: Collection[Place]) -> Bound:
        """Bind what is not open yet: all of it or nothing. Clients may queue from then on.

        Raises:
            StartError: one can't be bound.
        """
        bound = self._binding.bind(places, self._open)
        for sockets in bound.values():
            for sock in sockets:
                sock.listen(BACKLOG)
        return bound

    def change(self, places: Collection[Place], bound: Bound) -> None:
        """Accept at these places, on the sockets that ``bind`` gave; close the rest."""
        self._binding.rename(self._open, places)
        for place, sockets in bound.items():
            hand = functools.partial(self._hand, place)
            acceptors = [Acceptor(sock, hand, self._clock) for sock in sockets]
            self._open[place] = _Open(sockets, acceptors)
        for place in [place for place in self._open if place not in places]:
            self._close(place)
        self.accept(self._accepting)

    def accept(self, accepting: bool) -> None:
        """Take new connections, or leave them in the kernel's queue."""
        self._accepting = accepting
        for found in self._open.values():
            for acceptor in found.acceptors:
                (acceptor.start if accepting else acceptor.stop)()

    def release(self, bound: Bound) -> None:
        """Close sockets that were bound in vain."""
        self._binding.release(bound)

    def close(self) -> None:
        """Listen no more."""
        for place in list(self._open):
            self._close(place)

    def _close(self, place: Place) -> None:
        gone = self._open.pop(place)
        inherits = self._binding.inherits(place)
        for acceptor in gone.acceptors:
            (acceptor.stop if inherits else acceptor.last)()
        self._binding.release({place: gone.sockets})
