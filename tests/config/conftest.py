"""Loads configurations from text, as the tests of this directory want them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.config.load import load
from proxy.config.model import Config
from proxy.errors import ConfigurationError

ROUTES = "routes: [{upstream: https://api.example.com/, credential: none}]\n"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where the configuration lies."""
    return tmp_path


@pytest.fixture
def loaded(directory: Path) -> Callable[[str], Config]:
    """Loads a text; one without routes gets one."""

    def read(text: str) -> Config:
        whole = textwrap.dedent(text)
        file = directory / "c.yaml"
        file.write_text(whole if "routes:" in whole else f"{whole}\n{ROUTES}", encoding="utf-8")
        return load(file, {"HOME": "/home/mary"})

    return read


@pytest.fixture
def problems(directory: Path, loaded: Callable[[str], Config]) -> Callable[[str], list[str]]:
    """The problems of a text, each as ``LINE:COLUMN: message``; none if it is right."""

    def tell(text: str) -> list[str]:
        try:
            loaded(text)
        except ConfigurationError as error:
            return [str(one).removeprefix(f"{directory / 'c.yaml'}:") for one in error.problems]
        return []

    return tell
