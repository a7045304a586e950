"""The vendors' recipes, as README shows them, pointed at the servers of this run.

A recipe is the YAML block under ``<!-- recipe: NAME -->`` in README, or ``recipes/NAME.yaml``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from tests.live.tenants import Tenant

README = Path(__file__).parents[2] / "README.md"
FILES = Path(__file__).parent / "recipes"


def recipe(name: str) -> str:
    """A recipe's text.

    Raises:
        FileNotFoundError: neither README nor a file has it.
    """
    block = rf"<!-- recipe: {re.escape(name)} -->\s*```yaml\n(.*?)```"
    readme = README.read_text() if README.exists() else ""
    found = re.search(block, readme, re.DOTALL)
    return found[1] if found else (FILES / f"{name}.yaml").read_text()


def configuration(text: str, tenant: Tenant, keycloak: str, api: str) -> dict[str, Any]:
    """The recipe with its hosts replaced; all it says besides stays."""
    whole: dict[str, Any] = yaml.safe_load(text)
    for credential in whole["credentials"].values():
        credential.update(tenant.overrides(keycloak))
    for route in whole["routes"]:
        route["upstream"] = f"{api}/{tenant.name}{urlsplit(route['upstream']).path}"
    return whole
