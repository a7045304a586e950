"""The credentials of which every caller has one: made from the configuration, kept if unchanged.

What is kept over a reload keeps its callers. Nothing of theirs is ever stored: a caller's token
dies with this process.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from proxy.clock import Clock
from proxy.config import model
from proxy.idp.sources import caller_sources
from proxy.net.carriers import CarrierKey, Carriers
from proxy.runtime.preflight import secrets_of, values
from proxy.runtime.tls import TlsContexts
from proxy.runtime.tracing.ports import UNFOLLOWED, TokenTracing
from proxy.secret import Secret
from proxy.secrets.references import Direct, Sources
from proxy.stores.memory import MemoryStore
from proxy.tokens.callers import Callers
from proxy.tokens.credential import Credential
from proxy.tokens.event import Event
from proxy.tokens.policy import RenewalPolicy
from proxy.tokens.ports import Lender, TokenSource
from proxy.tokens.status import CredentialStatus

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class HeldCallers:
    """The callers of one credential with what it was made from."""

    configured: model.Credential
    carrier: CarrierKey
    secrets: tuple[Secret | None, ...]
    callers: Callers


class CallerCredentials:
    """All of them, by name.

    Args:
        lenders: finds another credential by name, when its token is wanted.
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
        lenders: Callable[[str], Lender],
        secrets: Sources | None = None,
        tracing: TokenTracing = UNFOLLOWED,
    ) -> None:
        self._secrets = Direct(environ, clock) if secrets is None else secrets
        self._clock = clock
        self._log = log
        self._lenders = lenders
        self._random = random.SystemRandom()
        self._carriers = Carriers(environ=environ, clock=clock, contexts=contexts)
        self._tracing = tracing
        self._held: dict[str, HeldCallers] = {}

    def plan(self, configured: Mapping[str, model.Credential]) -> dict[str, HeldCallers]:
        """What would be held with this configuration; nothing changes yet.

        Raises:
            SecretError: a secret can't be read.
            TlsError: a certificate file can't be used.
        """
        return {name: self._planned(one) for name, one in configured.items() if by_caller(one)}

    async def adopt(self, planned: Mapping[str, HeldCallers]) -> None:
        """Hold what ``plan`` gave, and close what is gone."""
        before, self._held = self._held, dict(planned)
        for name, held in planned.items():
            if name in before and held.secrets != before[name].secrets:
                held.callers.begin_anew()
        stays = {id(held.callers) for held in planned.values()}
        for held in before.values():
            if id(held.callers) not in stays:
                await held.callers.close()
        await self._carriers.keep({held.carrier for held in planned.values()})

    async def close(self) -> None:
        """Close all of them."""
        await self.adopt({})

    def secret_changed(self, reference: model.SecretReference) -> None:
        """The secret there is another one now."""
        for held in self._held.values():
            if reference in secrets_of(held.configured):
                held.callers.begin_anew()

    def statuses(self) -> tuple[CredentialStatus, ...]:
        """How each is doing."""
        return tuple(held.callers.status() for held in self._held.values())

    def _planned(self, configured: model.Credential) -> HeldCallers:
        key = self._carriers.key(configured.provider)
        if key is None:
            raise ValueError("an exchange without a provider got past the configuration's checks")
        found = values(configured, self._secrets)
        held = self._held.get(configured.name)
        if held is not None and (held.configured, held.carrier) == (configured, key):
            return replace(held, configured=configured, secrets=found)
        return HeldCallers(configured, key, found, self._callers(configured, key))

    def _callers(self, configured: model.Credential, key: CarrierKey) -> Callers:
        sender = self._carriers.get(key)
        if sender is None:
            raise ValueError("nothing carries an exchange to its provider")
        return Callers(
            configured.name,
            sources=caller_sources(
                configured,
                sender=self._tracing.sender(sender),
                secrets=self._secrets,
                clock=self._clock,
                lenders=self._lenders,
            ),
            make=lambda source, log: self._credential(configured, source, log),
            key=secrets.token_bytes(KEY_BYTES),
            clock=self._clock,
            log=self._log,
        )

    def _credential(
        self, configured: model.Credential, source: TokenSource, log: Callable[[Event], None]
    ) -> Credential:
        renew = configured.renew
        return Credential(
            configured.name,
            source=self._tracing.source(configured.name, source),
            store=MemoryStore(),
            identity=configured.name,
            renewal=RenewalPolicy(margin=renew.margin, min_interval=renew.min_interval),
            clock=self._clock,
            random=self._random,
            required=False,
            log=log,
        )


def by_caller(configured: model.Credential) -> bool:
    """Whether each caller has one of its own."""
    return isinstance(configured.subject, model.FromRequest)
