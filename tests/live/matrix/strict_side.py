"""The matrix at oidc-provider, the strict one: all its clients are in its setup, one per cell."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

from tests.live import strict_login
from tests.live.matrix.asking import Asking
from tests.live.matrix.cell import CERTIFIED, CONFIDENTIAL, Cell, cells
from tests.live.matrix.keys import assertion, place, public, write_private
from tests.live.matrix.side import Proofs
from tests.live.oidc_provider import ASSERTION, DEVICE, OidcProvider, client
from tests.live.tenants import MARY
from tests.live.verified_api import Ledger

CELLS = (
    *cells("client_credentials", *CONFIDENTIAL),
    *cells("client_credentials", "basic", variant="resource"),
    *cells("refresh_token", *CONFIDENTIAL, "none"),
    *cells("refresh_token", "basic", variant="id_token"),
    *cells("authorization_code", *CONFIDENTIAL, "none"),
    *cells("device_code", *CONFIDENTIAL, "none"),
    *cells("jwt_bearer", *CONFIDENTIAL, variant="signed"),
    *cells("jwt_bearer", *CONFIDENTIAL, variant="file"),
)
RESOURCE = "https://api.example/v2"
METHODS = {
    "basic": "client_secret_basic",
    "basic_raw": "client_secret_basic",
    "post": "client_secret_post",
    "tls": "tls_client_auth",
}
GRANTS = {
    "client_credentials": ("client_credentials",),
    "refresh_token": ("authorization_code", "refresh_token"),
    "authorization_code": ("authorization_code", "refresh_token"),
    "device_code": (DEVICE, "refresh_token"),
    "jwt_bearer": (ASSERTION,),
}


def clients(proofs: Proofs) -> list[dict[str, Any]]:
    """What the provider has to know before it starts (RFC 7591)."""
    return [registered(cell, proofs) for cell in CELLS]


def registered(cell: Cell, proofs: Proofs) -> dict[str, Any]:
    """One cell's client."""
    method = METHODS.get(cell.authentication, cell.authentication)
    more: dict[str, Any] = {}
    if "secret" in method:
        more["client_secret"] = cell.secret
    if cell.authentication == "tls":
        more["tls_client_auth_subject_dn"] = f"CN={CERTIFIED}"
    if cell.authentication == "private_key_jwt" or cell.grant == "jwt_bearer":
        more["jwks"] = public(proofs.key)
    return client(cell.name, method, grants=GRANTS[cell.grant], **more)


class StrictSide:
    """The strict provider's part of the matrix."""

    cells = CELLS

    def __init__(
        self,
        provider: OidcProvider,
        http: aiohttp.ClientSession,
        proofs: Proofs,
        certified: ssl.SSLContext,
    ) -> None:
        self._provider, self._proofs = provider, proofs
        url = f"{provider.issuer}/token"
        secure_url = f"https://localhost:{provider.secure_port}/token"
        self._asking = Asking(
            http, provider.issuer, url, secure_url, certified, proofs.key, lambda name: name
        )

    async def enrol(self) -> None:
        """It knew them when it started."""

    async def begin(self, cell: Cell, home: Path) -> None:
        """The key, a first refresh token, an assertion."""
        write_private(self._proofs.key, home / "key.jwk")
        if cell.grant == "refresh_token":
            code = await strict_login.code(self._provider.issuer, cell.name)
            told = await self._asking.token(cell, strict_login.exchange(code))
            place(told["refresh_token"], home / f"{cell.name}.refresh")
        if cell.variant == "file":
            signed = assertion(
                self._proofs.key, lifetime=600, iss=cell.name, sub=MARY, aud=self._provider.issuer
            )
            place(signed, home / f"{cell.name}.assertion")

    def refresh(self, cell: Cell, home: Path) -> None:
        """None is somebody else's."""

    def credential(self, cell: Cell) -> dict[str, Any]:
        """By discovery, also for those with a certificate: the metadata has an alias for them."""
        fixed = {
            "issuer": self._provider.issuer,
            "grant": cell.grant,
            "client_id": cell.name,
            "scope": "api" if "client" in cell.grant else "openid api",
        }
        return fixed | self._proofs.keys(cell) | self._grant_keys(cell)

    def _grant_keys(self, cell: Cell) -> dict[str, Any]:
        match cell.grant, cell.variant:
            case "client_credentials", "resource":
                return {"resource": RESOURCE}
            case "refresh_token", variant:
                first = {"refresh_token": {"file": f"{cell.name}.refresh"}}
                return first | ({"use": "id_token"} if variant == "id_token" else {})
            case "jwt_bearer", "file":
                return {"assertion": {"file": f"{cell.name}.assertion"}}
            case "jwt_bearer", _:
                claims = {"iss": cell.name, "sub": MARY, "aud": self._provider.issuer}
                return {"private_key": {"file": "key.jwk"}, "claims": claims}
            case _:
                return {}

    def further(self) -> Mapping[str, dict[str, Any]]:
        """None."""
        return {}

    def ledger(self, cell: Cell) -> tuple[Ledger, str]:
        """One issuer, wherever one asks; the audience is the resource that was named."""
        audience = {"resource": RESOURCE, "id_token": cell.name}.get(cell.variant)
        return Ledger(self._provider.issuer, audience), f"{self._provider.issuer}/jwks"

    async def bearer(self, cell: Cell) -> str | None:
        """Programs send nothing."""
        del cell
        return None
