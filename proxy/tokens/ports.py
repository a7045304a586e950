"""The ports of a credential: where tokens come from, where they are kept, and who sends them.

``idp`` implements the source, ``stores`` the store; ``tokens`` imports neither. Whoever puts tokens
on requests knows a ``Lender`` and nothing of what stands behind it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from proxy.clock import Moment
from proxy.secret import Secret
from proxy.tokens.lease import Lease
from proxy.tokens.token import RefreshToken, Token

Keep = Callable[[RefreshToken | None], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Entry:
    """What a store keeps for one credential; changed only under its lock.

    Attributes:
        token: the newest token, None before the first.
        generation: counts tokens; 0 before the first.
        refresh: the refresh token to use next.
        rejected: the highest generation that an upstream's 401 rejected.
        storm_until: until then a 401 for the current generation rejects nothing
            (``renew.min_interval`` after a renewal that a 401 caused, or after the provider gave
            the same token again).
        learned: seconds: how old sessions get, as the upstream's word that one had ended taught;
            None where it never said so.
    """

    token: Token | None = None
    generation: int = 0
    refresh: RefreshToken | None = None
    rejected: int = 0
    storm_until: Moment | None = None
    learned: float | None = None


class TokenSource(Protocol):
    """Asks a provider for a token; at most two requests a call."""

    async def obtain(self, held: RefreshToken | None, keep: Keep) -> Token:
        """A new token, by ``held`` where it helps, else by the full grant.

        ``keep`` persists a refresh token (or forgets a dead one) that an answer brought without
        the token being usable yet. The returned token's own ``refresh`` (None: none came, the old
        stays) is persisted by the caller before the token is used.

        Raises:
            TokenRequestError: no usable token came.
        """


CallerSources = Callable[[Secret], TokenSource]
"""Where the tokens of one caller come from, by the bearer token that the caller sent
(``subject: request``). They end no later than that one does, where it is a JWT. Called for every
token request, so it costs next to nothing; what it gives is forgotten after one ``obtain``."""


class TokenStore(Protocol):
    """Keeps entries by identity; every process that shares it sees the same ones."""

    @property
    def fault(self) -> str | None:
        """What is wrong with it now, in words for a person; None where nothing is known to be."""

    async def load(self, identity: str) -> Entry:
        """The entry, or an empty one; needs no lock.

        Raises:
            StoreError: it can't be read.
        """

    async def save(self, identity: str, entry: Entry) -> None:
        """Replace the entry; call it only while holding its lock.

        Raises:
            StoreError: it can be kept nowhere, or the lock was lost meanwhile.
        """

    def lock(self, identity: str) -> AbstractAsyncContextManager[None]:
        """Exclusive right to renew and to change this entry, over all that share the store.

        Raises:
            StoreError: on entering: it is not to be had.
        """

    def watch(self, identity: str, changed: Callable[[], None]) -> Callable[[], None]:
        """Have ``changed`` called in the running loop when the entry was replaced, by whomever.

        Once too often does no harm, later than 100 ms does. What comes back ends it.
        """

    async def close(self) -> None:
        """Let go of everything; no entry is lost by it."""


class CallerLenders(Protocol):
    """Gives every caller a lender of its own (``subject: request``)."""

    def of(self, bearer: Secret) -> Lender:
        """The lender of whoever sent this bearer token; costs nothing before it is asked."""


class Lender(Protocol):
    """Gives the token that goes on a request, as a lease for that request alone."""

    def current(self) -> Lease | None:
        """The lease to send right now, or None: wait for one with ``acquire``.

        The hot path: neither awaits nor locks.
        """

    async def acquire(self, hold: float) -> Lease:
        """A lease, waiting at most ``hold`` seconds for it.

        Raises:
            CredentialRefused: the provider refuses the credential.
            CredentialUnavailable: none came in time, or the next try lies beyond ``hold``.
        """

    async def reject(self, generation: int, hold: float) -> Lease | None:
        """An upstream answered 401 to ``generation``: the lease to replay with, or None.

        None: let the 401 pass. Waits at most ``hold`` seconds for the one renewal it may cause.
        """
