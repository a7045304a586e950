"""A worker's questions to the supervisor, and the owner of a borrowed credential they make up.

Each question has a number and a deadline; whoever waits is told why where no lease comes.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any, Final

from proxy.errors import CredentialUnavailable
from proxy.runtime.workers import words
from proxy.runtime.workers.frames import Said, frame
from proxy.tokens.lease import Lease

GRACE: Final = 1.0
"""Seconds beyond the hold that an answer may take: the supervisor keeps the time itself."""


class Asking:
    """Numbers questions and hands out the answers.

    Args:
        send: takes a frame to the supervisor.
    """

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self.send = send
        self._numbers = itertools.count()
        self._open: dict[int, asyncio.Future[Said]] = {}

    async def ask(self, hold: float, **said: Any) -> Said:
        """The answer.

        Raises:
            CredentialUnavailable: the answer says so, or none came within ``hold`` seconds and
                a little.
        """
        number = next(self._numbers)
        answer: asyncio.Future[Said] = asyncio.get_running_loop().create_future()
        self._open[number] = answer
        try:
            self.send(frame({"kind": "ask", "number": number, "hold": hold, **said}))
            async with asyncio.timeout(hold + GRACE):
                told = await answer
        except TimeoutError:
            raise _silence() from None
        finally:
            del self._open[number]
        if "failure" in told:
            raise words.failure(told["failure"])
        return told

    def answered(self, said: Said) -> None:
        """An answer came; nobody may be waiting for it any more."""
        answer = self._open.get(said["number"])
        if answer is not None and not answer.done():
            answer.set_result(said)


class RemoteOwner:
    """The credential ``key`` of the supervisor."""

    def __init__(self, key: int, asking: Asking) -> None:
        self._key = key
        self._asking = asking

    async def acquire(self, hold: float) -> Lease:
        """A lease, waiting at most ``hold`` seconds for it.

        Raises:
            CredentialRefused: the provider refuses the credential.
            CredentialUnavailable: none came in time.
        """
        told = await self._asking.ask(hold, call="acquire", credential=self._key)
        lease = words.lease(told["lease"])
        if lease is None:
            raise _silence()
        return lease

    async def reject(self, generation: int, hold: float) -> Lease | None:
        """The lease to replay with after a 401 for ``generation``, or None."""
        try:
            told = await self._asking.ask(
                hold, call="reject", credential=self._key, generation=generation
            )
        except CredentialUnavailable:
            return None
        return words.lease(told["lease"])

    def wanted(self) -> None:
        """The token is in use and past its soft moment."""
        self._asking.send(frame({"kind": "wanted", "credential": self._key}))


def _silence() -> CredentialUnavailable:
    return CredentialUnavailable(
        "the process that holds the tokens does not answer", credential="", retry_after=1.0
    )
