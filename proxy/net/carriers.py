"""What carries requests to providers: one for all that share TLS settings and a way out."""

from __future__ import annotations

import ssl
from collections.abc import Collection, Mapping
from typing import Final, Protocol

from proxy.clock import Clock
from proxy.config.model import Egress, Provider, Tls
from proxy.net.carrier import Carrier

CarrierKey = tuple[ssl.SSLContext | None, Egress]

SYSTEM: Final = Tls()
"""The system's way to speak TLS: a carrier has that by itself."""


class Contexts(Protocol):
    """Where TLS contexts come from; ``net.trust.Trust`` is one."""

    def get(self, tls: Tls) -> ssl.SSLContext:
        """The context for ``tls``; TlsError where a file can't be used."""


class Carriers:
    """Hands out carriers; equal settings over unchanged files share one."""

    def __init__(self, *, environ: Mapping[str, str], clock: Clock, contexts: Contexts) -> None:
        self._environ = environ
        self._clock = clock
        self._contexts = contexts
        self._made: dict[CarrierKey, Carrier] = {}

    def key(self, provider: Provider | None) -> CarrierKey | None:
        """What tells the provider's carrier from others; None where there is nobody to ask.

        Raises:
            TlsError: a certificate file can't be used.
        """
        if provider is None:
            return None
        tls = None if provider.tls == SYSTEM else self._contexts.get(provider.tls)
        return tls, provider.egress

    def get(self, key: CarrierKey | None) -> Carrier | None:
        """The carrier for ``key``, made when first wanted."""
        if key is None:
            return None
        if key not in self._made:
            tls, egress = key
            self._made[key] = Carrier(
                clock=self._clock, tls=tls, egress=egress, environ=self._environ
            )
        return self._made[key]

    async def keep(self, used: Collection[CarrierKey | None]) -> None:
        """Close those that are no longer used."""
        for key in [key for key in self._made if key not in used]:
            await self._made.pop(key).close()
