"""One renewal under the store's lock: look again, then ask the provider, persist, hand over.

Decides whether another process already did the work and what a new token does to generation,
rejection and storm window; knows neither waiting requests nor timers. RFC 6749 section 6.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from proxy.clock import Clock, Moment
from proxy.errors import Failure, TokenRequestError
from proxy.tokens.policy import RenewalPolicy, Use, schedule, use
from proxy.tokens.ports import Entry, TokenSource, TokenStore
from proxy.tokens.token import RefreshToken, Token


@dataclass(frozen=True, slots=True)
class Renewed:
    """A usable entry; ``asked``: this process got it from the provider, not from the store."""

    entry: Entry
    asked: bool


class Renewal:
    """Renews one entry of a store.

    Attributes:
        requests: how often the provider was asked.
        rejected: the highest generation that a 401 rejected, as far as this process knows; it
            counts here at once and reaches the store with the next renewal.
    """

    __slots__ = ("_clock", "_identity", "_policy", "_source", "_store", "rejected", "requests")

    def __init__(
        self,
        source: TokenSource,
        store: TokenStore,
        identity: str,
        policy: RenewalPolicy,
        clock: Clock,
    ) -> None:
        self._source = source
        self._store = store
        self._identity = identity
        self._policy = policy
        self._clock = clock
        self.requests = 0
        self.rejected = 0

    async def run(self, known: Entry, *, forced: bool) -> Renewed:
        """A newer entry than ``known``, by the provider unless the store already has one.

        Args:
            known: what the caller works with.
            forced: ask the provider whatever the store has.

        Raises:
            TokenRequestError: no usable token came.
        """
        async with self._store.lock(self._identity):
            entry = await self._store.load(self._identity)
            if not forced and self._done_elsewhere(entry, known):
                return Renewed(entry, asked=False)
            if self.rejected >= entry.generation > entry.rejected:
                if not forced and storm(entry, self._clock.now()):
                    self.rejected = entry.rejected
                    return Renewed(entry, asked=False)
                entry = replace(entry, rejected=entry.generation)
                await self._store.save(self._identity, entry)
            return Renewed(await self._ask(entry), asked=True)

    def _usable(self, entry: Entry) -> bool:
        """Whether the entry has a token that no 401 rejected."""
        return entry.token is not None and entry.generation > max(entry.rejected, self.rejected)

    def _done_elsewhere(self, entry: Entry, known: Entry) -> bool:
        if entry.token is None or not self._usable(entry) or _same_answer(entry, known):
            return False
        moments = schedule(entry.token, self._policy.margin, 0)
        return use(self._clock.now(), moments) is Use.SERVE

    async def _ask(self, entry: Entry) -> Entry:
        async def keep(refresh: RefreshToken | None) -> None:
            nonlocal entry
            entry = replace(entry, refresh=refresh)
            await self._store.save(self._identity, entry)

        self.requests += 1
        token = await self._source.obtain(entry.refresh, keep)
        if not token.value.reveal().isascii():
            raise ValueError("a token is visible ASCII")
        entry = self._successor(entry, token)
        await self._store.save(self._identity, entry)
        if use(self._clock.now(), schedule(token, self._policy.margin, 0)) is Use.GONE:
            raise TokenRequestError(
                "the provider's token had no time left when it came",
                failure=Failure.TRANSIENT,
                reason="no_token",
            )
        return entry

    def _successor(self, entry: Entry, token: Token) -> Entry:
        same = entry.token is not None and token.value == entry.token.value
        rejected = max(entry.rejected, self.rejected)
        storm_until = entry.storm_until
        if same or 0 < entry.generation <= rejected:
            storm_until = self._clock.now().later(self._policy.min_interval)
        generation = entry.generation if same else entry.generation + 1
        # The same token again is all there is: it serves, and 401s for it pass through.
        self.rejected = min(rejected, generation - 1)
        return Entry(
            token=replace(token, refresh=None),
            generation=generation,
            refresh=token.refresh or entry.refresh,
            rejected=self.rejected,
            storm_until=storm_until,
        )


def storm(entry: Entry, now: Moment) -> bool:
    """Whether a 401 for the entry's generation passes through and rejects nothing."""
    return entry.storm_until is not None and now.monotonic < entry.storm_until.monotonic


def _same_answer(entry: Entry, known: Entry) -> bool:
    """Whether both came of one answer; the next one may bring the same token again."""
    if entry.token is None or known.token is None or entry.generation != known.generation:
        return False
    return (entry.token.received, entry.token.expires) == (
        known.token.received,
        known.token.expires,
    )
