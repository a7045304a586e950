"""What a command needs that works on one credential's entry: its provider, its store, a clock.

Opened for a moment and closed again; a running sidecar goes on beside it and sees what changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from proxy.clock import Clock, SystemClock
from proxy.config import model
from proxy.errors import ConfigurationError
from proxy.idp.requests import TokenRequests
from proxy.idp.sources import token_requests
from proxy.net.carriers import Carriers
from proxy.runtime.online import FAREWELL
from proxy.runtime.preflight import secrets_of
from proxy.runtime.tls import TlsContexts
from proxy.secrets.references import Direct
from proxy.stores.identity import identity
from proxy.stores.opening import open_store
from proxy.tokens.ports import TokenStore

WITHOUT_ENDPOINT: Final = frozenset({model.Grant.STATIC, model.Grant.SESSION})


@dataclass(frozen=True, slots=True)
class Workplace:
    """One credential with all that it takes to get, keep and end its tokens.

    ``requests`` is None where no token endpoint is asked.
    """

    credential: model.Credential
    requests: TokenRequests | None
    store: TokenStore
    identity: str
    clock: Clock


@asynccontextmanager
async def workplace(
    config: model.Config,
    name: str,
    environ: Mapping[str, str],
    tell: Callable[[str], None],
) -> AsyncIterator[Workplace]:
    """The place for the credential ``name``; ``tell`` hears what a person should see to.

    Raises:
        ConfigurationError: tokens are kept in the memory of whatever process has them.
        SecretError: a secret of the client can't be read.
        StoreError: the store can't be opened.
    """
    credential = config.credentials[name]
    if config.store is None:
        raise ConfigurationError([credential.at.problem(_MEMORY.format(name=name))])
    clock = SystemClock()
    secrets = Direct(environ, clock)
    for reference in secrets_of(credential):
        if reference is not None:
            secrets(reference).read()
    carriers = Carriers(environ=environ, clock=clock, contexts=TlsContexts())
    store = open_store(
        config.store, state_dir=config.state_dir, environ=environ, clock=clock, tell=tell
    )
    try:
        sender = carriers.get(carriers.key(credential.provider))
        asks = credential.grant not in WITHOUT_ENDPOINT
        requests = token_requests(credential, sender, secrets, clock) if sender and asks else None
        known_by = identity(credential, config.credentials)
        yield Workplace(credential, requests, store, known_by, clock)
    finally:
        await store.close()
        await carriers.keep(())
        await asyncio.sleep(FAREWELL)


_MEMORY = (
    "{name}: nothing is kept between a command and the sidecar while tokens are in memory; set"
    " `store: {{file: ~/.local/state/token-sidecar/tokens}}`"
)
