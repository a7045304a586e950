"""Whether a request to the demonstration's API carries a token that is good right now.

Signature against the issuer's JWKS, ``exp`` without leeway, ``iss``, ``aud`` (RFC 7519, 6750):
as strict as an API can be, so that a 200 proves something. Knows no HTTP server.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

ALGORITHMS: Final = ("RS256",)


class UnauthorizedError(Exception):
    """The request gets a 401; ``reason`` is short and stable: missing, expired, invalid."""

    def __init__(self, reason: str, description: str) -> None:
        super().__init__(description)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a good token speaks for, which token it was, and the seconds it had left."""

    subject: str
    token: str
    left: float


class Verifier:
    """Checks the Authorization field of a request, and keeps count of what it saw.

    Args:
        jwks: the issuer's public keys.
        wall: seconds since the epoch.
    """

    def __init__(
        self, jwks: Mapping[str, Any], *, issuer: str, audience: str, wall: Callable[[], float]
    ) -> None:
        self._keys = KeySet.import_key_set({"keys": jwks["keys"]})
        self._wall = wall
        self._claims = JWTClaimsRegistry(
            now=lambda: int(wall()),  # NumericDates here are whole, so this is exact
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
            jti={"essential": True},
        )
        self._accepted: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._tokens: dict[str, set[str]] = {}
        self._least: dict[str, float] = {}

    def ledger(self) -> dict[str, Any]:
        """What was counted.

        By subject the requests accepted, the different tokens, and the fewest seconds that one of
        them had left; by reason the requests refused.
        """
        tokens = {subject: len(seen) for subject, seen in self._tokens.items()}
        counts = {"accepted": self._accepted, "refused": self._refused}
        return {**counts, "tokens": tokens, "least": self._least}

    def verify(self, fields: Sequence[str]) -> Caller:
        """Judge all Authorization fields of one request.

        Raises:
            UnauthorizedError: there is not exactly one good token.
        """
        try:
            caller = self._caller(_bearer(fields))
        except UnauthorizedError as refusal:
            self._refused[refusal.reason] += 1
            raise
        self._accepted[caller.subject] += 1
        self._tokens.setdefault(caller.subject, set()).add(caller.token)
        least = self._least.get(caller.subject, caller.left)
        self._least[caller.subject] = min(least, caller.left)
        return caller

    def _caller(self, value: str) -> Caller:
        try:
            claims = jwt.decode(value, self._keys, algorithms=ALGORITHMS).claims
            self._claims.validate(claims)
        except ExpiredTokenError as error:
            raise UnauthorizedError("expired", "the token expired") from error
        except (JoseError, ValueError) as error:
            raise UnauthorizedError("invalid", "the token is not one of this issuer's") from error
        return Caller(claims["sub"], claims["jti"], claims["exp"] - self._wall())


def _bearer(fields: Sequence[str]) -> str:
    """RFC 6750 section 2.1."""
    if not fields:
        raise UnauthorizedError("missing", "there is no token")
    scheme, _, value = fields[0].partition(" ")
    if len(fields) > 1 or scheme.lower() != "bearer" or not value:
        raise UnauthorizedError("invalid", "there must be exactly one bearer token")
    return value
