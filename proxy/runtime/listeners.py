"""What listens where: changed as a whole, so that a bad change leaves everything as it was.

Addresses that stay are not touched: their connections and their queue of new ones go on.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp.web_runner import BaseRunner
from aiohttp.web_server import Server

from proxy.plane.hosting import Hosted
from proxy.runtime.binding import Binding, Bound, Place

Serve = Callable[[], Server | BaseRunner]
"""Makes the server for one place."""


@dataclass(frozen=True, slots=True)
class _Open:
    hosted: Hosted
    sockets: list[socket.socket]


class Listeners:
    """The listening sockets and their servers; ``binding`` is where sockets come from."""

    def __init__(self, binding: Binding) -> None:
        self._binding = binding
        self._open: dict[Place, _Open] = {}
        self._leaving: dict[asyncio.Task[None], Hosted] = {}

    def bind(self, wanted: Mapping[Place, Serve]) -> Bound:
        """Bind what is wanted and not open yet: all of it or nothing.

        Raises:
            StartError: one can't be bound.
        """
        return self._binding.bind(wanted, self._open)

    def release(self, bound: Bound) -> None:
        """Close sockets that were bound in vain."""
        self._binding.release(bound)

    async def change(self, wanted: Mapping[Place, Serve], bound: Bound) -> None:
        """Serve what is wanted, on sockets that ``bind`` gave; listen at the rest no more.

        What is under way there ends by itself: nobody waits for it.
        """
        self._binding.rename(self._open, wanted)
        for place, sockets in bound.items():
            goes_on = self._binding.inherits(place)
            hosted = await Hosted.open(wanted[place](), sockets, goes_on=goes_on)
            self._open[place] = _Open(hosted, sockets)
        for place in [place for place in self._open if place not in wanted]:
            gone = self._open.pop(place)
            await self._stop(place, gone)
            self._leave(gone.hosted)

    def _leave(self, hosted: Hosted) -> None:
        task = asyncio.get_running_loop().create_task(hosted.leave())
        self._leaving[task] = hosted
        task.add_done_callback(self._leaving.pop)

    def places(self) -> tuple[Place, ...]:
        """Where it listens."""
        return tuple(self._open)

    async def stop_accepting(self, keys: frozenset[str]) -> None:
        """Close the listening sockets of these kinds; open connections go on."""
        for place, found in self._open.items():
            if place.key in keys:
                await self._stop(place, found)

    async def close(self) -> None:
        """Close everything."""
        for place, found in self._open.items():
            await self._stop(place, found)
            await found.hosted.close()
        self._open.clear()
        for task, hosted in list(self._leaving.items()):
            task.cancel()
            await asyncio.wait([task])
            await hosted.close()

    async def _stop(self, place: Place, found: _Open) -> None:
        for sock in found.sockets:
            self._binding.remove_file(place, sock)
        await found.hosted.stop_accepting()
