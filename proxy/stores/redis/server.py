"""Sends the store's commands: one connection pool to wherever the primary is.

Knows keys and scripts; not what an entry means.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from proxy.errors import StoreError
from proxy.stores.redis import scripts
from proxy.stores.redis.faults import told
from proxy.stores.redis.link import Link, close
from proxy.stores.redis.names import CHANNEL, Names

LEASE: Final = 10.0
"""Seconds that a lease lives unless it is prolonged: so long others wait for a dead owner."""
_COUNTED: Final = 86_400.0
"""Seconds that the count of leases outlives the newest one; the entry has it too."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What Redis has under an entry's name."""

    sealed: bytes
    fence: int


class Server:
    """The commands, each with its own errors told.

    Attributes:
        fault: how the last command failed, None where it did not.
    """

    def __init__(self, link: Link) -> None:
        self.place = link.place
        self.fault: str | None = None
        self._client = link.client()
        self._sent = set[asyncio.Future[Any]]()

    async def load(self, names: Names) -> Kept | None:
        """What is kept, None where nothing is.

        Raises:
            StoreError: no answer came, as with all of these.
        """
        with self._noting():
            asked = self._client.hmget(names.entry, ["sealed", "fence"])
            sealed, fence = await self._whole(asked)
        return None if sealed is None else Kept(sealed, int(fence or 0))

    async def take(self, names: Names, owner: str) -> int:
        """The fence of our lease; 0: somebody else has one."""
        return await self._run(scripts.TAKE, names, owner, _ms(LEASE), _ms(_COUNTED))

    async def prolong(self, names: Names, owner: str, fence: int) -> bool:
        """Whether the lease is ours for ``LEASE`` seconds from now."""
        count = _ms(_COUNTED)
        return bool(await self._run(scripts.PROLONG, names, owner, fence, _ms(LEASE), count))

    async def save(
        self, names: Names, owner: str, fence: int, sealed: bytes, lives: float | None
    ) -> bool:
        """Whether it was replaced; not if somebody else had a lease since ours.

        Args:
            names: of the entry.
            owner: of the lease.
            fence: of the lease.
            sealed: the entry.
            lives: seconds until the key ends; None: it does not.
        """
        ends = "" if lives is None else _ms(lives)
        news = (CHANNEL, names.digest)
        return bool(await self._run(scripts.SAVE, names, owner, fence, sealed, ends, *news))

    async def release(self, names: Names, owner: str) -> None:
        """The lease is over, if it was still ours."""
        await self._run(scripts.RELEASE, names, owner)

    async def settled(self) -> None:
        """Wait until all that was sent has its answer, which takes 2 s at most."""
        if self._sent:
            await asyncio.wait(self._sent)

    async def close(self) -> None:
        """Close the connections."""
        await self.settled()
        with told(self.place):
            await close(self._client)

    @contextmanager
    def _noting(self) -> Iterator[None]:
        """Remember what goes wrong until something goes well."""
        try:
            with told(self.place):
                yield
        except StoreError as error:
            self.fault = str(error)
            raise
        self.fault = None

    async def _run(self, script: str, names: Names, *arguments: Any) -> int:
        with self._noting():
            asked = self._client.eval(script, len(names.keys), *names.keys, *arguments)
            return int(await self._whole(asked))

    async def _whole(self, asked: Awaitable[Any]) -> Any:
        """The answer; a command goes on if who waits for it is cancelled: no connection is lost."""
        command = asyncio.ensure_future(asked)
        self._sent.add(command)
        command.add_done_callback(self._answered)
        return await asyncio.shield(command)

    def _answered(self, command: asyncio.Future[Any]) -> None:
        self._sent.discard(command)
        if not command.cancelled():
            command.exception()  # seen: whoever waited may be gone


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))
