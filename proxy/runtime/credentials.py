"""The credentials that are held: made from the configuration, kept over a reload if unchanged.

A credential that is kept keeps its token, its timer and its refusal; one whose configuration or
TLS files changed starts anew.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from proxy.client.making import made
from proxy.clock import Clock
from proxy.config import model
from proxy.control.lending import Lendable
from proxy.net.carriers import CarrierKey, Carriers
from proxy.runtime.preflight import secrets_of, values
from proxy.runtime.tls import TlsContexts
from proxy.runtime.tracing.ports import UNFOLLOWED, TokenTracing
from proxy.secret import Secret
from proxy.secrets.references import Direct, Sources
from proxy.stores.identity import identity
from proxy.stores.memory import MemoryStore
from proxy.tokens.credential import Credential
from proxy.tokens.event import Event
from proxy.tokens.policy import RenewalPolicy
from proxy.tokens.ports import Lender, TokenStore
from proxy.tokens.status import CredentialStatus

PATIENCE: Final = 30.0
"""Seconds that requests may wait for a credential that was replaced: longer than they do."""


@dataclass(frozen=True, slots=True)
class Held:
    """A credential with what it was made from; ``secrets`` are the values at that time.

    Attributes:
        identity: what the store knows it by; it may depend on other credentials.
    """

    configured: model.Credential
    identity: str
    carrier: CarrierKey | None
    secrets: tuple[Secret | None, ...]
    credential: Credential


class Credentials:
    """All of them, by name.

    Args:
        secrets: where secrets are looked up; None: each in its place, whenever it is wanted.
        tracing: follows what asks for tokens.
    """

    def __init__(
        self,
        *,
        environ: Mapping[str, str],
        clock: Clock,
        contexts: TlsContexts,
        log: Callable[[Event], None],
        store: TokenStore | None = None,
        secrets: Sources | None = None,
        tracing: TokenTracing = UNFOLLOWED,
    ) -> None:
        self._secrets = Direct(environ, clock) if secrets is None else secrets
        self._clock = clock
        self._log = log
        self._random = random.SystemRandom()
        self._store = MemoryStore() if store is None else store
        self._carriers = Carriers(environ=environ, clock=clock, contexts=contexts)
        self._tracing = tracing
        self._held: dict[str, Held] = {}
        self._leaving: dict[asyncio.Task[None], Held] = {}

    def plan(self, configured: Mapping[str, model.Credential]) -> dict[str, Held]:
        """What would be held with this configuration; nothing is started or stopped yet.

        Raises:
            SecretError: a secret can't be read.
            TlsError: a certificate file can't be used.
        """
        return {name: self._planned(one, configured) for name, one in configured.items()}

    async def adopt(self, planned: Mapping[str, Held]) -> None:
        """Hold what ``plan`` gave: start what is new, let go what is gone.

        Requests that wait for what is gone are served first; nobody waits for that here.
        """
        before, self._held = self._held, dict(planned)
        kept = {id(one.credential) for one in before.values()}
        for held in planned.values():
            if id(held.credential) not in kept:
                held.credential.start()
            elif held.secrets != before[held.configured.name].secrets:
                _try_again(held)
        stays = {id(held.credential) for held in planned.values()}
        for held in before.values():
            if id(held.credential) not in stays:
                self._let_go(held)
        await self._carriers.keep(self._carried())

    def _let_go(self, held: Held) -> None:
        task = asyncio.get_running_loop().create_task(self._farewell(held))
        self._leaving[task] = held
        task.add_done_callback(lambda task: self._leaving.pop(task, None))

    async def _farewell(self, held: Held) -> None:
        await held.credential.retire(PATIENCE)
        self._leaving = {task: one for task, one in self._leaving.items() if one is not held}
        await self._carriers.keep(self._carried())

    def _carried(self) -> set[CarrierKey | None]:
        return {held.carrier for held in (*self._held.values(), *self._leaving.values())}

    def secret_changed(self, reference: model.SecretReference) -> None:
        """The secret there is another one now."""
        for held in self._held.values():
            if reference in secrets_of(held.configured):
                _try_again(held)

    async def close(self) -> None:
        """Close all of them, and the store."""
        leaving, self._leaving = self._leaving, {}
        for task in leaving:
            task.cancel()
        every, self._held = (*self._held.values(), *leaving.values()), {}
        # Together: each may have an answer to wait for that it must not lose.
        await asyncio.gather(*(held.credential.close() for held in every))
        await self._carriers.keep(())
        await self._store.close()

    def statuses(self) -> tuple[CredentialStatus, ...]:
        """How each is doing."""
        return tuple(held.credential.status() for held in self._held.values())

    def lendable(self) -> dict[str, Lendable]:
        """Those that the control plane may lend, by name."""
        return {
            name: Lendable(held.credential, held.identity, held.configured.clients)
            for name, held in self._held.items()
        }

    def _planned(
        self, configured: model.Credential, others: Mapping[str, model.Credential]
    ) -> Held:
        key = self._carriers.key(configured.provider)
        secrets = values(configured, self._secrets)
        known_by = identity(configured, others)
        held = self._held.get(configured.name)
        made_from = (configured, known_by, key)
        if held is not None and (held.configured, held.identity, held.carrier) == made_from:
            return replace(held, configured=configured, secrets=secrets)
        made = self._credential(configured, key, known_by)
        return Held(configured, known_by, key, secrets, made)

    def _credential(
        self, configured: model.Credential, key: CarrierKey | None, known_by: str
    ) -> Credential:
        renew, sender = configured.renew, self._carriers.get(key)
        return made(
            configured,
            identity=known_by,
            sender=None if sender is None else self._tracing.sender(sender),
            store=self._store,
            renewal=RenewalPolicy(renew.margin, renew.min_interval, renew.idle),
            secrets=self._secrets,
            clock=self._clock,
            random=self._random,
            lenders=self._lender,
            log=self._log,
            follow=self._tracing.source,
        )

    def _lender(self, name: str) -> Lender:
        """The credential of that name now: one that borrows from another asks when it renews."""
        return self._held[name].credential


def _try_again(held: Held) -> None:
    """A secret changed: what was refused with the old one may be granted now.

    A static token's secret is the token itself.
    """
    held.credential.secret_changed(renew=held.configured.grant is model.Grant.STATIC)
