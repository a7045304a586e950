"""Tells that entries were replaced: by messages of Redis, and by looking again after a silence.

Knows channels and callbacks; not what is in the entries.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable
from random import Random
from typing import Any, Final

from proxy.clock import Clock
from proxy.stores.pausing import pause
from proxy.stores.redis.faults import FAULTS
from proxy.stores.redis.link import Link, close
from proxy.stores.redis.names import CHANNEL

Changed = Callable[[], None]
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0
_HEARTBEAT: Final = 5.0
"""Seconds of silence after which the connection is asked whether it is alive."""


class News:
    """Callbacks by what an entry is called, all over one connection.

    Args:
        link: how to reach Redis.
        clock: for the pauses between two tries to connect.
        random: spreads them.
    """

    def __init__(self, link: Link, clock: Clock, random: Random) -> None:
        self._link = link
        self._clock = clock
        self._random = random
        self._callbacks: defaultdict[str, list[Changed]] = defaultdict(list)
        self._task: asyncio.Task[None] | None = None

    def add(self, name: str, changed: Changed) -> Callable[[], None]:
        """Call ``changed`` in the running loop after every message with this name, until stopped.

        Also when messages cease to come and when they come again: some may have been missed.
        """
        self._callbacks[name].append(changed)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._listen(), name="store news")

        def stop() -> None:
            if changed in self._callbacks.get(name, ()):
                self._callbacks[name].remove(changed)
                if not self._callbacks[name]:
                    del self._callbacks[name]

        return stop

    async def close(self) -> None:
        """Hear no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def tell(self, name: str) -> None:
        """The entry was replaced."""
        for changed in tuple(self._callbacks.get(name, ())):
            changed()

    def _tell_all(self) -> None:
        for name in tuple(self._callbacks):
            self.tell(name)

    async def _listen(self) -> None:
        wait = _FIRST_PAUSE
        for client in self._link.listeners():
            began = self._clock.monotonic()
            try:
                await self._hear(client)
            except FAULTS:
                pass  # whoever looks, told below, finds out what it is
            finally:
                with contextlib.suppress(*FAULTS):
                    await close(client)
            self._tell_all()
            if self._clock.monotonic() - began > _LONGEST_PAUSE:
                wait = _FIRST_PAUSE
            await pause(self._random.uniform(wait / 2, wait), self._clock)
            wait = min(2 * wait, _LONGEST_PAUSE)

    async def _hear(self, client: Any) -> None:
        asked = False
        async with client.pubsub() as messages:
            await messages.subscribe(CHANNEL)
            while True:
                message = await messages.get_message(timeout=_HEARTBEAT)
                if message is None and asked:
                    return
                asked = message is None
                if message is None:
                    await messages.ping()
                elif message["type"] == "subscribe":
                    self._tell_all()
                elif message["type"] == "message":
                    self.tell(message["data"].decode("ascii", "replace"))
