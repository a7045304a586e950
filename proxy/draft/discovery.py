"""Asks an issuer what it offers, so that only grants are proposed that it has."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from proxy.clock import SystemClock
from proxy.config.model import Provider
from proxy.idp.endpoint import Endpoints
from proxy.net.carriers import Carriers
from proxy.runtime.tls import TlsContexts

GRANTS: Final = (
    "client_credentials",
    "authorization_code",
    "device_code",
    "password",
    "refresh_token",
)
_FAREWELL: Final = 0.1
"""Seconds that closed TLS connections get to say goodbye before the loop ends under them."""


def offered(issuer: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The grants that ``issuer`` has endpoints for, the most usual first.

    Raises:
        TokenRequestError: its discovery document can't be had, or not believed.
    """
    return asyncio.run(_ask(issuer, environ))


async def _ask(issuer: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    clock, provider = SystemClock(), Provider(issuer=issuer)
    carriers = Carriers(environ=environ, clock=clock, contexts=TlsContexts())
    try:
        sender = carriers.get(carriers.key(provider))
        if sender is None:
            raise ValueError("there is a provider")
        found = await Endpoints(provider, sender, clock).metadata()
    finally:
        await carriers.keep(())
        await asyncio.sleep(_FAREWELL)
    without = {
        "authorization_code": found.authorization_endpoint is None,
        "device_code": found.device_authorization_endpoint is None,
    }
    return tuple(grant for grant in GRANTS if not without.get(grant, False))
