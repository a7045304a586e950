"""README's recipes, pointed at the servers of this run."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from tests.live.tenants import RECIPES, Tenant
from tests.support.readme import recipes

PLAIN = Path(__file__).with_name("plain.yaml")


def recipe(tenant: Tenant) -> str:
    """What the tenant copied from README, or the plain one of the tests without a vendor."""
    return recipes()[tenant.name] if tenant in RECIPES else PLAIN.read_text()


def configuration(tenant: Tenant, keycloak: str, api: str) -> dict[str, Any]:
    """The tenant's recipe with its hosts replaced; all it says besides stays."""
    whole: dict[str, Any] = yaml.safe_load(recipe(tenant))
    for credential in whole["credentials"].values():
        credential.update(tenant.overrides(keycloak))
    for route in whole["routes"]:
        route["upstream"] = f"{api}/{tenant.name}{urlsplit(route['upstream']).path}"
    return whole
