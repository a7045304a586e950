"""The credentials that are held: made from the configuration, kept over a reload if unchanged.

A credential that is kept keeps its token, its timer and its refusal; one whose configuration or
TLS files changed starts anew.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from proxy.clock import Clock
from proxy.config import model
from proxy.idp.sources import token_source
from proxy.runtime.carriers import CarrierKey, Carriers
from proxy.runtime.tls import TlsContexts
from proxy.stores.memory import MemoryStore
from proxy.tokens.credential import Credential
from proxy.tokens.event import Event
from proxy.tokens.policy import RenewalPolicy
from proxy.tokens.status import CredentialStatus


@dataclass(frozen=True, slots=True)
class Held:
    """A credential with what it was made from."""

    configured: model.Credential
    carrier: CarrierKey | None
    credential: Credential


class Credentials:
    """All of them, by name."""

    def __init__(
        self,
        *,
        environ: Mapping[str, str],
        clock: Clock,
        contexts: TlsContexts,
        log: Callable[[Event], None],
    ) -> None:
        self._environ = environ
        self._clock = clock
        self._log = log
        self._random = random.SystemRandom()
        self._store = MemoryStore()
        self._carriers = Carriers(environ=environ, clock=clock, contexts=contexts)
        self._held: dict[str, Held] = {}

    def plan(self, configured: Mapping[str, model.Credential]) -> dict[str, Held]:
        """What would be held with this configuration; nothing is started or stopped yet.

        Raises:
            TlsError: a certificate file can't be used.
        """
        return {name: self._planned(one) for name, one in configured.items()}

    async def adopt(self, planned: Mapping[str, Held]) -> None:
        """Hold what ``plan`` gave: start what is new, close what is gone."""
        gone = [one for one in self._held.values() if one not in planned.values()]
        new = [one for one in planned.values() if one not in self._held.values()]
        self._held = dict(planned)
        for held in new:
            held.credential.start()
        for held in gone:
            await held.credential.close()
        await self._carriers.keep({held.carrier for held in self._held.values()})

    async def close(self) -> None:
        """Close all of them."""
        await self.adopt({})

    def statuses(self) -> tuple[CredentialStatus, ...]:
        """How each is doing."""
        return tuple(held.credential.status() for held in self._held.values())

    def _planned(self, configured: model.Credential) -> Held:
        key = self._carriers.key(configured.provider)
        held = self._held.get(configured.name)
        if held is not None and held.configured == configured and held.carrier == key:
            return held
        return Held(configured, key, self._credential(configured, key))

    def _credential(self, configured: model.Credential, key: CarrierKey | None) -> Credential:
        return Credential(
            configured.name,
            source=token_source(
                configured,
                sender=self._carriers.get(key),
                environ=self._environ,
                clock=self._clock,
            ),
            store=self._store,
            identity=identity(configured),
            renewal=RenewalPolicy(
                margin=configured.renew.margin,
                min_interval=configured.renew.min_interval,
                idle=configured.renew.idle,
            ),
            clock=self._clock,
            random=self._random,
            required=configured.required,
            log=self._log,
        )


def identity(configured: model.Credential) -> str:
    """What the store knows it by: changes with everything that its tokens depend on.

    The secrets themselves are no part of it: their references are.
    """
    depends_on = repr((configured, sorted(configured.params.items())))
    told = hashlib.sha256(depends_on.encode()).hexdigest()[:16]
    return f"{configured.name}:{told}"
