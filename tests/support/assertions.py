"""Judges JWT assertions as a strict provider does: RFC 7523 section 3, one use each.

judge = Assertions(now=clock.wall, audience=provider.issuer)
judge.keys["me"] = public_key
provider.client_judge = judge.client
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError

from proxy.oauth import jwt as unverified
from proxy.oauth.assertion import CLIENT_ASSERTION
from tests.support.identity_provider import Asked, Refused

ALGORITHMS = ["HS256", "RS256", "PS256", "ES256", "ES384", "Ed25519"]


class Assertions:
    """Remembers keys, and the ``jti`` of whatever it has taken.

    Attributes:
        keys: issuer → what its signatures are checked with.
        subjects: of assertions that somebody else signs, taken beside the issuer itself.
        taken: the headers and claims of each good assertion, oldest first.
        longest: seconds that one may be good for.
    """

    def __init__(self, now: Callable[[], float], audience: str) -> None:
        self._now = now
        self._audience = audience
        self._seen: set[object] = set()
        self.keys: dict[str, Any] = {}
        self.subjects: set[str] = set()
        self.taken: list[tuple[dict[str, Any], dict[str, Any]]] = []
        self.longest = 60.0

    def client(self, asked: Asked) -> None:
        """Judge who asks; raises ``Refused``."""
        if asked.form.get("client_assertion_type") != CLIENT_ASSERTION:
            raise Refused(401, "invalid_client", "No assertion")
        claims = self._judge(asked.form.get("client_assertion", ""), "invalid_client")
        if claims["sub"] not in {claims["iss"], *self.subjects}:
            raise Refused(401, "invalid_client", "Who is that?")
        if asked.form.get("client_id", claims["sub"]) != claims["sub"]:
            raise Refused(400, "invalid_client", "client_id does not match sub claim")

    def grant(self, asked: Asked) -> None:
        """Judge grant jwt_bearer's assertion; raises ``Refused``."""
        self._judge(asked.form.get("assertion", ""), "invalid_grant")

    def _judge(self, assertion: str, error: str) -> dict[str, Any]:
        try:
            header, claims = self._read(assertion)
        except (JoseError, ValueError, KeyError):
            raise Refused(401, error, "Signature failed validation") from None
        now = self._now()
        checks = {
            "audience": claims.get("aud") == self._audience,
            "expiry": now < claims["exp"] <= claims["iat"] + self.longest,
            "issued in the future": claims["iat"] <= now,
            "reuse": claims["jti"] not in self._seen,
        }
        for what, right in checks.items():
            if not right:
                raise Refused(401, error, f"Wrong: {what}")
        self._seen.add(claims["jti"])
        self.taken.append((header, claims))
        return claims

    def _read(self, assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
        key = self.keys[_issuer(assertion)]
        token = jwt.decode(assertion, key, algorithms=ALGORITHMS)
        return dict(token.header), dict(token.claims)


def _issuer(assertion: str) -> str:
    return str((unverified.claims(assertion) or {})["iss"])
