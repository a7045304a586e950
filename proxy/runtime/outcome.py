"""What asking a provider once came to; nothing secret in it, and cheap to import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from proxy.errors import TokenRequestError


@dataclass(frozen=True, slots=True)
class Obtained:
    """A token that came, described.

    Attributes:
        lifetime: seconds, None for one that does not expire.
        issuer, audience, subject: what the token says of itself where it is a JWT; not verified.
        left: seconds that it lives on, where it was in the store; None where it came just now.
    """

    credential: str
    field: str
    lifetime: float | None
    issuer: str | None
    audience: str | None
    subject: str | None
    warnings: tuple[str, ...]
    left: float | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """None came."""

    credential: str
    error: TokenRequestError


@dataclass(frozen=True, slots=True)
class Unasked:
    """Nobody was asked: a person has to log in, or the sidecar alone may renew what is stored."""

    credential: str
    message: str
    reason: str


Outcome: TypeAlias = Obtained | Failed | Unasked
