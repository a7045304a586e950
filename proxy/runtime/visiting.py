"""Gets tokens for a command without a running sidecar: from the store, renewed there if need be.

Puts credentials, provider and store together for a moment; with tokens in memory nothing is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from proxy.client.lent import Lent
from proxy.client.stored import lent_of
from proxy.clock import SystemClock
from proxy.config import model
from proxy.errors import ConfigurationError
from proxy.idp.sources import token_source
from proxy.net.carriers import Carriers
from proxy.net.trust import Trust
from proxy.runtime import unbroken
from proxy.runtime.online import FAREWELL
from proxy.runtime.preflight import secrets_of
from proxy.secrets.references import Direct
from proxy.stores.identity import identity
from proxy.stores.memory import MemoryStore
from proxy.stores.opening import open_store
from proxy.tokens.policy import RenewalPolicy
from proxy.tokens.ports import Entry
from proxy.tokens.visit import Visit

Tell = Callable[[str], None]


class Visits:
    """Visits to the credentials of one configuration; credentials that need others find them."""

    def __init__(self, config: model.Config, environ: Mapping[str, str], tell: Tell) -> None:
        self._config = config
        self._environ = environ
        self._tell = tell
        self._clock = SystemClock()
        self._secrets = Direct(environ, self._clock)
        self._carriers = Carriers(environ=environ, clock=self._clock, contexts=Trust())
        self._store = open_store(
            config.store,
            state_dir=config.state_dir,
            environ=environ,
            clock=self._clock,
            tell=tell,
        )
        self._made: dict[str, Visit] = {}

    def of(self, name: str) -> Visit:
        """The visit to the credential ``name``.

        Raises:
            ConfigurationError: what would come could not be kept, and has to be.
            TlsError: a certificate file can't be used.
        """
        if name not in self._made:
            self._made[name] = self._visit(self._config.credentials[name])
        return self._made[name]

    async def kept(self, credential: model.Credential) -> Entry:
        """What the store has for a credential, as it is."""
        return await self._store.load(identity(credential, self._config.credentials))

    async def close(self) -> None:
        """Let go of everything."""
        await self._store.close()
        await self._carriers.keep(())
        await asyncio.sleep(FAREWELL)

    def _visit(self, credential: model.Credential) -> Visit:
        refuse_spending(credential, self._config)
        sender = self._carriers.get(self._carriers.key(credential.provider))
        renew = credential.renew
        return Visit(
            credential.name,
            source=token_source(
                credential,
                sender=sender,
                secrets=self._secrets,
                clock=self._clock,
                lenders=self.of,
            ),
            # As in the sidecar: what was read from a static token's place must not stay.
            store=MemoryStore() if credential.grant is model.Grant.STATIC else self._store,
            identity=identity(credential, self._config.credentials),
            policy=RenewalPolicy(renew.margin, renew.min_interval, renew.idle),
            clock=self._clock,
            spends=credential.grant is model.Grant.REFRESH_TOKEN,
            ready=lambda: self._read_secrets(credential),
            tell=self._tell,
        )

    def _read_secrets(self, credential: model.Credential) -> None:
        for reference in secrets_of(credential):
            if reference is not None:
                self._secrets(reference).read()


@asynccontextmanager
async def visits(
    config: model.Config, environ: Mapping[str, str], tell: Tell
) -> AsyncIterator[Visits]:
    """Visits, for as long as the block runs.

    Raises:
        StoreError: the store can't be opened.
    """
    made = Visits(config, environ, tell)
    try:
        yield made
    finally:
        await made.close()


def refuse_spending(credential: model.Credential, config: model.Config) -> None:
    """Keep a refresh token from being spent for a token that dies with this process.

    Raises:
        ConfigurationError: it would be.
    """
    if credential.grant is model.Grant.REFRESH_TOKEN and config.store is None:
        raise ConfigurationError([credential.at.problem(_SPENT.format(name=credential.name))])


def lent(
    config: model.Config, name: str, environ: Mapping[str, str], least: float, tell: Tell
) -> Lent:
    """The token of one credential, in a loop of its own; see ``Visit.entry``."""

    async def visit(made: Visits) -> Entry:
        return await made.of(name).entry(least)

    return _in_a_loop(config, environ, tell, visit)


def refreshed(config: model.Config, name: str, environ: Mapping[str, str], tell: Tell) -> Lent:
    """A new token of one credential, in a loop of its own; see ``Visit.refreshed``."""

    async def visit(made: Visits) -> Entry:
        return await made.of(name).refreshed()

    return _in_a_loop(config, environ, tell, visit)


def rejected(
    config: model.Config, name: str, environ: Mapping[str, str], generation: int, tell: Tell
) -> Lent:
    """What comes after this generation, in a loop of its own; see ``Visit.rejected``."""

    async def visit(made: Visits) -> Entry:
        return await made.of(name).rejected(generation)

    return _in_a_loop(config, environ, tell, visit)


def _in_a_loop(
    config: model.Config,
    environ: Mapping[str, str],
    tell: Tell,
    visit: Callable[[Visits], Awaitable[Entry]],
) -> Lent:
    async def work() -> Entry:
        async with visits(config, environ, tell) as made:
            return await visit(made)

    return lent_of(unbroken.run(work()), SystemClock().now())


def forgotten(config: model.Config, name: str, environ: Mapping[str, str], tell: Tell) -> bool:
    """Forget what the store has for one credential; whether there was anything."""
    if config.store is None:
        return False

    async def work() -> bool:
        async with visits(config, environ, tell) as made:
            return await made.of(name).forget()

    return unbroken.run(work())


def entries(
    config: model.Config, names: Iterable[str], environ: Mapping[str, str], tell: Tell
) -> dict[str, Entry]:
    """What the store has for these credentials, as it is."""
    wanted = [config.credentials[name] for name in names]

    async def work() -> dict[str, Entry]:
        async with visits(config, environ, tell) as made:
            return {one.name: await made.kept(one) for one in wanted}

    return unbroken.run(work())


_SPENT: Final = (
    "{name}: its refresh token would be spent for a token that is kept nowhere: have a sidecar run"
    " with this file, or set `store: {{file: ~/.local/state/token-sidecar/tokens}}`"
)
