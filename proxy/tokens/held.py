"""The token at hand, laid out so that asking for it costs two comparisons.

Knows what may be sent now by the schedule; not who renews it or who waits.
"""

from __future__ import annotations

from proxy.clock import Clock, Moment
from proxy.tokens.lease import Lease, lease_of
from proxy.tokens.policy import OVER, Schedule, Use, reached, schedule, use
from proxy.tokens.ports import Entry


class Held:
    """The newest entry with its lease and moments.

    Attributes:
        entry: as it was last seen in the store.
        lease: None where there is no token, or a 401 rejected it; may be past its time.
        moments: of the lease.
        fresh_monotonic, fresh_wall: before both of these the lease is simply served.
    """

    __slots__ = ("_clock", "entry", "fresh_monotonic", "fresh_wall", "lease", "moments")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.entry = Entry()
        self.lease: Lease | None = None
        self._keep_to(OVER)

    def put(self, entry: Entry, margin: float, jitter: float) -> None:
        """Hold the token of ``entry`` from now on."""
        if entry.token is None:
            raise ValueError("an entry without a token can't be held")
        self.lease = lease_of(entry.token, entry.generation)
        self.entry = entry
        self._keep_to(schedule(entry.token, margin, jitter))

    def drop(self) -> None:
        """The token may not be sent any more."""
        self.lease = None
        self._keep_to(OVER)

    def use(self) -> Use:
        """What a request does with it now."""
        return use(self._clock.now(), self.moments)

    def late(self) -> Lease | None:
        """The lease for one who waited for the next token until ``last``, if not too late."""
        return None if reached(self._clock.now(), self.moments.final) else self.lease

    def left(self, now: Moment) -> float | None:
        """Seconds to expiry, never negative; None if it does not expire or there is none."""
        token = self.entry.token
        if token is None or token.expires is None:
            return None
        return max(0.0, now.until(token.expires))

    def _keep_to(self, moments: Schedule) -> None:
        self.moments = moments
        self.fresh_monotonic = moments.soft.monotonic
        self.fresh_wall = moments.soft.wall
