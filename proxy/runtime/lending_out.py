"""A credential's token for a command: whom it asks first, and whom then.

A running sidecar comes first, so that programs share even what is in its memory. Where none runs,
or one with another configuration, the store itself; the provider only where that has no token.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from proxy.client.index import Index, Indexed, recall
from proxy.client.lent import Lent
from proxy.client.own_socket import own_socket
from proxy.errors import UnlendableError

if TYPE_CHECKING:
    from proxy.client.running import RunningSidecar
    from proxy.config.model import Config

T = TypeVar("T")
Tell = Callable[[str], None]
BEYOND_HOLD: Final = 5.0
"""Seconds that a sidecar's answer may take beyond its ``hold``."""


def lent(
    config: Path,
    name: str,
    environ: Mapping[str, str],
    *,
    min_ttl: float = 0.0,
    tell: Tell,
) -> Lent:
    """The token of the credential ``name``: the sidecar's, else the store's, else a new one.

    Blocks; call it where no event loop runs.

    Args:
        config: the configuration file.
        name: the credential's.
        environ: the environment variables.
        min_ttl: seconds that it should live, where tokens of this provider do; see
            ``policy.too_short``.
        tell: is told what a person should see to.

    Raises:
        ConfigurationError: the configuration can't be used, or allows no token here.
        UnlendableError: there is no such credential, or only one for each caller.
        SecretError: a secret can't be read.
        StoreError: the store can't be used.
        CredentialRefused: the sidecar says that the provider refuses the credential.
        CredentialUnavailable: the sidecar has no token now.
        TokenRequestError: we asked the provider, and no token came.
    """
    return Lending(config, environ, tell).token(name, min_ttl)


class Lending:
    """One configuration's credentials for one command; the arguments are as above."""

    def __init__(self, config: Path, environ: Mapping[str, str], tell: Tell) -> None:
        self._path = config
        self._environ = environ
        self._tell = tell
        self._config: Config | None = None
        self._index = recall(config, environ) or self._read()

    @property
    def index(self) -> Index:
        """What is known of the configuration without reading it again."""
        return self._index

    @property
    def config(self) -> Config:
        """The configuration itself; reading it takes its time."""
        if self._config is None:
            self._index = self._read()
        assert self._config is not None  # noqa: S101 - just read
        return self._config

    def token(self, name: str, min_ttl: float = 0.0) -> Lent:
        """See ``lent``."""
        known = self.known(name)
        return (
            self._asked(lambda one: one.token(name, min_ttl=min_ttl, identity=known.identity))
            or self._present(known, min_ttl)
            or self._visited(name, min_ttl)
        )

    def refreshed(self, name: str) -> Lent:
        """A new token, whether the present one is still good or not; raises as ``lent``."""
        known = self.known(name)
        found = self._asked(lambda one: one.refresh(name, identity=known.identity))
        if found is not None:
            return found
        from proxy.runtime import visiting  # noqa: PLC0415 - see _visited

        return visiting.refreshed(self.config, name, self._environ, self._tell)

    def rejected(self, name: str, generation: int) -> Lent:
        """A server refused this generation: what to send instead; raises as ``lent``."""
        known = self.known(name)
        found = self._asked(lambda one: one.reject(name, generation, identity=known.identity))
        if found is not None:
            return found
        from proxy.runtime import visiting  # noqa: PLC0415 - see _visited

        return visiting.rejected(self.config, name, self._environ, generation, self._tell)

    def sidecar(self) -> RunningSidecar | None:
        """The one that may run with this configuration; None: none has a socket here."""
        place = own_socket(self._path, self._environ, Path(self._index.state_dir))
        if not os.path.exists(place):  # noqa: PTH110 - False, too, where we may not look
            return None
        from proxy.client.running import RunningSidecar  # noqa: PLC0415 - only where one runs

        return RunningSidecar(place, patience=self._index.hold + BEYOND_HOLD)

    def _asked(self, question: Callable[[RunningSidecar], T]) -> T | None:
        """What a running sidecar answers; None: the store itself has to be asked."""
        sidecar = self.sidecar()
        if sidecar is None:
            return None
        from proxy.client import running  # noqa: PLC0415 - only where one runs

        try:
            return question(sidecar)
        except running.NobodyThereError:
            return None
        except (running.OtherConfigurationError, running.RefusedError) as error:
            self._tell(f"{error}; the store itself is used instead")
            return None

    def forgotten(self, name: str) -> bool:
        """Forget its token and what renews it, wherever that is kept; whether there was anything.

        Raises as ``lent``.
        """
        known = self.known(name)
        found = self._asked(lambda one: one.forget(name, identity=known.identity))
        if found is not None:
            return found
        from proxy.runtime import visiting  # noqa: PLC0415 - see _visited

        return visiting.forgotten(self.config, name, self._environ, self._tell)

    def known(self, name: str) -> Indexed:
        """What is known of the credential ``name``.

        Raises:
            UnlendableError: there is no such credential, or only one for each caller.
        """
        known = self._index.credentials.get(name)
        if known is None:
            raise UnlendableError(no_such(name, self._index.credentials))
        if not known.lent:
            raise UnlendableError(
                f"credential {name} has a token for each caller of its route, and none of its own"
            )
        return known

    def _present(self, known: Indexed, min_ttl: float) -> Lent | None:
        if self._index.store is None:
            return None
        from proxy.client.stored import lent_of, present  # noqa: PLC0415 - a running sidecar needs no store
        from proxy.clock import SystemClock  # noqa: PLC0415

        now = SystemClock().now()
        entry = present(self._index, known, self._environ, min_ttl, now)
        return None if entry is None else lent_of(entry, now)

    def _visited(self, name: str, min_ttl: float) -> Lent:
        # The provider has to be asked, or a store to be opened that takes more than a look: what
        # this imports costs more than all before.
        from proxy.runtime import visiting  # noqa: PLC0415

        return visiting.lent(self.config, name, self._environ, min_ttl, self._tell)

    def _read(self) -> Index:
        from proxy.runtime import indexing  # noqa: PLC0415 - see _visited

        self._config, index = indexing.read(self._path, self._environ)
        return index


def no_such(name: str, known: Collection[str]) -> str:
    """That there is no such credential, and which may have been meant."""
    from difflib import get_close_matches  # noqa: PLC0415 - for those who mistyped

    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known) or 'none'}"
    return f"no credential {name} in the configuration; {hint}"
