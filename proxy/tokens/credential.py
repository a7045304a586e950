"""One credential that always holds a token worth sending.

Decides who is served, who waits and who is answered at once; the moments come from ``policy``, the
tries and their single flight from ``upkeep``, the waits between them from ``retries``.
"""

from __future__ import annotations

import contextlib
import math
import random
from collections.abc import Callable

from proxy.clock import Clock
from proxy.errors import CredentialRefused, CredentialUnavailable, StoreError
from proxy.tokens.event import Event
from proxy.tokens.journal import Journal
from proxy.tokens.lease import Lease
from proxy.tokens.policy import RenewalPolicy, Use
from proxy.tokens.ports import TokenSource, TokenStore
from proxy.tokens.renewal import Renewal, storm
from proxy.tokens.status import CredentialStatus, State
from proxy.tokens.terms import Terms
from proxy.tokens.upkeep import Upkeep

_IN_FLIGHT = 1.0
"""How many seconds ``Retry-After`` names while a try is in flight."""


def _silent(_: Event) -> None:
    """Log nothing."""


class Credential:
    """Holds the token of one configured credential and keeps it fresh.

    One event loop uses it. ``identity`` names its entry in ``store``: credentials that share both
    share one token. ``random`` spreads renewals and retries; nothing secret depends on it.
    ``spends``: the source has a refresh token of its own, which a request may spend; ``alone``: it
    can do without any, where the store can't be used.
    """

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
        spends: bool = False,
        alone: bool = False,
        log: Callable[[Event], None] = _silent,
    ) -> None:
        self.name = name
        self.required = required
        self._clock = clock
        self._monotonic = clock.monotonic
        self._wall = clock.wall
        self._renewal = Renewal(
            source,
            store,
            identity,
            renewal,
            clock,
            spends=spends,
            alone=alone,
            share=random.random() if alone else 1.0,
        )
        self._journal = Journal(name, clock, log)
        self._upkeep = Upkeep(self._renewal, renewal, self._journal, clock, random)
        self._retries = self._upkeep.retries
        self._held = self._upkeep.held

    def start(self) -> None:
        """Begin renewing without traffic; the first token is fetched at once. Needs a loop.

        With ``renew.idle`` nothing is fetched before the first use.
        """
        self._upkeep.start()

    async def retire(self, patience: float) -> None:
        """Another takes its place: close it once nobody waits here, at most ``patience`` seconds.

        Whoever waits gets what they began to wait for; nothing is renewed for anybody else.
        """
        await self._upkeep.retire(patience)

    async def close(self) -> None:
        """Stop the timer, let waiters go, end what is in flight, which may take 10 s."""
        await self._upkeep.close()

    def current(self) -> Lease | None:
        """The lease to send right now, or None: wait for one with ``acquire``.

        The hot path: neither awaits nor locks. Begins a background renewal when one is due.
        """
        self._upkeep.used = now = self._monotonic()
        held = self._held
        if now < held.fresh_monotonic and self._wall() < held.fresh_wall:
            return held.lease
        return self._aged(now)

    def _aged(self, now: float) -> Lease | None:
        self._upkeep.begin_if_due(now)
        use = self._held.use()
        if use is Use.GONE or (use is Use.WAIT and self._upkeep.trying):
            return None
        return self._held.lease

    async def acquire(self, hold: float) -> Lease:
        """A lease, waiting at most ``hold`` seconds for it.

        Cancelling a waiter never cancels the renewal.

        Raises:
            CredentialRefused: the provider refuses the credential.
            CredentialUnavailable: none came in time, or the next try lies beyond ``hold``.
        """
        deadline = self._monotonic() + hold
        while True:
            lease = self.current() or await self._wait(deadline)
            if lease is not None:
                return lease

    async def _wait(self, deadline: float) -> Lease | None:
        """Wait for a change: a lease if the old one is what comes of it, None to look again."""
        if self._held.use() is Use.WAIT:
            return await self._until_last(deadline)
        now = self._monotonic()
        too_far = not self._upkeep.trying and self._retries.fixed and self._retries.due > deadline
        if self._upkeep.closed or now >= deadline or too_far:
            raise self._unavailable()
        self._retries.bring_forward(now)
        await self._upkeep.pause(deadline - now)
        return None

    async def _until_last(self, deadline: float) -> Lease | None:
        """Wait for the try in flight, at most until ``last``; then send the old token."""
        now = self._clock.now()
        until_last = now.until(self._held.moments.last)
        await self._upkeep.pause(min(until_last, deadline - now.monotonic))
        return self._held.late()

    async def reject(self, generation: int, hold: float) -> Lease | None:
        """An upstream answered 401 to ``generation``: the lease to replay with, or None.

        None: let the 401 pass. Waits at most ``hold`` seconds for the one renewal it may cause.
        """
        if not self._held.entry.generation:
            # Who was refused has the token from somebody who shares the store; we look now.
            with contextlib.suppress(CredentialUnavailable):
                await self.acquire(hold)
        if generation < self._held.entry.generation:
            return await self._newer(generation, hold)
        if generation == self._held.entry.generation and self._hurry(generation):
            await self._upkeep.one_try(self._monotonic() + hold)
        lease = self.current()
        return lease if lease is not None and lease.generation > generation else None

    def _hurry(self, generation: int) -> bool:
        """Reject the newest generation and see to it that a try is at hand; False if none is."""
        if generation <= self._renewal.rejected:
            return self._upkeep.trying
        now = self._clock.now()
        if storm(self._held.entry, now):
            return False
        self._upkeep.refuse()
        if not self._upkeep.trying and not self._retries.hasten(now.monotonic):
            return False
        self._upkeep.begin_if_due(now.monotonic)
        return True

    async def _newer(self, generation: int, hold: float) -> Lease | None:
        try:
            lease = await self.acquire(hold)
        except CredentialUnavailable:
            return None
        return lease if lease.generation > generation else None

    async def refresh(self, hold: float) -> Lease:
        """Someone asks: renew now, even what the provider refused before.

        A moment that the provider named by ``Retry-After`` is still kept to.

        Raises:
            CredentialRefused: the provider refuses the credential.
            CredentialUnavailable: the renewal failed or did not end within ``hold`` seconds.
        """
        deadline = self._monotonic() + hold
        if self._retries.told_to_wait(self._monotonic()):
            raise self._unavailable()
        self._upkeep.begin(forced=True)
        ended = await self._upkeep.one_try(deadline)
        lease = self.current()
        if not ended or lease is None or self._retries.setback is not None:
            raise self._unavailable()
        return lease

    def secret_changed(self, *, renew: bool) -> None:
        """A secret that it asks with is another one now: what failed is tried at once.

        Not what the provider put off by ``Retry-After``. ``renew``: renewed in any case, since the
        secret is the token itself.
        """
        if renew or not self._retries.told_to_wait(self._monotonic()):
            self._upkeep.try_anew(forced=renew)

    async def forget(self) -> bool:
        """Someone asks: forget token and refresh token; whether there was anything.

        What needs no person is obtained anew, as after a start.

        Raises:
            CredentialUnavailable: the store can't be used.
        """
        try:
            return await self._upkeep.forget()
        except StoreError as error:
            message = f"credential {self.name}: {error}"
            raise CredentialUnavailable(message, credential=self.name, retry_after=None) from None

    def _unavailable(self) -> CredentialUnavailable:
        setback = self._retries.setback
        wait = _IN_FLIGHT if self._upkeep.trying else self._retries.due - self._monotonic()
        retry_after = None if math.isinf(wait) else max(0.0, wait)
        if setback is None:
            message = f"credential {self.name}: the provider has not answered yet"
            return CredentialUnavailable(message, credential=self.name, retry_after=retry_after)
        message = f"credential {self.name}: {setback.message}"
        if setback.refusal:
            return CredentialRefused(
                message, credential=self.name, retry_after=retry_after, error=setback.error
            )
        return CredentialUnavailable(message, credential=self.name, retry_after=retry_after)

    def terms(self) -> Terms:
        """What another process has to know to lend the token as ``current`` does."""
        return Terms(self._held.lease, self._held.moments, self._upkeep.trying)

    def watch(self, changed: Callable[[], None]) -> None:
        """Have ``changed`` called whenever the terms are others than before."""
        self._upkeep.changed = changed

    def used(self, moment: float) -> None:
        """Another process asked for the token at ``moment``, in monotonic seconds."""
        self._upkeep.used = max(self._upkeep.used, moment)

    def status(self) -> CredentialStatus:
        """How it is doing; costs nothing and begins nothing."""
        token = self._held.entry.token
        next_in = self._upkeep.next_in()
        return CredentialStatus(
            name=self.name,
            state=self._state(),
            required=self.required,
            ready=token is not None,
            generation=self._held.entry.generation,
            field=None if token is None else token.field,
            lifetime_seconds=None if token is None else token.lifetime,
            expires_in_seconds=self._held.left(self._clock.now()),
            next_renewal_in_seconds=None if math.isinf(next_in) else next_in,
            last_error=self._journal.last_error,
            token_requests=self._renewal.requests,
            renewals=self._journal.renewals,
            failures=dict(self._journal.failures),
            rejections=self._journal.rejections,
            store_fault=self._renewal.fault,
            failing_since=self._journal.failing_since,
        )

    def _state(self) -> State:
        if self._held.use() is not Use.GONE:
            return "renewing" if self._upkeep.trying else "valid"
        setback = self._retries.setback
        if setback is not None:
            return "refused" if setback.refusal else "unavailable"
        if self._upkeep.trying:
            return "renewing"
        return "empty" if self._held.entry.token is None else "expired"
