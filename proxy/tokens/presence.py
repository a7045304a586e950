"""Whether an entry's token will do for somebody who wants it for a while, or once.

Pure functions of an entry and a moment; know no store and no provider.
"""

from __future__ import annotations

from proxy.clock import Moment
from proxy.tokens.policy import Use, schedule, too_short, use
from proxy.tokens.ports import Entry
from proxy.tokens.token import Token


def usable(entry: Entry) -> Token | None:
    """The entry's token unless there is none, or a 401 rejected it."""
    return entry.token if entry.generation > entry.rejected else None


def will_do(entry: Entry, now: Moment, margin: float, least: float = 0.0) -> bool:
    """Whether the token serves as it is: no renewal is due, and it lives ``least`` seconds more.

    ``margin`` is as in ``RenewalPolicy``; for ``least`` see ``policy.too_short``.
    """
    return _stands(entry, now, margin, least) is Use.SERVE


def still_serves(entry: Entry, now: Moment, margin: float, least: float = 0.0) -> bool:
    """Whether the token may be used where a renewal that was due did not succeed."""
    return _stands(entry, now, margin, least) is not Use.GONE


def left(token: Token, now: Moment) -> float | None:
    """Seconds to expiry, never negative; None if it does not expire."""
    return None if token.expires is None else max(0.0, now.until(token.expires))


def _stands(entry: Entry, now: Moment, margin: float, least: float) -> Use:
    token = usable(entry)
    if token is None or too_short(left(token, now), token.lifetime, least):
        return Use.GONE
    return use(now, schedule(token, margin, 0))
