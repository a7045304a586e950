"""Looks into the store when it is told that the entry changed: one look at a time, none is missed.

What a changed entry means is ``upkeep``'s to decide.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from proxy.tokens.ports import Entry
from proxy.tokens.renewal import Renewal


class Listening:
    """Between the store's word and whoever wants to know.

    Args:
        renewal: knows the store.
        found: gets the entry as it is after a change.
        name: of the credential, for its task.
    """

    def __init__(self, renewal: Renewal, found: Callable[[Entry], None], name: str) -> None:
        self._renewal = renewal
        self._found = found
        self._name = name
        self._task: asyncio.Task[None] | None = None
        self._again = False
        self._stop: Callable[[], None] | None = None

    def start(self, then: Callable[[], None]) -> None:
        """Look once, go on with ``then``, and look again after every change."""
        self._stop = self._renewal.watch(self._look)
        self._look(then)

    async def close(self) -> None:
        """Look no more."""
        if self._stop is not None:
            self._stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def _look(self, then: Callable[[], None] | None = None) -> None:
        self._again = True
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(
                self._rounds(then), name=f"look at the store {self._name}"
            )

    async def _rounds(self, then: Callable[[], None] | None) -> None:
        try:
            while self._again:
                self._again = False
                entry = await self._renewal.look()
                if entry is not None:
                    self._found(entry)
        finally:
            self._task = None
        if then is not None:
            then()
