"""A credential that lives in another process: asked for its lease without asking that process.

Decides by the last terms it was told who is served at once; whoever has to wait, or was answered
401, is the owner's to decide, so that all processes count as one.
"""

from __future__ import annotations

import math
from typing import Final, Protocol

from proxy.clock import Clock
from proxy.tokens.lease import Lease
from proxy.tokens.policy import Use, use
from proxy.tokens.terms import Terms

TELL_AGAIN: Final = 1.0
"""Seconds between two words to the owner that an aged token is asked for."""


class Owner(Protocol):
    """The real credential, somewhere else."""

    async def acquire(self, hold: float) -> Lease:
        """As a ``Lender``'s."""

    async def reject(self, generation: int, hold: float) -> Lease | None:
        """As a ``Lender``'s."""

    def wanted(self) -> None:
        """The token is in use and past its soft moment: it wants renewing."""


class BorrowedCredential:
    """A ``Lender`` by the terms of an owner.

    Attributes:
        used: when the token was last asked for, monotonic seconds.
    """

    __slots__ = (
        "__weakref__",
        "_clock",
        "_fresh_monotonic",
        "_fresh_wall",
        "_monotonic",
        "_owner",
        "_terms",
        "_told",
        "_wall",
        "used",
    )

    def __init__(self, owner: Owner, clock: Clock) -> None:
        self._owner = owner
        self._clock = clock
        self._monotonic = clock.monotonic
        self._wall = clock.wall
        self._told = -math.inf
        self.used = -math.inf
        self.agree(Terms())

    def agree(self, terms: Terms) -> None:
        """Lend by these terms from now on."""
        self._terms = terms
        self._fresh_monotonic = terms.moments.soft.monotonic
        self._fresh_wall = terms.moments.soft.wall

    def current(self) -> Lease | None:
        """The lease to send right now, or None: wait for one with ``acquire``."""
        self.used = now = self._monotonic()
        if now < self._fresh_monotonic and self._wall() < self._fresh_wall:
            return self._terms.lease
        return self._aged(now)

    def _aged(self, now: float) -> Lease | None:
        if now - self._told >= TELL_AGAIN:
            self._told = now
            self._owner.wanted()
        terms = self._terms
        ought = use(self._clock.now(), terms.moments)
        if ought is Use.GONE or (ought is Use.WAIT and terms.trying):
            return None
        return terms.lease

    async def acquire(self, hold: float) -> Lease:
        """A lease, waiting at most ``hold`` seconds for it.

        Raises:
            CredentialRefused: the provider refuses the credential.
            CredentialUnavailable: none came in time, or the owner is gone.
        """
        return self.current() or await self._owner.acquire(hold)

    async def reject(self, generation: int, hold: float) -> Lease | None:
        """The lease to replay with after a 401 for ``generation``, or None."""
        lease = self.current()
        if lease is not None and lease.generation > generation:
            return lease
        return await self._owner.reject(generation, hold)
