"""The recipes in docs/providers.md can be copied as they stand; ``make live`` runs some of them."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from proxy.config.load import load
from tests.support.readme import PROVIDERS, recipes

ROUTE = "\nroutes:\n  - {path: /, upstream: 'https://api.example.com/', credential: api}\n"
FILES = ("reports-key.pem", "client.pem", "client-key.pem", "okta-key.pem", "google-key.pem")
RECIPES = recipes(PROVIDERS)


def test_there_is_a_recipe_for_everybody() -> None:
    assert len(RECIPES) >= 18


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_recipe_is_right_as_it_stands(name: str, tmp_path: Path) -> None:
    text = RECIPES[name]
    file = tmp_path / "config.yaml"
    file.write_text(text if "routes:" in text else text + ROUTE)
    for other in FILES:
        (tmp_path / other).write_text("a key")
        (tmp_path / other).chmod(0o600)
    config = load(file, defaultdict(lambda: "a secret"))
    assert {route.credential for route in config.routes} == set(config.credentials)
    assert config.warnings == ()
