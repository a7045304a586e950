"""``TokenSource``: a credential's token for a Python program, for threads and for coroutines.

From a sidecar that runs, else from the store that it would use, renewed under the store's lock:
however many programs there are, one token request serves all.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from proxy.client.kept import Kept
from proxy.client.lent import Lent
from proxy.client.supply import Alone, Nearest, Supply, by_address
from proxy.clock import Clock, SystemClock


class TokenSource:
    """Gives the live token of one credential.

    Any number of threads and event loops may share one. Made at no cost: nothing is opened or
    asked before the first token is wanted. A process that was forked begins anew by itself.

    Args:
        name: the credential's, as the configuration has it.
        config: the configuration file; else it is found as the commands find it:
            ``$TOKEN_SIDECAR_CONFIG``, ``./token-sidecar.yaml``,
            ``$XDG_CONFIG_HOME/token-sidecar/config.yaml``.
        url: ask the sidecar with this ``admin`` alone (``http://127.0.0.1:8081``, or
            ``unix:/path``); no configuration is read.
        key: this client's key, which a sidecar wants over TCP.
        environ: environment variables; the process's by default.
        clock: the machine's by default.

    What the methods raise derives from ``proxy.errors.SidecarError``; above all:
        CredentialRefused: the provider refuses the credential.
        CredentialUnavailable: there is no token now: the provider does not answer, or a login is
            needed.
        RefusedError: the sidecar has no such credential, or does not lend it to us.
        NobodyThereError: no sidecar answers at ``url``.
        ConfigurationError, SecretError, StoreError: without a sidecar: what they say.
    """

    def __init__(
        self,
        name: str,
        *,
        config: str | Path | None = None,
        url: str | None = None,
        key: str | None = None,
        environ: Mapping[str, str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.name = name
        self._environ = os.environ if environ is None else environ
        self._config = None if config is None else Path(config).expanduser()
        self._address = None if url is None else by_address(url, key)
        self._kept = Kept(name, self._supply, clock or SystemClock())

    def __call__(self) -> str:
        """The token: for libraries that take a function which returns one."""
        return self.token()

    def token(self, *, min_ttl: float = 0.0) -> str:
        """The token itself.

        Args:
            min_ttl: seconds that it should live, where this provider's tokens do.
        """
        return self.lend(min_ttl=min_ttl).token.reveal()

    def lend(self, *, min_ttl: float = 0.0) -> Lent:
        """The token with what is known of it; its value does not show in logs."""
        return self._kept.lend(min_ttl)

    def reject(self, refused: Lent) -> Lent:
        """An API answered 401 to this one: the token to try once more with.

        The same one where there is no other to be had: then the 401 stands.
        """
        return self._kept.reject(refused)

    def refresh(self) -> Lent:
        """A new token, whether the present one is still good or not."""
        return self._kept.refresh()

    async def atoken(self, *, min_ttl: float = 0.0) -> str:
        """As ``token``."""
        return (await self.alend(min_ttl=min_ttl)).token.reveal()

    async def alend(self, *, min_ttl: float = 0.0) -> Lent:
        """As ``lend``; the loop goes on meanwhile."""
        lent = self.fresh(min_ttl=min_ttl)
        return await asyncio.to_thread(self._kept.lend, min_ttl) if lent is None else lent

    async def areject(self, refused: Lent) -> Lent:
        """As ``reject``."""
        return await asyncio.to_thread(self._kept.reject, refused)

    async def arefresh(self) -> Lent:
        """As ``refresh``."""
        return await asyncio.to_thread(self._kept.refresh)

    def fresh(self, *, min_ttl: float = 0.0) -> Lent | None:
        """The token if nobody has to be asked for it now, else None; never waits."""
        return self._kept.fresh(min_ttl)

    def close(self) -> None:
        """Let go of what was opened; the interpreter's end does it too."""
        self._kept.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"TokenSource({self.name!r})"

    def _supply(self) -> Supply:
        return self._address or Nearest(self._config, self._environ, _alone)


def _alone(path: Path, environ: Mapping[str, str]) -> Alone:
    # Asking a sidecar takes neither YAML nor a provider's client nor cryptography.
    from proxy.client.in_process import InProcess  # noqa: PLC0415
    from proxy.config.load import load  # noqa: PLC0415

    return InProcess(load(path, environ), environ)
