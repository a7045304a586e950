"""What assertions say: RFC 7523 section 3, OpenID Connect Core section 9.

Decides claims and lifetimes, given the time and something unique; signs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CLIENT_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_PROOF: Final = 60
"""Seconds that a client's assertion lives: Keycloak takes none that claims more."""
LONGEST_GRANT: Final = 300
"""Seconds that an assertion of the grant lives: used at once, but clocks differ."""


def client_claims(client_id: str, audience: str, now: float, unique: str) -> dict[str, object]:
    """The claims by which a client shows who it is; ``now`` in seconds since the epoch."""
    return {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        **_once(now, LONGEST_PROOF, unique),
    }


def grant_claims(
    claims: Mapping[str, object], client_id: str | None, audience: str, now: float, unique: str
) -> dict[str, object]:
    """The claims of grant jwt_bearer: ``claims``, with ``iss`` and ``aud`` where they lack them."""
    usual = {"iss": client_id, "aud": audience} if client_id else {"aud": audience}
    return {**usual, **claims, **_once(now, LONGEST_GRANT, unique)}


def _once(now: float, longest: int, unique: str) -> dict[str, object]:
    """What bounds an assertion to one use, soon."""
    return {"iat": int(now), "exp": int(now) + longest, "jti": unique}
