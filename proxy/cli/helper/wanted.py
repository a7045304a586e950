"""One call of a credential helper, and the token that it is about; the same for all protocols."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from proxy.cli.edge import warn
from proxy.client.lent import Lent
from proxy.config.find import find
from proxy.errors import SidecarError, UnlendableError
from proxy.runtime.hardening import forbid_dumps
from proxy.runtime.lending_out import Lending

USERNAME = "oauth2"
"""What goes beside a token where nothing else is said: GitLab and most registries take it."""
LARGEST = 1 << 16
"""Bytes that a protocol's question may have."""


class ProtocolError(SidecarError):
    """A program asked in words that its protocol does not have, or that are not known here."""


class Wanted(NamedTuple):
    """One call.

    Attributes:
        protocol: ``kubectl``, ``git`` or ``docker``.
        name: the credential's.
        operation: ``get`` and the like; None where none was named.
        config: the configuration file, as it was named.
        username: that goes beside the token.
        urls: of the servers that may have the token.
    """

    protocol: str
    name: str
    operation: str | None = None
    config: str | None = None
    username: str = USERNAME
    urls: tuple[str, ...] = ()

    def lending(self) -> Lending:
        """What has the token."""
        forbid_dumps()
        return Lending(find(self.config, os.environ, Path.cwd()), os.environ, warn)

    def lent(self) -> Lent:
        """The token; raises as ``lending_out.lent``."""
        found = self.lending().token(self.name)
        if found.cookie:
            raise UnlendableError(
                f"credential {self.name} is a session: its cookies are no token that"
                f" {self.protocol} could send; send its requests through the sidecar"
            )
        return found

    def refused(self, token: str) -> None:
        """A server refused this token: another is got, if it is ours and still the newest."""
        lending = self.lending()
        found = lending.token(self.name)
        if found.token.reveal() == token:
            lending.rejected(self.name, found.generation)


def question() -> str:
    """What the program writes to our stdin.

    Raises:
        ProtocolError: it is too long, or no text.
    """
    said = sys.stdin.buffer.read(LARGEST + 1)
    try:
        if len(said) <= LARGEST:
            return said.decode()
    except UnicodeDecodeError:
        pass
    raise ProtocolError("what came on stdin is no question of this protocol")


def server(url: str) -> str:
    """Host and port of a server's address, as programs write it with or without a scheme."""
    parts = urlsplit(url if "://" in url else f"https://{url}")
    default = 80 if parts.scheme == "http" else 443
    try:
        return f"{parts.hostname or ''}:{parts.port or default}".lower()
    except ValueError:
        return ""
