"""Where a program's tokens come from: a sidecar that runs, or the store, renewed by the program.

Decides which of them is asked; the sidecar first, so that both never renew side by side.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from proxy.client.lent import Lent
from proxy.client.own_socket import DEFAULT_STATE_DIR, own_socket
from proxy.client.running import NobodyThereError, RefusedError, RunningSidecar
from proxy.client.wire import Place
from proxy.errors import SidecarError
from proxy.message import is_loopback
from proxy.secret import Secret


class Supply(Protocol):
    """Lends tokens by the credential's name; ``RunningSidecar`` is one, and says what is raised."""

    def token(self, name: str, *, min_ttl: float = 0.0) -> Lent:
        """The present token, renewed first where it has less than ``min_ttl`` seconds left."""

    def reject(self, name: str, generation: int) -> Lent:
        """An upstream answered 401 to this generation: the token to try instead."""

    def refresh(self, name: str) -> Lent:
        """A new token, whether the present one is still good or not."""


class Alone(Supply, Protocol):
    """Lends by itself, from the store."""

    state_dir: Path

    def close(self) -> None:
        """Let go of the store; a refresh token that is being spent gets its answer first."""


class AddressError(SidecarError):
    """What was given as the address of a sidecar's control plane can't be one."""


class Nearest:
    """The sidecar that runs with a configuration; where there is none, the program itself.

    Args:
        config: as it was named; None: found as the commands find it.
        environ: tells where sockets, configurations and secrets are.
        alone: makes what lends where no sidecar runs, from the configuration's path.
    """

    def __init__(
        self,
        config: Path | None,
        environ: Mapping[str, str],
        alone: Callable[[Path, Mapping[str, str]], Alone],
    ) -> None:
        self._config = config
        self._environ = environ
        self._make = alone
        self._alone: Alone | None = None
        self._making = threading.Lock()

    def token(self, name: str, *, min_ttl: float = 0.0) -> Lent:
        """See ``Supply``."""
        return self._ask(lambda supply: supply.token(name, min_ttl=min_ttl))

    def reject(self, name: str, generation: int) -> Lent:
        """See ``Supply``."""
        return self._ask(lambda supply: supply.reject(name, generation))

    def refresh(self, name: str) -> Lent:
        """See ``Supply``."""
        return self._ask(lambda supply: supply.refresh(name))

    def close(self) -> None:
        """Let go of the store; a refresh token that is being spent gets its answer first."""
        with self._making:
            alone, self._alone = self._alone, None
        if alone is not None:
            alone.close()

    def _ask(self, question: Callable[[Supply], Lent]) -> Lent:
        path = self._path()
        socket = own_socket(path, self._environ, self._home() / DEFAULT_STATE_DIR)
        lent = _asked(socket, question)
        if lent is not None:
            return lent
        alone = self._opened(path)
        # Its state directory may lie where only the configuration tells.
        told = own_socket(path, self._environ, alone.state_dir)
        lent = None if told == socket else _asked(told, question)
        return question(alone) if lent is None else lent

    def _opened(self, path: Path) -> Alone:
        with self._making:
            if self._alone is None:
                self._alone = self._make(path, self._environ)
            return self._alone

    def _path(self) -> Path:
        if self._config is not None:
            return self._config
        from proxy.config.find import find  # noqa: PLC0415 - most are told

        return find(None, self._environ, Path.cwd())

    def _home(self) -> Path:
        return Path(self._environ["HOME"]) if self._environ.get("HOME") else Path.home()


def _asked(socket: Path, question: Callable[[Supply], Lent]) -> Lent | None:
    """A running sidecar's answer, None where none runs, or one that knows no such credential."""
    try:
        return question(RunningSidecar(socket))
    except (NobodyThereError, RefusedError):
        return None


def by_address(url: str, key: str | None) -> RunningSidecar:
    """The sidecar whose control plane is at ``url``.

    Raises:
        AddressError: it is no such address.
    """
    return RunningSidecar(_place(url), None if key is None else Secret(key))


def _place(url: str) -> Place:
    if url.startswith("unix:"):
        return Path(url.removeprefix("unix:"))
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    plain = parts.scheme == "http" and parts.path in {"", "/"} and not parts.query
    if not plain or port is None or not is_loopback(parts.hostname or ""):
        raise AddressError(_NO_ADDRESS.format(url=url))
    return parts.hostname or "", port


_NO_ADDRESS: Final = (
    "{url} is no control plane's address: it is a sidecar's `admin` on this machine, like"
    " http://127.0.0.1:8081 or unix:/path"
)
