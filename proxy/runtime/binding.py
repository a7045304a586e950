"""Sockets for the places where we listen: bound here, or taken from those that were inherited.

All that are wanted or none; and only the files of sockets that were bound here are removed again.
"""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from proxy.errors import StartError
from proxy.plane.settings import Address
from proxy.runtime.inherited import Inherited, assigned
from proxy.runtime.sockets import PRIVATE, bind, release, remove_file

DATA: Final = frozenset({"listen", "routes"})
"""The keys whose listeners forward requests."""

T = TypeVar("T")


class Place(NamedTuple):
    """An address and what it is for.

    Attributes:
        key: the configuration key it came from: ``listen``, ``admin``, ``metrics``, ``routes``.
    """

    key: str
    address: Address
    mode: int = PRIVATE

    def serves(self, other: Place) -> bool:
        """Whether what listens here can go on for ``other``."""
        alike = self.key == other.key or {self.key, other.key} <= DATA
        return alike and self.address == other.address


Bound = dict[Place, list[socket.socket]]
"""Sockets that are bound and not served yet."""


class Binding:
    """Gives sockets for places and takes them back.

    Args:
        inherited: what a service manager opened for us. It stays open as long as we live, whatever
            is served: what is given out is a duplicate, so that a listener can come back.
    """

    def __init__(self, inherited: Sequence[Inherited] = ()) -> None:
        self._inherited = inherited
        self._assigned: dict[Place, list[Inherited]] = {}
        self._bound_here: set[Place] = set()

    def assign(self, places: Collection[Place]) -> tuple[Inherited, ...]:
        """Decide which inherited socket is for which of ``places``; those that are for none."""
        if not self._inherited:
            return ()
        wanted = {place: (place.key, place.address) for place in places}
        self._assigned = assigned(self._inherited, wanted)
        used = [one for found in self._assigned.values() for one in found]
        return tuple(one for one in self._inherited if one not in used)

    def bind(self, places: Iterable[Place], opened: Collection[Place] = ()) -> Bound:
        """Sockets for all of them or none; not where one of ``opened`` can go on.

        Raises:
            StartError: one can't be bound.
        """
        bound: Bound = {}
        try:
            for place in places:
                if not any(one.serves(place) for one in opened):
                    bound[place] = self._sockets(place)
        except BaseException:
            self.release(bound)
            raise
        return bound

    def rename(self, opened: dict[Place, T], wanted: Collection[Place]) -> None:
        """Know what goes on by the place that it is for now."""
        for place in [place for place in opened if place not in wanted]:
            new = next((one for one in wanted if place.serves(one)), None)
            if new is not None and new not in opened:
                opened[new] = opened.pop(place)
                self._hand_on(place, new)

    def _hand_on(self, place: Place, new: Place) -> None:
        if place in self._bound_here:
            self._bound_here.discard(place)
            self._bound_here.add(new)
            if place.mode != new.mode and new.address.path:
                Path(new.address.path).chmod(new.mode)

    def inherits(self, place: Place) -> bool:
        """Whether who waits there can be left to whoever serves it next."""
        return place not in self._bound_here

    def release(self, bound: Bound) -> None:
        """Close sockets that won't be served any more, or after all; remove their files."""
        for place, sockets in bound.items():
            if place in self._bound_here:
                release(sockets)
            else:
                for sock in sockets:
                    sock.close()

    def remove_file(self, place: Place, sock: socket.socket) -> None:
        """Remove the file of a Unix socket that was bound here."""
        if place in self._bound_here and sock.fileno() >= 0:
            remove_file(sock)

    def _sockets(self, place: Place) -> list[socket.socket]:
        if found := self._assigned.get(place):
            return [one.sock.dup() for one in found]
        self._bound_here.add(place)
        return bind(place.address, key=place.key, mode=place.mode)


def refuse_unused(unused: Collection[Inherited], places: Collection[Place]) -> None:
    """Say which inherited sockets nothing here is for.

    Raises:
        StartError: there are some.
    """
    if not unused:
        return
    given = ", ".join(str(one) for one in unused)
    wanted = ", ".join(f"{place.key} {place.address}" for place in places)
    raise StartError(
        f"the service manager opened {given}, where the configuration does not listen ({wanted}):"
        " make its ListenStream= and the configuration the same, or take it out of the .socket unit"
    )
