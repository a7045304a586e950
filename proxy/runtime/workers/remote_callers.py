"""Callers whose credentials the supervisor holds, as a worker sees them.

A caller's terms live exactly as long as the prepared heads that refer to them: no bearer and no
token is kept here beyond what the head cache holds. What is new is asked for, never pushed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from weakref import WeakValueDictionary

from proxy.clock import Clock, Moment
from proxy.errors import CredentialUnavailable
from proxy.runtime.workers import words
from proxy.runtime.workers.asking import Asking
from proxy.secret import Secret
from proxy.tokens.borrowed import BorrowedCredential
from proxy.tokens.lease import Lease
from proxy.tokens.terms import Terms

AGAIN: Final = 300.0
"""Seconds after which a caller who calls is asked about again, so that the supervisor, who forgets
who does not call, knows."""


class RemoteCallers:
    """The callers of the supervisor's credential ``key``."""

    def __init__(self, key: int, asking: Asking, clock: Clock) -> None:
        self._key = key
        self._asking = asking
        self._clock = clock
        self._lent: WeakValueDictionary[Secret, BorrowedCredential] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[None]] = set()

    def of(self, bearer: Secret) -> BorrowedCredential:
        """The lender of whoever sent this bearer token."""
        lent = self._lent.get(bearer)
        if lent is None:
            lent = BorrowedCredential(_RemoteCaller(self, bearer), self._clock)
            self._lent[bearer] = lent
        return lent

    async def ask(self, bearer: Secret, hold: float, **said: Any) -> Lease | None:
        """The supervisor's answer about one caller; its terms hold from now on.

        Raises:
            CredentialUnavailable: the answer says so, or none came.
        """
        told = await self._asking.ask(hold, credential=self._key, bearer=bearer.reveal(), **said)
        self._agree(bearer, told)
        return words.lease(told["lease"])

    def _agree(self, bearer: Secret, told: Mapping[str, Any]) -> None:
        lent = self._lent.get(bearer)
        if lent is not None and told["terms"] is not None:
            lent.agree(_until_asked_again(words.terms(told["terms"]), self._clock.now()))

    def wanted(self, bearer: Secret) -> None:
        """Ask for the newest terms, while the present ones serve."""
        task = asyncio.get_running_loop().create_task(self._look(bearer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look(self, bearer: Secret) -> None:
        with contextlib.suppress(CredentialUnavailable):  # whoever needs it is told
            await self.ask(bearer, 0.0, call="acquire")


class _RemoteCaller:
    """One caller's ``Owner``; the one it belongs to is not held here, or neither would ever go."""

    def __init__(self, callers: RemoteCallers, bearer: Secret) -> None:
        self._callers = callers
        self._bearer = bearer

    async def acquire(self, hold: float) -> Lease:
        """A lease, waiting at most ``hold`` seconds for it."""
        lease = await self._callers.ask(self._bearer, hold, call="acquire")
        if lease is None:
            raise CredentialUnavailable(
                "the credential was replaced", credential="", retry_after=1.0
            )
        return lease

    async def reject(self, generation: int, hold: float) -> Lease | None:
        """The lease to replay with after a 401 for ``generation``, or None."""
        try:
            return await self._callers.ask(self._bearer, hold, call="reject", generation=generation)
        except CredentialUnavailable:
            return None

    def wanted(self) -> None:
        """The token is in use and past its soft moment."""
        self._callers.wanted(self._bearer)


def _until_asked_again(terms: Terms, now: Moment) -> Terms:
    soft, again = terms.moments.soft, now.later(AGAIN)
    earlier = Moment(min(soft.monotonic, again.monotonic), min(soft.wall, again.wall))
    return replace(terms, moments=replace(terms.moments, soft=earlier))
