"""The one place that decides about time: when a token is served, renewed, waited for, or gone.

Pure functions of moments and lifetimes; knows no loop, no provider and no store. Expiry is judged
by the monotonic and the wall clock, the earlier wins: a machine that slept finds out on waking.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import Final

from proxy.clock import Moment
from proxy.tokens.token import Token

JITTER: Final = 0.1


@dataclass(frozen=True, slots=True)
class RenewalPolicy:
    """What the configuration says about renewing (its ``renew`` key), in seconds.

    Attributes:
        margin: how long before expiry renewal begins, at most; a third of the lifetime if less.
        min_interval: after a renewal that a 401 caused, how long further 401s reject nothing.
        idle: renew by itself only what was used within this time; None: always.
    """

    margin: float = 300.0
    min_interval: float = 10.0
    idle: float | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """The moments that part a token's life.

    Attributes:
        soft: renewal begins, the token is served meanwhile.
        hard: requests wait for a try that is in flight.
        last: the token counts as not there.
        final: who waited until ``last`` may still send it until here, halfway to expiry: a timer
            is never exact.
    """

    soft: Moment
    hard: Moment
    last: Moment
    final: Moment


class Use(enum.Enum):
    """What a request that needs the token does with it now."""

    SERVE = enum.auto()
    """Send it."""
    RENEW = enum.auto()
    """Send it, and renew in the background."""
    WAIT = enum.auto()
    """Wait for a try in flight, at most until ``last``; between tries send it."""
    GONE = enum.auto()
    """It is not there."""


_NEVER: Final = Moment(math.inf, math.inf)
_LONG_AGO: Final = Moment(-math.inf, -math.inf)

ENDLESS: Final = Schedule(_NEVER, _NEVER, _NEVER, _NEVER)
"""For a token that does not expire."""
OVER: Final = Schedule(_LONG_AGO, _LONG_AGO, _LONG_AGO, _LONG_AGO)
"""For no token at all."""


def schedule(token: Token, margin: float, jitter: float) -> Schedule:
    """The moments of ``token``.

    Args:
        token: as the provider gave it.
        margin: seconds, as in :class:`RenewalPolicy`.
        jitter: from -1 to 1; moves soft by up to a tenth of its distance to expiry, so that many
            sidecars started together do not renew together.
    """
    lifetime = token.lifetime
    if token.expires is None or lifetime is None:
        return ENDLESS
    last = min(1.0, lifetime / 10)
    # A margin below `last` would begin the renewal after the token is gone.
    soft = max(min(margin, lifetime / 3) * (1 + JITTER * jitter), last)
    return Schedule(
        soft=token.expires.later(-soft),
        hard=token.expires.later(-min(10.0, lifetime / 5)),
        last=token.expires.later(-last),
        final=token.expires.later(-last / 2),
    )


def use(now: Moment, moments: Schedule) -> Use:
    """What to do with the token at ``now``."""
    if reached(now, moments.last):
        return Use.GONE
    if not reached(now, moments.soft):
        return Use.SERVE
    return Use.WAIT if reached(now, moments.hard) else Use.RENEW


def too_short(left: float | None, lifetime: float | None, wanted: float) -> bool:
    """Whether who wants a token for ``wanted`` seconds needs another than this one.

    Not where none lives that long: a new one would not help. All in seconds; None for a token
    that does not expire.
    """
    return left is not None and lifetime is not None and left < wanted <= lifetime


def reached(now: Moment, moment: Moment) -> bool:
    """Whether either clock says that ``moment`` has come."""
    return now.monotonic >= moment.monotonic or now.wall >= moment.wall
