"""The way to an upstream: a token worth sending and a healthy connection, within the hold.

Decides in which order the two are waited for, so that the token is the one of the moment
of writing. Knows nothing of what is written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from proxy.plane.answers import BROKE_OFF
from proxy.plane.faults import UpstreamError
from proxy.plane.outbound import Outbound
from proxy.plane.pool import Pool
from proxy.plane.totals import RouteTotals
from proxy.plane.waiting import waiting
from proxy.tokens.lease import Lease
from proxy.tokens.ports import Lender

MOST_CONNECTIONS: Final = 3
"""How many new ones an upstream may end before anything was sent on them."""

Way = tuple[Outbound, Lease | None]


class Approach:
    """One request's way; ``hold`` bounds, in seconds, all its waiting for tokens together.

    Each wait is counted in ``totals``.
    """

    __slots__ = ("_credential", "_hold", "_now", "_pool", "_totals")

    def __init__(
        self,
        pool: Pool,
        credential: Lender | None,
        hold: float,
        now: Callable[[], float],
        totals: RouteTotals,
    ) -> None:
        self._pool = pool
        self._credential = credential
        self._hold = hold
        self._now = now
        self._totals = totals

    async def wait(self) -> Way:
        """A connection and the lease of this moment.

        Raises:
            CredentialUnavailable: no token came within the hold.
            UpstreamError: the upstream can't be had.
        """
        lease = await self._lease()
        outbound = self._pool.take(self._now())
        for _ in range(MOST_CONNECTIONS):
            if outbound is not None:
                break
            outbound = await self._pool.connect()
            try:
                lease = await self._lease()  # connecting took time
            except BaseException:
                outbound.drop()  # nobody else knows of it
                raise
            if not outbound.usable:
                outbound = self._pool.take(self._now())
        if outbound is None:
            raise UpstreamError(BROKE_OFF)
        return outbound, lease

    async def _lease(self) -> Lease | None:
        if self._credential is None:
            return None
        lease = self._credential.current()
        if lease is None:
            with waiting(self._totals, self._now) as wait:
                lease = await self._credential.acquire(self._hold)
            self._spend(wait.seconds)
        return lease

    async def renew(self, credential: Lender, generation: int) -> bool:
        """After a 401 for ``generation``: whether there is a newer token to try once more with."""
        with waiting(self._totals, self._now) as wait:
            lease = await credential.reject(generation, self._hold)
        self._spend(wait.seconds)
        return lease is not None

    def _spend(self, seconds: float) -> None:
        self._hold = max(0.0, self._hold - seconds)
