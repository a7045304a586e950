"""What listens where: changed as a whole, so that a bad change leaves everything as it was.

Addresses that stay are not touched: their connections and their queue of new ones go on.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from aiohttp.web_runner import BaseRunner
from aiohttp.web_server import Server

from proxy.plane.hosting import Hosted
from proxy.plane.settings import Address
from proxy.runtime.sockets import PRIVATE, bind, release, remove_file


class Place(NamedTuple):
    """An address and what it is for.

    Attributes:
        key: the configuration key it came from: ``listen``, ``admin``, ``metrics``, ``routes``.
    """

    key: str
    address: Address
    mode: int = PRIVATE


Serve = Callable[[], Server | BaseRunner]
"""Makes the server for one place."""


Bound = dict[Place, list[socket.socket]]
"""Sockets that are bound and not served yet."""


def bind_all(places: Iterable[Place]) -> Bound:
    """Bind all of them or none.

    Raises:
        StartError: one can't be bound.
    """
    bound: Bound = {}
    try:
        for place in places:
            bound[place] = bind(place.address, key=place.key, mode=place.mode)
    except BaseException:
        release_all(bound)
        raise
    return bound


def release_all(bound: Bound) -> None:
    """Close sockets that were bound in vain."""
    for sockets in bound.values():
        release(sockets)


@dataclass(frozen=True, slots=True)
class _Open:
    hosted: Hosted
    sockets: list[socket.socket]


class Listeners:
    """The listening sockets and their servers."""

    def __init__(self) -> None:
        self._open: dict[Place, _Open] = {}

    def bind(self, wanted: Mapping[Place, Serve]) -> Bound:
        """Bind what is wanted and not open yet: all of it or nothing.

        Raises:
            StartError: one can't be bound.
        """
        return bind_all(place for place in wanted if place not in self._open)

    def release(self, bound: Bound) -> None:
        """Close sockets that were bound in vain."""
        release_all(bound)

    async def change(self, wanted: Mapping[Place, Serve], bound: Bound) -> None:
        """Serve what is wanted, on sockets that ``bind`` gave; close the rest."""
        for place, sockets in bound.items():
            hosted = await Hosted.open(wanted[place](), sockets)
            self._open[place] = _Open(hosted, sockets)
        for place in [place for place in self._open if place not in wanted]:
            gone = self._open.pop(place)
            await self._stop(gone)
            await gone.hosted.close()

    def places(self) -> tuple[Place, ...]:
        """Where it listens."""
        return tuple(self._open)

    async def stop_accepting(self, keys: frozenset[str]) -> None:
        """Close the listening sockets of these kinds; open connections go on."""
        for place, found in self._open.items():
            if place.key in keys:
                await self._stop(found)

    async def close(self) -> None:
        """Close everything."""
        for found in self._open.values():
            await self._stop(found)
            await found.hosted.close()
        self._open.clear()

    async def _stop(self, found: _Open) -> None:
        for sock in found.sockets:
            if sock.fileno() >= 0:
                remove_file(sock)
        await found.hosted.stop_accepting()
