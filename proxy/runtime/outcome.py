"""What asking a provider once came to; nothing secret in it, and cheap to import."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.errors import TokenRequestError


@dataclass(frozen=True, slots=True)
class Obtained:
    """A token that came, described.

    Attributes:
        lifetime: seconds, None for one that does not expire.
        issuer, audience, subject: what the token says of itself where it is a JWT; not verified.
    """

    credential: str
    field: str
    lifetime: float | None
    issuer: str | None
    audience: str | None
    subject: str | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """None came."""

    credential: str
    error: TokenRequestError
