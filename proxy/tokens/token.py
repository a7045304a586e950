"""What a token is here: the value that goes on requests, and the moments that bound its use.

Knows nothing of how it was obtained.
"""

from __future__ import annotations

from dataclasses import dataclass

from proxy.clock import Moment
from proxy.secret import Secret
from proxy.tokens.session import Session


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token; ``expires`` is None where the provider named no end (or said 0: never)."""

    value: Secret
    expires: Moment | None = None

    def has_ended(self, now: Moment) -> bool:
        """Whether the provider said that it does not last until now."""
        return self.expires is not None and now.until(self.expires) <= 0


@dataclass(frozen=True, slots=True)
class Token:
    """A credential ready for use.

    Attributes:
        value: visible ASCII, never empty.
        field: the answer's field it came from, e.g. ``access_token``.
        received: when the provider's answer came.
        expires: when it ends, or None for one that does not (a static opaque token).
        refresh: what renews it without the resource owner, where the provider gave one.
        session: set where the value is a session's cookies.
        warnings: what was odd about the answer, in words fit for a log.
    """

    value: Secret
    field: str
    received: Moment
    expires: Moment | None
    refresh: RefreshToken | None = None
    session: Session | None = None
    warnings: tuple[str, ...] = ()

    @property
    def lifetime(self) -> float | None:
        """L: seconds that were left when the answer came; None if it does not expire."""
        return None if self.expires is None else self.received.until(self.expires)
