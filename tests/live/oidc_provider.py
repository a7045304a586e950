"""The strict provider, npm's oidc-provider, on free loopback ports: its clients and its start."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.live.processes import serving
from tests.support.certificates import Pair
from tests.support.process import free_ports

SCRIPT = Path(__file__).with_suffix(".mjs")
GRANTS = ("authorization_code", "refresh_token", "client_credentials")
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
ASSERTION = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class OidcProvider:
    """A running one. Its token endpoint for clients with certificates is in its metadata."""

    issuer: str
    port: int
    secure_port: int
    log: Path


def client(
    name: str, authentication: str, *, grants: Sequence[str] = GRANTS, **more: object
) -> dict[str, Any]:
    """A client as RFC 7591 describes it; ``more``: its secret, its keys, its redirections."""
    redirected = "authorization_code" in grants
    fixed = {
        "client_id": name,
        "token_endpoint_auth_method": authentication,
        "grant_types": [*grants],
        "response_types": ["code"] if redirected else [],
        "redirect_uris": ["http://127.0.0.1/callback"] if redirected else [],
        "application_type": "native",
        "scope": "openid offline_access api",
    }
    return fixed | more


@contextlib.asynccontextmanager
async def oidc_provider(
    clients: Sequence[Mapping[str, Any]],
    work: Path,
    shown: Pair,
    ca_file: Path,
    *,
    lifetime: int = 5,
) -> AsyncIterator[OidcProvider]:
    """It runs until the block ends; tokens live ``lifetime`` seconds."""
    port, secure_port = free_ports(2)
    issuer = f"http://127.0.0.1:{port}"
    setup = {
        "issuer": issuer,
        "port": port,
        "securePort": secure_port,
        "lifetime": lifetime,
        "cert": str(shown.cert_file),
        "key": str(shown.key_file),
        "ca": str(ca_file),
        "clients": [dict(one) for one in clients],
    }
    file, log = work / f"oidc-provider-{port}.json", work / f"oidc-provider-{port}.log"
    file.write_text(json.dumps(setup))
    async with serving("node", str(SCRIPT), str(file), port=port, log=log):
        yield OidcProvider(issuer, port, secure_port, log)
