"""One credential for a program that asks and ends: its entry, renewed once if need be.

Decides when what the store has will do, and what a failed renewal means to who asked. Nothing is
renewed by itself here; what runs for long has a ``Credential``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from proxy.clock import Clock
from proxy.errors import SecretError, StoreError, TokenRequestError
from proxy.tokens.absence import PENDING, absent
from proxy.tokens.lease import Lease, lease_of
from proxy.tokens.policy import RenewalPolicy
from proxy.tokens.ports import Entry, TokenSource, TokenStore
from proxy.tokens.presence import still_serves, will_do
from proxy.tokens.renewal import Renewal, Renewed

GRACE: Final = 10.0
"""Seconds that an answer which may bring a new refresh token gets to come and be persisted when
whoever asked gives up."""


class Visit:
    """A ``Lender`` too, for credentials that are obtained with this one's token.

    Args:
        name: the credential's.
        source: where a token comes from.
        store: where it is kept.
        identity: names the entry.
        policy: when it is renewed.
        clock: the process's.
        spends: the source has a refresh token of its own, which a request may spend.
        ready: called before the provider is asked; SecretError where a secret is missing.
        tell: is told what a person should see to, in words for a log.
    """

    def __init__(
        self,
        name: str,
        *,
        source: TokenSource,
        store: TokenStore,
        identity: str,
        policy: RenewalPolicy,
        clock: Clock,
        spends: bool,
        ready: Callable[[], None],
        tell: Callable[[str], None],
    ) -> None:
        self._name = name
        self._store = store
        self._identity = identity
        self._margin = policy.margin
        self._clock = clock
        self._ready = ready
        self._tell = tell
        self._renewal = Renewal(source, store, identity, policy, clock, spends=spends)

    async def entry(self, least: float = 0.0) -> Entry:
        """An entry whose token may be used now, renewed where that is due.

        Args:
            least: seconds that the token should live, where tokens of this provider do.

        Raises:
            TokenRequestError: there is none, and the provider gave none.
            SecretError: the same, and it could not be asked.
            StoreError: the store can't be used.
        """
        known = await self._store.load(self._identity)
        if will_do(known, self._clock.now(), self._margin, least):
            return known
        try:
            return await self._renewed(known)
        except (TokenRequestError, SecretError) as error:
            if not still_serves(known, self._clock.now(), self._margin, least):
                raise
            self._tell(f"credential {self._name}: {error}; what is left of the old token serves")
            return known

    async def refreshed(self) -> Entry:
        """An entry with a newer token than is there now, by us or by whoever is at it.

        Raises:
            TokenRequestError, SecretError, StoreError: as above, whatever is left of the old one.
        """
        return await self._renewed(await self._store.load(self._identity))

    async def rejected(self, generation: int) -> Entry:
        """An entry to use after a server refused this generation; a newer one stays.

        The same one within ``min_interval`` after the last renewal that a refusal caused.

        Raises:
            TokenRequestError, SecretError, StoreError: as above.
        """
        known = await self._store.load(self._identity)
        if known.generation != generation or known.token is None:
            return await self.entry()
        self._renewal.reject(known)
        return await self._renewed(known)

    async def forget(self) -> bool:
        """Leave nothing to use in the entry; see ``Renewal.forget``."""
        return await self._renewal.forget()

    def current(self) -> Lease | None:
        """None: wait for it; see ``Lender``."""
        return None

    async def acquire(self, hold: float) -> Lease:
        """A lease; see ``Lender``."""
        try:
            entry = await asyncio.wait_for(self.entry(), hold)
        except TimeoutError:
            raise absent(self._name, PENDING) from None
        except (SecretError, StoreError, TokenRequestError) as error:
            raise absent(self._name, error) from None
        assert entry.token is not None  # noqa: S101 - what entry() promises
        return lease_of(entry.token, entry.generation)

    async def reject(self, generation: int, hold: float) -> Lease | None:  # noqa: ARG002 - the port
        """None: who asks once sends nothing twice; see ``Lender``."""
        return None

    async def _renewed(self, known: Entry) -> Entry:
        self._ready()
        renewal = asyncio.ensure_future(self._renewal.run(known, forced=False))
        try:
            renewed = await asyncio.shield(renewal)
        except asyncio.CancelledError:
            await self._give_up(renewal)
            raise
        except TokenRequestError as error:
            if error.reason == "store":
                raise StoreError(str(error)) from None
            raise
        return renewed.entry

    async def _give_up(self, renewal: asyncio.Future[Renewed]) -> None:
        """End it; but an answer that replaces a refresh token must not be lost."""
        if self._renewal.at_stake:
            await asyncio.wait({renewal}, timeout=GRACE)
        renewal.cancel()
        await asyncio.wait({renewal})
