"""Somebody else's token that a request presents: an assertion, a subject, an actor.

Decides whether its end explains a refusal. Knows neither who reads it nor what it is exchanged for.
"""

from __future__ import annotations

from dataclasses import dataclass

from proxy.errors import Failure, TokenRequestError
from proxy.oauth import jwt
from proxy.secret import Secret


@dataclass(frozen=True, slots=True)
class Presented:
    """A token to present.

    Attributes:
        where: its name and place, for messages: ``the assertion in /var/run/…``.
        field: of the answer that it came from, where we got it from a provider.
    """

    value: Secret
    where: str
    field: str | None = None

    @property
    def ends(self) -> float | None:
        """Its ``exp`` in seconds since the epoch, where it is a JWT that has one."""
        return jwt.expiry(jwt.claims(self.value.reveal()))

    def explain(self, error: TokenRequestError, now: float) -> TokenRequestError:
        """``error``, or a better one if the provider refused what had ended by then.

        That one is transient: whoever puts a new token there ends it.
        """
        ends = self.ends
        if error.error is None or ends is None or ends > now:
            return error
        return TokenRequestError(
            f"{self.where} ended {now - ends:.0f} s ago and is not renewed there; see to whoever"
            f" writes it, and to our clock: {error}",
            failure=Failure.TRANSIENT,
            reason="presented_expired",
            error=error.error,
        )
