"""README's recipes can be copied as they stand; ``make live`` runs them against real servers."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from proxy.config.load import load
from tests.support.readme import recipes

VENDORS = {"wallaroo-inference", "wallaroo-mlops", "seldon", "runai", "eggplant", "eggplant-login"}
LONGEST = 15
DOWNLOADED = "client_id,client_secret,token_url\ndai-client,secret,https://dai.example.com/token\n"


def test_every_vendor_has_its_recipe() -> None:
    assert set(recipes()) == VENDORS


@pytest.mark.parametrize("name", sorted(VENDORS))
def test_a_recipe_is_short(name: str) -> None:
    assert len(recipes()[name].splitlines()) < LONGEST


@pytest.mark.parametrize("name", sorted(VENDORS))
def test_a_recipe_is_right_as_it_stands(name: str, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(recipes()[name])
    (tmp_path / "dai-client.csv").write_text(DOWNLOADED)
    (tmp_path / "dai-client.csv").chmod(0o600)
    config = load(file, defaultdict(lambda: "a secret"))
    assert {route.credential for route in config.routes} == set(config.credentials)
