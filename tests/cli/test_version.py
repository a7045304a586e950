from __future__ import annotations

import tomllib
from pathlib import Path

from proxy.version import VERSION

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_program_and_its_distribution_have_the_same_version() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION
