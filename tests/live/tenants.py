"""Who the tests are at Keycloak: a realm, a client, perhaps a user, and what the sidecar is told.

The secrets hold characters that a form and a Basic header must both carry unharmed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LIFETIME = 5
"""Seconds that the recipes' tokens live."""

TOKEN_PATH = "protocol/openid-connect/token"
LOGIN_PATH = "protocol/openid-connect/auth?client_id=dai:web"
MARY = "mary.jane@example.com"
MARYS_PASSWORD = "snuggle+bunnies %&="


@dataclass(frozen=True, slots=True)
class Tenant:
    """One vendor's customer, or a test of its own.

    Attributes:
        name: also its recipe's, and the first segment of its path at the API.
        environ: the variables that its configuration names.
        where: the credential's keys that must point at the local Keycloak; ``{realm}`` stands
            for the realm's URL.
        files: file name → content, beside the configuration; ``{realm}`` as above.
        kind: what the API must see in a token's ``typ``.
    """

    name: str
    realm: str
    client: str
    secret: str
    environ: Mapping[str, str] = field(default_factory=dict)
    where: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    audience: str | None = None
    kind: str = "Bearer"
    lifetime: int = LIFETIME

    def overrides(self, keycloak: str) -> dict[str, Any]:
        """What is laid over the recipe's credential."""
        return {key: value.format(realm=self._url(keycloak)) for key, value in self.where.items()}

    def contents(self, keycloak: str) -> dict[str, str]:
        """The files that its configuration reads."""
        return {name: text.format(realm=self._url(keycloak)) for name, text in self.files.items()}

    def _url(self, keycloak: str) -> str:
        return f"{keycloak}/realms/{self.realm}"


API_SECRET = "abc+123/=%&:é"
CSV = "client_id,client_secret,token_url\ndai-client,dai secret/1,{realm}/" + TOKEN_PATH + "\n"

RECIPES = (
    Tenant(
        "wallaroo-inference",
        *("master", "api-client", API_SECRET),
        environ={"WALLAROO_CLIENT_SECRET": API_SECRET},
        where={"token_url": "{realm}/" + TOKEN_PATH},
    ),
    Tenant(
        "wallaroo-mlops",
        *("master", "api-client", API_SECRET),
        environ={"WALLAROO_CLIENT_SECRET": API_SECRET, "WALLAROO_PASSWORD": MARYS_PASSWORD},
        where={"token_url": "{realm}/" + TOKEN_PATH},
        user=MARY,
    ),
    Tenant(
        "seldon",
        *("deploy-realm", "sd-api", "sd-api-secret"),
        environ={"SELDON_CLIENT_SECRET": "sd-api-secret", "SELDON_PASSWORD": MARYS_PASSWORD},
        where={"issuer": "{realm}"},
        user=MARY,
        audience="sd-api",
        kind="ID",
    ),
    Tenant(
        "runai",
        *("acme", "training-jobs", "run-ai-secret"),
        environ={"RUNAI_CLIENT_SECRET": "run-ai-secret"},
        where={"issuer": "{realm}"},
    ),
    Tenant(
        "eggplant",
        *("eggplant", "dai-client", "dai secret/1"),
        files={"dai-client.csv": CSV},
    ),
    Tenant(
        "eggplant-login",
        *("eggplant", "dai-client-2", "dai-secret-2"),
        environ={"EGGPLANT_CLIENT_SECRET": "dai-secret-2"},
        where={"login_url": "{realm}/" + LOGIN_PATH},
    ),
)
"""The vendors' recipes; Eggplant's is had in two ways."""


def plain(name: str, lifetime: int) -> Tenant:
    """A tenant without a vendor: client credentials in realm ``acme``."""
    secret = f"{name}-secret"
    return Tenant(
        name,
        *("acme", name, secret),
        environ={"CLIENT_SECRET": secret},
        where={"token_url": "{realm}/" + TOKEN_PATH, "client_id": name},
        lifetime=lifetime,
    )


EXPIRY, OUTAGE, COLD_START = plain("expiry", 5), plain("outage", 5), plain("cold-start", 60)
REVOCATION, CHECK = plain("revocation", 600), plain("check", 60)
TENANTS = (*RECIPES, EXPIRY, OUTAGE, COLD_START, REVOCATION, CHECK)
