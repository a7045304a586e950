"""What the steps share: configuration, store, senders; opened once and closed again."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from proxy.clock import Clock
from proxy.config.model import Config, Credential, Egress, Grant, Provider, Tls
from proxy.doctor.lending import Once
from proxy.doctor.recorder import Recorder
from proxy.idp.sources import token_source
from proxy.net.carriers import SYSTEM, Carriers
from proxy.runtime.online import FAREWELL
from proxy.runtime.tls import TlsContexts
from proxy.secrets.references import Direct
from proxy.stores.identity import identity
from proxy.stores.memory import MemoryStore
from proxy.stores.opening import open_store
from proxy.tokens.policy import RenewalPolicy
from proxy.tokens.ports import Entry, TokenStore
from proxy.tokens.renewal import Renewal


class Surgery:
    """Makes what a step needs.

    Args:
        config: the whole file.
        environ: variables, for secrets and proxies.
        clock: the process's.
        contexts: where TLS contexts come from.
        store: the configured one; entries in it are changed under their locks only.
    """

    def __init__(
        self,
        config: Config,
        environ: Mapping[str, str],
        clock: Clock,
        contexts: TlsContexts,
        store: TokenStore,
    ) -> None:
        self.config = config
        self.environ = environ
        self.clock = clock
        self.notices: list[str] = []
        self._store = store
        self._passing = MemoryStore()
        self._contexts = contexts
        self._carriers = Carriers(environ=environ, clock=clock, contexts=contexts)
        self._secrets = Direct(environ, clock)

    def context(self, tls: Tls) -> ssl.SSLContext | None:
        """Whom to trust, None for the system's way.

        Raises:
            TlsError: a file can't be used.
        """
        return None if tls == SYSTEM else self._contexts.get(tls)

    def recorder(self, tls: Tls = SYSTEM, egress: Egress = Egress()) -> Recorder:  # noqa: B008 - frozen
        """A sender with this TLS and way out.

        Raises:
            TlsError: a file can't be used.
        """
        carrier = self._carriers.get(self._carriers.key(Provider(tls=tls, egress=egress)))
        if carrier is None:
            raise ValueError("a provider always has a carrier")
        return Recorder(carrier)

    def renewal(self, credential: Credential, sender: Recorder) -> Renewal:
        """Asks for a token as the sidecar does: under the entry's lock, keeping what comes."""
        source = token_source(
            credential,
            sender=sender,
            secrets=self._secrets,
            clock=self.clock,
            lenders=self._lender,
        )
        store = self._passing if credential.grant is Grant.STATIC else self._store
        return Renewal(source, store, self._identity(credential), RenewalPolicy(), self.clock)

    async def stored(self, credential: Credential) -> Entry:
        """What the store has of it.

        Raises:
            StoreError: it can't be read.
        """
        return await self._store.load(self._identity(credential))

    async def close(self) -> None:
        """Let go of everything."""
        await self._store.close()
        await self._carriers.keep(())
        await asyncio.sleep(FAREWELL)

    def _lender(self, name: str) -> Once:
        credential = self.config.credentials[name]
        provider = credential.provider or Provider()
        sender = self.recorder(provider.tls, provider.egress)
        return Once(name, lambda: self.renewal(credential, sender))

    def _identity(self, credential: Credential) -> str:
        return identity(credential, self.config.credentials)


@asynccontextmanager
async def surgery(
    config: Config, environ: Mapping[str, str], clock: Clock, contexts: TlsContexts
) -> AsyncIterator[Surgery]:
    """Open one.

    Raises:
        StoreError: the store can't be opened.
    """
    told: list[str] = []
    store = open_store(
        config.store, state_dir=config.state_dir, environ=environ, clock=clock, tell=told.append
    )
    made = Surgery(config, environ, clock, contexts, store)
    made.notices = told
    try:
        yield made
    finally:
        await made.close()
