"""Who logs in, for a decoy: whose key came along, and which user the SDK is to believe it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from proxy.control.decoys.form import basic
from proxy.control.decoys.mint import REPEATED, Mint
from proxy.control.decoys.telling import refusal
from proxy.errors import SidecarError
from proxy.oauth.jwt import claims
from proxy.plane.local import Asked, Told

KEYS: Final = ("client_secret", "clientSecret", "password", "AppSecret")
"""Where SDKs put what they take for a secret."""
NEEDED: Final = (
    "a client key is needed here: give the SDK the key in place of the secret, or of the password"
)


class LoginRefusedError(SidecarError):
    """Nobody gets a decoy for this; ``told`` says why."""

    def __init__(self, told: Told) -> None:
        super().__init__("a login was refused")
        self.told = told


def client(
    mint: Mint, allowed: frozenset[str] | None, asked: Asked, said: Mapping[str, str]
) -> str | None:
    """The client whose key came in the body or a header; None where no keys are configured.

    Raises:
        LoginRefusedError: there is none, or this route does not serve it.
    """
    if not mint.clients:
        return None
    shown = [said[name] for name in KEYS if name in said]
    owners = (asked.client, *map(mint.owner, (*shown, *basic(asked))))
    found = next(filter(None, owners), None)
    if found is None:
        raise LoginRefusedError(refusal("invalid_client", NEEDED, status=403))
    if allowed is not None and found not in allowed:
        raise LoginRefusedError(
            refusal("access_denied", "this client may not use this route", status=403)
        )
    return found


def user(token: bytes | None, said: Mapping[str, str]) -> dict[str, str]:
    """The claims that say who the user is: the real token's, where it is a JWT and has them."""
    real = claims(token.decode("ascii")) if token else None
    named = said.get("username") or said.get("login") or ""
    usual = {
        "sub": "token-sidecar",
        "email": named if "@" in named else "token-sidecar@localhost",
        "preferred_username": named or "token-sidecar",
    }
    told = {name: (real or {}).get(name) for name in REPEATED}
    return usual | {name: value for name, value in told.items() if isinstance(value, str) and value}
