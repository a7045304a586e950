"""The matrix at a Keycloak: one realm, one client for each cell.

What Keycloak calls the members of a ClientRepresentation is documented at
https://www.keycloak.org/docs-api/latest/rest-api/.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
from joserfc.jwk import ECKey

from tests.live.admin import Administrator
from tests.live.keycloak import TODAYS, Keycloak
from tests.live.matrix.asking import Asking
from tests.live.matrix.cell import CERTIFIED, CONFIDENTIAL, Cell, cells
from tests.live.matrix.keys import assertion, place, public, write_private
from tests.live.matrix.side import LIFETIME, Proofs
from tests.live.tenants import MARY, MARYS_PASSWORD, TOKEN_PATH
from tests.live.verified_api import Ledger

REALM = "matrix"
WORKLOAD, ISSUER = "workload", "https://workload.example"
SUBJECT, SHORT_SUBJECT = (Cell("password", "post", name) for name in ("subject", "short_subject"))
SECURE_SUBJECT = Cell("password", "tls", "subject")
"""Whose tokens are exchanged: an issuer takes none but its own, and over TLS it is another one."""

PASSWORD = {"grant_type": "password", "username": MARY, "password": MARYS_PASSWORD}
PERSON = ("authorization_code", "device_code")
AUTHENTICATORS = {
    "client_secret_jwt": "client-secret-jwt",
    "private_key_jwt": "client-jwt",
    "tls": "client-x509",
    "federated": "federated-jwt",
}


def all_cells(release_has: tuple[str, ...]) -> tuple[Cell, ...]:
    """Every grant with every authentication; public clients can't have all."""
    return (
        *cells("client_credentials", *release_has),
        *cells("password", *release_has, "none"),
        *cells("password", "basic", "none", variant="id_token"),
        *cells("refresh_token", *release_has, "none"),
        *cells("authorization_code", *release_has, "none"),
        *cells("device_code", *release_has, "none"),
        *cells("token_exchange", *release_has, variant="file"),
        *cells("token_exchange", *release_has, variant="credential"),
        *cells("token_exchange", *release_has, variant="request"),
    )


class KeycloakSide:
    """One Keycloak's part of the matrix.

    Args:
        workload_keys: where the JWKS of the issuer of federated assertions is.
        workload: its key.
    """

    def __init__(
        self,
        keycloak: Keycloak,
        http: aiohttp.ClientSession,
        proofs: Proofs,
        certified: ssl.SSLContext,
        workload: ECKey,
        workload_keys: str,
    ) -> None:
        today = keycloak.release is TODAYS
        self.cells = all_cells((*CONFIDENTIAL, "federated") if today else CONFIDENTIAL)
        self._administrator = Administrator(keycloak, http)
        self._proofs = proofs
        self._workload, self._workload_keys = workload, workload_keys if today else None
        self._issuer = f"{keycloak.base}/realms/{REALM}"
        self._secure_issuer = f"{keycloak.secure_base}/realms/{REALM}"
        urls = (f"{issuer}/{TOKEN_PATH}" for issuer in (self._issuer, self._secure_issuer))
        self._asking = Asking(
            http, self._issuer, *urls, certified, proofs.key, self._federated_assertion
        )

    async def enrol(self) -> None:
        """A realm, a person, an issuer it trusts, the clients."""
        await self._administrator.realm(REALM)
        await self._administrator.user(REALM, MARY, MARYS_PASSWORD)
        if self._workload_keys:
            await self._administrator.trust(REALM, trusted(self._workload_keys))
        for cell in self.cells:
            await self._administrator.register(REALM, self._client(cell))
        for cell, lifetime in ((SUBJECT, 600), (SHORT_SUBJECT, LIFETIME), (SECURE_SUBJECT, 600)):
            whole = self._client(cell, lifetime)
            await self._administrator.register(REALM, whole | {"protocolMappers": self._mappers()})

    async def begin(self, cell: Cell, home: Path) -> None:
        """Keys, assertions, first refresh tokens, subjects."""
        write_private(self._proofs.key, home / "key.jwk")
        self.refresh(cell, home)
        if cell.grant == "refresh_token":
            told = await self._asking.token(cell, PASSWORD)
            place(told["refresh_token"], home / f"{cell.name}.refresh")
        if cell.variant == "file":
            place(await self._subject(cell), home / f"{cell.name}.subject")

    def refresh(self, cell: Cell, home: Path) -> None:
        """Somebody else's assertions."""
        if cell.authentication == "federated":
            place(self._federated_assertion(cell.name), home / f"{cell.name}.jwt")

    def credential(self, cell: Cell) -> dict[str, Any]:
        """By discovery; over TLS where a certificate is shown."""
        issuer = self._secure_issuer if cell.authentication == "tls" else self._issuer
        fixed = {"issuer": issuer, "grant": cell.grant, "client_id": cell.name}
        return fixed | self._proofs.keys(cell) | self._grant_keys(cell)

    def further(self) -> Mapping[str, dict[str, Any]]:
        """The credential whose tokens are exchanged."""
        subjects = {"subject": SHORT_SUBJECT, "secure-subject": SECURE_SUBJECT}
        return {name: self.credential(cell) for name, cell in subjects.items()}

    def ledger(self, cell: Cell) -> tuple[Ledger, str]:
        """Who asked over TLS has the issuer there, with the same keys."""
        issuer = self._secure_issuer if cell.authentication == "tls" else self._issuer
        audience = cell.name if cell.variant == "id_token" else None
        return Ledger(issuer, audience), f"{self._issuer}/protocol/openid-connect/certs"

    async def bearer(self, cell: Cell) -> str | None:
        """The caller's own, for ``subject: request``."""
        return await self._subject(cell) if cell.variant == "request" else None

    async def _subject(self, cell: Cell) -> str:
        subject = SECURE_SUBJECT if cell.authentication == "tls" else SUBJECT
        return str((await self._asking.token(subject, PASSWORD))["access_token"])

    def _grant_keys(self, cell: Cell) -> dict[str, Any]:
        match cell.grant, cell.variant:
            case "password", variant:
                login = {"username": MARY, "password": {"file": "mary.password"}}
                asked = {"scope": "openid", "use": "id_token"} if variant == "id_token" else {}
                return login | asked
            case "refresh_token", _:
                return {"refresh_token": {"file": f"{cell.name}.refresh"}}
            case "token_exchange", "file":
                return {"subject": {"file": f"{cell.name}.subject"}}
            case "token_exchange", "credential":
                secure = cell.authentication == "tls"
                return {"subject": {"credential": "secure-subject" if secure else "subject"}}
            case "token_exchange", _:
                return {"subject": "request"}
            case _:
                return {}

    def _client(self, cell: Cell, lifetime: int = LIFETIME) -> dict[str, Any]:
        """Keycloak's ClientRepresentation."""
        is_public = cell.authentication == "none"
        attributes = self._grant_attributes(cell) | self._proof_attributes(cell)
        return {
            "clientId": cell.name,
            "secret": cell.secret,
            "publicClient": is_public,
            "serviceAccountsEnabled": not is_public,
            "standardFlowEnabled": cell.grant == "authorization_code",
            "redirectUris": ["http://127.0.0.1/*", "http://localhost/*"],
            "clientAuthenticatorType": AUTHENTICATORS.get(cell.authentication, "client-secret"),
            "attributes": {"access.token.lifespan": str(lifetime)} | attributes,
        }

    def _grant_attributes(self, cell: Cell) -> dict[str, str]:
        match cell.grant:
            case "authorization_code":
                return {"pkce.code.challenge.method": "S256"}
            case "device_code":
                return {
                    "oauth2.device.authorization.grant.enabled": "true",
                    "oauth2.device.polling.interval": "1",
                }
            case "token_exchange":
                return {"standard.token.exchange.enabled": "true"}
            case _:
                return {}

    def _proof_attributes(self, cell: Cell) -> dict[str, str]:
        match cell.authentication:
            case "private_key_jwt":
                keys = json.dumps(public(self._proofs.key))
                return {"use.jwks.string": "true", "jwks.string": keys}
            case "tls":
                subject = {"x509.subjectdn": f"CN={CERTIFIED}"}
                return subject | {"x509.allow.regex.pattern.comparison": "false"}
            case "federated":
                return {"jwt.credential.issuer": WORKLOAD, "jwt.credential.sub": cell.name}
            case _:
                return {}

    def _mappers(self) -> list[dict[str, Any]]:
        """The subject's tokens are also for every client that exchanges them."""
        return [
            {
                "name": cell.name,
                "protocol": "openid-connect",
                "protocolMapper": "oidc-audience-mapper",
                "config": {
                    "included.client.audience": cell.name,
                    "access.token.claim": "true",
                },
            }
            for cell in self.cells
            if cell.grant == "token_exchange"
        ]

    def _federated_assertion(self, name: str) -> str:
        return assertion(self._workload, iss=ISSUER, sub=name, aud=self._issuer)


def trusted(keys: str) -> dict[str, Any]:
    """Keycloak's IdentityProviderRepresentation of who signs clients' assertions."""
    return {
        "alias": WORKLOAD,
        "providerId": "oidc",
        "enabled": True,
        "config": {
            "issuer": ISSUER,
            "clientId": "nobody",
            "clientSecret": "nothing",
            "authorizationUrl": f"{ISSUER}/authorize",
            "tokenUrl": f"{ISSUER}/token",
            "useJwksUrl": "true",
            "jwksUrl": keys,
            "validateSignature": "true",
            "supportsClientAssertions": "true",
            "supportsClientAssertionReuse": "true",
        },
    }
