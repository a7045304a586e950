"""When a token ends: the earlier of ``expires_in`` (RFC 6749 section 5.1) and a JWT's ``exp``.

``exp`` stands on the provider's clock; the answer's ``Date`` tells how far that is from ours.
Knows nothing of grants, and no clock but the moments of the answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from proxy.clock import Moment
from proxy.message import Answer
from proxy.oauth import jwt
from proxy.oauth.dates import http_date

LONGEST: Final = float(1 << 31)
REPORTED_SKEW: Final = 30.0
_NUMBER: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")


@dataclass(frozen=True, slots=True)
class Lifetime:
    """When a token ends, on both clocks, and what was odd about what the provider said."""

    expires: Moment
    warnings: tuple[str, ...] = ()


def seconds(value: object) -> float | None:
    """A span that a provider sent as a number or a numeric string, or None for nonsense.

    Zero and whatever is not above it, and more than 2^31, are nonsense too.
    """
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value <= LONGEST else None


def skew(answer: Answer) -> float:
    """Seconds that the provider's clock is ahead of ours, 0 where whole seconds cannot tell.

    ``Date`` is cut to whole seconds and was written somewhere between sending and arrival, so
    the skew is an interval. Where that excludes 0, its upper end is taken: a token then ends
    rather too early than too late.
    """
    date = http_date(answer.headers.get("date", ""))
    return 0.0 if date is None else _ahead(answer, date)


def _ahead(answer: Answer, second: float) -> float:
    """The skew, if the provider's clock showed this whole second while it answered."""
    least, most = second - answer.received.wall, second + 1 - answer.sent.wall
    return 0.0 if least <= 0 <= most else most


def _skew(answer: Answer, span: float | None, claims: Mapping[str, Any] | None) -> float:
    """The skew, also where an answer without ``Date`` (Keycloak's) brings a token just made.

    A token that was kept by the provider for others as well has less left than it was made for,
    and its ``iat`` tells nothing.
    """
    made, end = (claims or {}).get("iat"), jwt.expiry(claims)
    if "date" in answer.headers or span is None or end is None:
        return skew(answer)
    if isinstance(made, bool) or not isinstance(made, int | float):
        return 0.0
    return _ahead(answer, made) if abs(end - made - span) <= 1 else 0.0


def judge(
    answer: Answer,
    expires_in: object,
    claims: Mapping[str, Any] | None,
    default: float,
    until: float | None = None,
) -> Lifetime:
    """When the token of ``answer`` ends.

    Args:
        answer: for its moments and its ``Date``.
        expires_in: as the provider sent it; None where it does not count or is absent.
        claims: the token's, if it is a JWT.
        default: seconds, where nothing usable was said.
        until: seconds since the epoch on the provider's clock, which the token does not outlive.
    """
    warnings = []
    ends = []
    span = seconds(expires_in)
    ahead = _skew(answer, span, claims)
    if span is not None:
        ends.append(answer.sent.later(span))
    elif expires_in is not None:
        warnings.append("the provider's expires_in makes no sense and is ignored")
    left = _left(claims, answer.received.wall + ahead)
    if left is not None:
        ends.append(answer.received.later(left))
        if abs(ahead) > REPORTED_SKEW:
            warnings.append(_report(ahead))
    if not ends:
        ends.append(answer.sent.later(default))
        warnings.append(f"the provider does not say when the token ends: {default:g} s assumed")
    if until is not None:
        ends.append(answer.received.later(until - answer.received.wall - ahead))
    return Lifetime(_earliest(ends), tuple(warnings))


def _left(claims: Mapping[str, Any] | None, now: float) -> float | None:
    """Seconds until a JWT's ``exp``, or None without a usable one."""
    exp = jwt.expiry(claims)
    return None if exp is None or exp - now > LONGEST else exp - now


def _earliest(moments: list[Moment]) -> Moment:
    return Moment(
        min(moment.monotonic for moment in moments), min(moment.wall for moment in moments)
    )


def _report(ahead: float) -> str:
    side = "ahead of" if ahead > 0 else "behind"
    return f"the provider's clock is {abs(ahead):.0f} s {side} ours: one of the two is wrong"
