"""What an SDK gets in a token's place: a JWT that is worth something on its own route only.

Signed HS256 (RFC 7515, RFC 7518 section 3.2) with a key of ours, for the audience localhost. Where
clients are configured it stands for one client's key, and ends when that key changes.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from proxy.oauth.jwt import decoded
from proxy.secret import Secret

AUDIENCE: Final = "localhost"
HEADER: Final = {"alg": "HS256", "typ": "JWT"}
REPEATED: Final = ("sub", "email", "preferred_username")
"""The claims of the real token that a decoy repeats: SDKs ask for what belongs to this user."""
_APART: Final = str.maketrans({char: f"\\u{ord(char):04x}" for char in ">?~\x7f"})
"""Written so that base64 and base64url agree: Run:ai's SDK reads the one as the other."""


@dataclass(frozen=True, slots=True)
class Mint:
    """Makes the decoys of one route, and knows them again.

    Attributes:
        key: what they are signed with; kept, so that restarts and workers agree.
        route: the route's label: another route's decoys are worth nothing here.
        clients: name → key; empty where anybody may call.
        wall: seconds since the epoch.
    """

    key: Secret
    route: str
    clients: Mapping[str, Secret] = field(default_factory=dict)
    wall: Callable[[], float] = field(repr=False, kw_only=True)

    def issue(
        self, use: str, lifetime: int, *, issuer: str, client: str | None, user: Mapping[str, str]
    ) -> str:
        """A decoy for ``lifetime`` seconds; ``use`` says what for, e.g. ``Bearer``."""
        now = int(self.wall())
        claims = {
            "iss": issuer,
            "aud": AUDIENCE,
            **user,
            "typ": use,
            "iat": now,
            "exp": now + lifetime,
            "route": self.route,
        }
        if client is not None:
            claims |= {"client": client, "cnf": self._fingerprint(client)}
        signed = f"{_segment(HEADER)}.{_segment(claims)}"
        return f"{signed}.{self._signature(signed)}"

    def client(self, decoy: str, use: str) -> str | None:
        """The client whose key this stands for; None: it is none of ours, or not any more."""
        signed, _, signature = decoy.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            return None
        claims: dict[str, Any] = json.loads(decoded(signed.partition(".")[2]) or b"{}")
        name = claims.get("client")
        if (claims.get("typ"), claims.get("route")) != (use, self.route) or not name:
            return None
        fresh = self.wall() < float(claims.get("exp", 0))
        return name if fresh and claims.get("cnf") == self._fingerprint(name) else None

    def owner(self, key: str) -> str | None:
        """The client who has this key."""
        owner = None
        for name, expected in self.clients.items():  # all of them, so that time tells nothing
            if hmac.compare_digest(key.encode(), expected.reveal().encode()):
                owner = name
        return owner

    def _fingerprint(self, client: str) -> str:
        """Changes with the client's key and does not tell it; empty for who has none."""
        key = self.clients.get(client)
        return "" if key is None else self._signature(f"client {key.reveal()}")

    def _signature(self, text: str) -> str:
        made = hmac.digest(self.key.reveal().encode(), text.encode(), "sha256")
        return _encoded(made)


def _segment(value: Mapping[str, Any]) -> str:
    written = json.dumps(value, separators=(",", ":")).translate(_APART)
    return _encoded(written.encode("ascii"))


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
