"""One renewal under the store's lock: look again, then ask the provider, persist, hand over.

Decides whether another process already did the work and what a new token does to generation,
rejection and storm window; knows neither waiting requests nor timers. RFC 6749 section 6.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from proxy.clock import Clock, Moment
from proxy.errors import Failure, StoreError, TokenRequestError
from proxy.tokens.learning import bounded, is_due, learned, lesson, relearned
from proxy.tokens.policy import RenewalPolicy, Use, schedule, use
from proxy.tokens.ports import Entry, TokenSource, TokenStore
from proxy.tokens.token import RefreshToken, Token

STORE: Final = "store"
"""The reason of a failure that is the store's."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """A usable entry; ``asked``: this process got it from the provider, not from the store."""

    entry: Entry
    asked: bool


class Renewal:
    """Renews one entry of a store.

    ``spends``: the source has a refresh token of its own, which a request may spend. ``alone``: the
    source can do without any: where the store can't be used and the token at hand is near its end,
    this process gets one for itself. ``share``: from 0 to 1, how far between soft and hard.

    Attributes:
        requests: how often the provider was asked.
        rejected: the highest generation that a 401 rejected, as far as this process knows; it
            counts here at once and reaches the store with the next renewal.
        fault: what is wrong with the store; see ``TokenStore``.
        at_stake: a refresh token is being spent, or an answer is not yet persisted: whoever ends
            the try now may lose the login.
    """

    __slots__ = (
        "_alone",
        "_asked",
        "_clock",
        "_highest",
        "_identity",
        "_lesson",
        "_policy",
        "_share",
        "_source",
        "_spends",
        "_store",
        "at_stake",
        "rejected",
        "requests",
    )

    def __init__(
        self,
        source: TokenSource,
        store: TokenStore,
        identity: str,
        policy: RenewalPolicy,
        clock: Clock,
        *,
        spends: bool = False,
        alone: bool = False,
        share: float = 1.0,
    ) -> None:
        self._source = source
        self._alone = alone
        self._share = share
        self._asked = False
        self._highest = 0
        self._spends = spends
        self._store = store
        self._identity = identity
        self._policy = policy
        self._clock = clock
        self._lesson: float | None = None
        self.requests = 0
        self.rejected = 0
        self.at_stake = False

    @property
    def fault(self) -> str | None:
        """What is wrong with the store."""
        return self._store.fault

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Have ``changed`` called when somebody changed the entry; see ``TokenStore``."""
        return self._store.watch(self._identity, changed)

    def reject(self, entry: Entry) -> None:
        """A 401 rejected the entry's token, or its session has ended."""
        self.rejected = entry.generation
        self._lesson = lesson(entry, self._clock.now())

    async def look(self) -> Entry | None:
        """The entry as it is, None where it can't be read: the next renewal tells why."""
        try:
            return await self._store.load(self._identity)
        except StoreError:
            return None

    def serves(self, entry: Entry) -> bool:
        """Whether its token may still be sent: none of its moments is over, no 401 rejected it."""
        if entry.token is None or not self._usable(entry):
            return False
        return self._use(entry.token) is not Use.GONE

    async def forget(self) -> bool:
        """Leave nothing to use in the entry; whether there was anything.

        Raises:
            StoreError: it can't be locked, read or written.
        """
        async with self._store.lock(self._identity):
            entry = await self._store.load(self._identity)
            kept = entry.token is not None or entry.refresh is not None
            if kept:
                await self._store.save(self._identity, forgotten(entry))
            return kept

    def patience(self, entry: Entry) -> float:
        """Seconds until it goes on without a store that can't be used; 0 or less: at once.

        Those that share a token do so apart from each other: a provider counts them.
        """
        if entry.token is None or not self._usable(entry):
            return 0.0
        if entry.token.expires is None:
            return math.inf
        moments = schedule(entry.token, self._policy.margin, 0)
        spread = moments.soft.until(moments.hard)
        return self._clock.now().until(moments.soft.later(self._share * spread))

    async def run(self, known: Entry, *, forced: bool) -> Renewed:
        """A newer entry than ``known``, by the provider unless the store already has one.

        Args:
            known: what the caller works with.
            forced: ask the provider whatever the store has.

        Raises:
            TokenRequestError: no usable token came, or the store can't be used.
        """
        self._asked = False
        try:
            return await self._run(known, forced=forced)
        except StoreError as error:
            if not self._alone or self._asked or (self.patience(known) > 0 and not forced):
                told = str(error)
                raise TokenRequestError(told, failure=Failure.TRANSIENT, reason=STORE) from None
        return Renewed(await self._ask_alone(known), asked=True)

    async def _run(self, known: Entry, *, forced: bool) -> Renewed:
        async with self._store.lock(self._identity):
            entry = await self._store.load(self._identity)
            if not forced and self._done_elsewhere(entry, known):
                return Renewed(entry, asked=False)
            if self.rejected >= entry.generation > entry.rejected:
                if not forced and storm(entry, self._clock.now()):
                    self.rejected = entry.rejected
                    return Renewed(entry, asked=False)
                entry = replace(learned(entry, self._lesson), rejected=entry.generation)
                await self._store.save(self._identity, entry)
            try:
                return Renewed(await self._ask(entry), asked=True)
            finally:
                self.at_stake = False

    def _usable(self, entry: Entry) -> bool:
        """Whether the entry has a token that no 401 rejected."""
        return entry.token is not None and entry.generation > max(entry.rejected, self.rejected)

    def _done_elsewhere(self, entry: Entry, known: Entry) -> bool:
        if entry.token is None or not self._usable(entry) or same_answer(entry, known):
            return False
        return self._use(entry.token) is Use.SERVE

    async def _ask(self, entry: Entry) -> Entry:
        async def keep(refresh: RefreshToken | None) -> None:
            nonlocal entry
            self.at_stake = True
            entry = replace(entry, refresh=refresh)
            await self._store.save(self._identity, entry)

        self.requests += 1
        self._asked = True
        self.at_stake = self._spends or entry.refresh is not None
        token = await self._source.obtain(entry.refresh, keep)
        self.at_stake = True
        if self._usable(entry):
            entry = relearned(entry, self._clock.now())
        entry = self._successor(entry, bounded(token, entry.learned))
        await self._store.save(self._identity, entry)
        return self._served(entry)

    async def _ask_alone(self, known: Entry) -> Entry:
        """By the full grant, for this process alone, while nobody can use the store.

        What the store has of refresh tokens is never used here: whoever uses one without the lock
        may not be the only one, and a provider that detects it ends the login of all.
        """

        async def keep(_: RefreshToken | None) -> None:
            """It belongs to nobody: the next renewal goes by the store's again."""

        self.requests += 1
        token = await self._source.obtain(None, keep)
        entry = self._successor(known, bounded(token, known.learned))
        self._highest = entry.generation
        return self._served(replace(entry, refresh=None))

    def _served(self, entry: Entry) -> Entry:
        """The entry, if there is anything to serve."""
        if entry.token is None or self._use(entry.token) is Use.GONE:
            raise TokenRequestError(
                "the provider's token had no time left when it came",
                failure=Failure.TRANSIENT,
                reason="no_token",
            )
        return entry

    def _use(self, token: Token) -> Use:
        return use(self._clock.now(), schedule(token, self._policy.margin, 0))

    def _successor(self, entry: Entry, token: Token) -> Entry:
        if not token.value.reveal().isascii():
            raise ValueError("a token is visible ASCII")
        same = entry.token is not None and token.value == entry.token.value
        rejected = max(entry.rejected, self.rejected)
        storm_until = entry.storm_until
        if same or 0 < entry.generation <= rejected:
            storm_until = self._clock.now().later(self._policy.min_interval)
        generation = entry.generation if same else max(entry.generation, self._highest) + 1
        # The same token again is all there is: it serves, and 401s for it pass through.
        self.rejected = min(rejected, generation - 1)
        return replace(
            entry,
            token=replace(token, refresh=None),
            generation=generation,
            refresh=token.refresh or entry.refresh,
            rejected=self.rejected,
            storm_until=storm_until,
        )


def forgotten(entry: Entry) -> Entry:
    """The same without anything to use: the count goes on, so that nobody takes it for older."""
    return Entry(generation=entry.generation, rejected=entry.generation, learned=entry.learned)


def storm(entry: Entry, now: Moment) -> bool:
    """Whether a 401 for the entry's generation passes through and rejects nothing."""
    if entry.storm_until is None or is_due(entry, now):
        return False
    return now.monotonic < entry.storm_until.monotonic


def same_answer(entry: Entry, known: Entry) -> bool:
    """Whether both came of one answer; the next one may bring the same token again.

    The wall clock tells: after the machine was started anew a store works the other one out.
    """
    if entry.token is None or known.token is None or entry.generation != known.generation:
        return False
    return entry.token.received.wall == known.token.received.wall and _end(entry) == _end(known)


def _end(entry: Entry) -> float | None:
    token = entry.token
    return None if token is None or token.expires is None else token.expires.wall
