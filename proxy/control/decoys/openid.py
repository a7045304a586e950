"""The places of an OpenID provider as Keycloak has them, for SDKs that log in there.

Discovery, the token endpoint with every grant, the device flow (RFC 8628), which ends at once, and
the page of the code flow, whose code is for the SDK to be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from proxy.control.decoys.form import said
from proxy.control.decoys.mint import Mint
from proxy.control.decoys.places import Here, Places
from proxy.control.decoys.telling import page, refusal, told
from proxy.control.decoys.users import client, user
from proxy.plane.local import Asked, Told

BEARER: Final = "Bearer"
REFRESH: Final = "Refresh"
IDENTITY: Final = "ID"
MONTH: Final = 30 * 24 * 3600
"""Seconds that what refreshes lasts."""
DEVICE: Final = "urn:ietf:params:oauth:grant-type:device_code"
CODE: Final = "localhost"
"""The code of the code flow and of the device flow: it proves nothing and opens nothing."""
NO_KEY: Final = (
    "this login shows no client key, and one is needed here: log in by password instead, with the"
    " key in the password's place"
)


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider's places on one route.

    Attributes:
        allowed: the clients that the route serves; None for all.
        lifetime: seconds that an access or ID token lasts.
    """

    mint: Mint
    allowed: frozenset[str] | None
    lifetime: int

    def discovery(self, asked: Asked) -> Told:
        """OpenID Connect Discovery section 4: all of it is here."""
        issuer = _before(asked, 2)
        at = f"{issuer}/protocol/openid-connect"
        return told(
            {
                "issuer": issuer,
                "authorization_endpoint": f"{at}/auth",
                "token_endpoint": f"{at}/token",
                "device_authorization_endpoint": f"{at}/auth/device",
                "jwks_uri": f"{at}/certs",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["HS256"],
                "grant_types_supported": [
                    *("authorization_code", "client_credentials", "password", "refresh_token"),
                    DEVICE,
                ],
                "token_endpoint_auth_methods_supported": [
                    *("client_secret_basic", "client_secret_post", "none"),
                ],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    def certificates(self, _asked: Asked) -> Told:
        """No key is public: nobody else is to verify a decoy."""
        return told({"keys": []})

    def token(self, asked: Asked) -> Told:
        """RFC 6749 section 5.1, for every grant."""
        form = said(asked)
        if form.get("grant_type") == "refresh_token" and self.mint.clients:
            who = self.mint.client(form.get("refresh_token", ""), REFRESH)
            if who is None or (self.allowed is not None and who not in self.allowed):
                return refusal("invalid_grant", "this ended, or is of another key: log in again")
        else:
            who = client(self.mint, self.allowed, asked, form)
        return told(self._tokens(asked, who, user(asked.token, form)), client=who)

    def _tokens(self, asked: Asked, who: str | None, person: dict[str, str]) -> dict[str, Any]:
        issuer = _before(asked, 3)

        def issue(use: str, lifetime: int) -> str:
            return self.mint.issue(use, lifetime, issuer=issuer, client=who, user=person)

        return {
            "access_token": issue(BEARER, self.lifetime),
            "expires_in": self.lifetime,
            "refresh_token": issue(REFRESH, MONTH),
            "refresh_expires_in": MONTH,
            "id_token": issue(IDENTITY, self.lifetime),
            "token_type": BEARER,
            "scope": "openid",
        }

    def device(self, asked: Asked) -> Told:
        """RFC 8628 section 3.2; the first poll is answered with tokens."""
        if self.mint.clients:
            return refusal("unauthorized_client", NO_KEY, status=403)
        address = f"{_before(asked, 4)}/protocol/openid-connect/auth/device"
        return told(
            {
                "device_code": CODE,
                "user_code": CODE,
                "verification_uri": address,
                "verification_uri_complete": f"{address}?user_code={CODE}",
                "expires_in": 600,
                "interval": 1,
            }
        )

    def visited(self, _asked: Asked) -> Told:
        """Where the device flow sends a person."""
        return page("Nothing to do here", "<p>The program has logged in at token-sidecar already.")

    def code(self, _asked: Asked) -> Told:
        """Where the code flow sends a person, to be shown a code."""
        shown = f"<p>token-sidecar logs in by itself. The code to paste: <b>{CODE}</b>"
        return page("No login is needed", shown)


def places(provider: Provider) -> Places:
    """The places by method and by how their paths end."""
    at = (b"protocol", b"openid-connect")
    return {
        (b"GET", (b".well-known", b"openid-configuration")): Here(provider.discovery),
        (b"GET", (*at, b"certs")): Here(provider.certificates),
        (b"POST", (*at, b"token")): Here(provider.token, wants_token=True),
        (b"POST", (*at, b"auth", b"device")): Here(provider.device),
        (b"GET", (*at, b"auth")): Here(provider.code),
        (b"GET", (*at, b"auth", b"device")): Here(provider.visited),
    }


def _before(asked: Asked, count: int) -> str:
    """The URL in front of the last ``count`` segments, without a slash at its end."""
    front = "/".join(quote(part, safe="") for part in asked.parts[:-count])
    return (asked.base + front).rstrip("/")
