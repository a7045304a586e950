"""One credential that always holds a token worth sending: single flight, generations, waiting.

Decides who waits and who is answered at once; the moments come from ``policy``, the waits between
tries from ``retries``, one renewal under the store's lock is ``renewal``.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from proxy.clock import Clock
from proxy.tokens.event import Event
from proxy.tokens.lease import Lease
from proxy.tokens.policy import RenewalPolicy
from proxy.tokens.ports import TokenSource, TokenStore
from proxy.tokens.status import CredentialStatus


def _silent(_: Event) -> None:
    """Log nothing."""


class Credential:
    """Holds the token of one configured credential and keeps it fresh."""

    def __init__(
        self,
        name: str,
        *,
        source: TokenSource,
        store: TokenStore,
        identity: str,
        renewal: RenewalPolicy,
        clock: Clock,
        random: random.Random,
        required: bool = True,
        log: Callable[[Event], None] = _silent,
    ) -> None:
        self.name = name
        self.required = required

    def current(self) -> Lease | None:
        """The lease to send right now, or None: wait for one with ``acquire``.

        The hot path: neither awaits nor locks. Begins a background renewal when one is due.
        """
        raise NotImplementedError

    async def acquire(self, hold: float) -> Lease:
        """A lease, waiting at most ``hold`` seconds for it.

        Cancelling a waiter never cancels the renewal.

        Raises:
            CredentialRefused: the provider refuses the credential.
            CredentialUnavailable: none came in time, or the next try lies beyond ``hold``.
        """
        raise NotImplementedError

    async def reject(self, generation: int, hold: float) -> Lease | None:
        """An upstream answered 401 to ``generation``: the lease to replay with, or None.

        None: let the 401 pass. Waits at most ``hold`` seconds for the one renewal it may cause.
        """
        raise NotImplementedError

    async def refresh(self, hold: float) -> Lease:
        """Someone asks: renew now, even what the provider refused before.

        Raises:
            CredentialRefused: the provider refuses the credential.
            CredentialUnavailable: the renewal failed or did not end within ``hold`` seconds.
        """
        raise NotImplementedError

    def start(self) -> None:
        """Begin renewing without traffic; the first token is fetched at once. Needs a loop."""
        raise NotImplementedError

    async def close(self) -> None:
        """Stop the timer, cancel what is in flight, let waiters go."""
        raise NotImplementedError

    def status(self) -> CredentialStatus:
        """How it is doing."""
        raise NotImplementedError
