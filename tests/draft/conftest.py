"""Runs ``token-sidecar init`` in a directory of its own, with nobody to ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import keyring
import pytest
from click.testing import CliRunner
from keyring.backend import KeyringBackend

from proxy.cli.main import commands
from proxy.config.load import load
from proxy.config.model import Config, Credential
from proxy.errors import SidecarError

CANARY = "Kanarien-v0gel"


@dataclass
class Desk:
    """A directory to work in."""

    directory: Path

    def init(self, *arguments: str, stdin: str = "") -> click.testing.Result:
        """The command; what it raises is in the result."""
        whole = ["init", *arguments]
        return CliRunner().invoke(commands, whole, input=stdin, standalone_mode=False)

    def right(self, *arguments: str, stdin: str = "") -> str:
        """The command, which has to work; what it said on stderr."""
        result = self.init(*arguments, stdin=stdin)
        assert result.exception is None, result.exception
        assert CANARY not in result.output
        return result.stderr

    def wrong(self, *arguments: str, stdin: str = "") -> str:
        """The command, which has to fail without leaving anything; what it said."""
        before = sorted(self.directory.rglob("*"))
        result = self.init(*arguments, stdin=stdin)
        assert isinstance(result.exception, SidecarError), result.output
        assert sorted(self.directory.rglob("*")) == before
        assert CANARY not in f"{result.exception}{result.exception!r}{result.output}"
        return str(result.exception)

    def written(self, name: str, content: str) -> str:
        """A file; its name."""
        (self.directory / name).write_text(content)
        return name

    @property
    def text(self) -> str:
        """The configuration."""
        return (self.directory / "token-sidecar.yaml").read_text()

    @property
    def config(self) -> Config:
        """The configuration, as the sidecar reads it."""
        return load(self.directory / "token-sidecar.yaml", {"HOME": str(self.directory)})

    @property
    def credential(self) -> Credential:
        """Its one credential."""
        (found,) = self.config.credentials.values()
        return found

    @property
    def upstream(self) -> str:
        """Its one route's upstream."""
        (route,) = self.config.routes
        found = route.upstream
        return f"{'https' if found.secure else 'http'}://{found.authority}{found.path}"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """An empty directory, which is where we stand."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("API_CLIENT_SECRET", "TOKEN_SIDECAR_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    return Desk(tmp_path)


class Ring(KeyringBackend):
    """A keyring in memory."""

    priority = 5

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def ring() -> Iterator[Callable[[], dict[tuple[str, str], str]]]:
    """The keyring of this test; what is in it."""
    before, found = keyring.get_keyring(), Ring()
    keyring.set_keyring(found)
    yield lambda: found.kept
    keyring.set_keyring(before)
