"""Token sources against an ``IdentityProvider``: real sockets, a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from proxy.config.model import (
    Credential,
    EnvSecret,
    Grant,
    PlainSecret,
    Position,
    Provider,
)
from proxy.errors import TokenRequestError
from proxy.idp.origins import Lenders
from proxy.idp.sources import token_source
from proxy.net.carrier import Carrier
from proxy.oauth.authentication import ClientAuthentication
from proxy.secret import Secret
from proxy.secrets.references import Direct
from proxy.tokens.ports import TokenSource
from proxy.tokens.token import RefreshToken, Token
from tests.support.clock import FakeClock
from tests.support.identity_provider import CLIENT, USER, IdentityProvider

AT = Position("c.yaml", 1, 1)


@dataclass(slots=True)
class Asking:
    """One credential's source, what it keeps, and the provider it asks.

    Attributes:
        environ: CLIENT_SECRET, PASSWORD and REFRESH_TOKEN, which a test may change.
        held: the refresh token that the store would have.
        kept: what the source had kept by itself.
    """

    provider: IdentityProvider
    carrier: Carrier
    clock: FakeClock
    environ: dict[str, str]
    source: TokenSource
    held: RefreshToken | None = None
    kept: list[str | None] = field(default_factory=list)

    async def obtain(self) -> Token:
        """A token; its refresh token is held for the next time, as ``Credential`` does it."""
        token = await self.source.obtain(self.held, self._keep)
        self.held = token.refresh or self.held
        return token

    async def refused(self) -> TokenRequestError:
        """The error that comes instead of a token."""
        with pytest.raises(TokenRequestError) as caught:
            await self.obtain()
        return caught.value

    async def _keep(self, token: RefreshToken | None) -> None:
        self.held = token
        self.kept.append(None if token is None else token.value.reveal())


@asynccontextmanager
async def asking(
    grant: Grant, *, discover: bool = False, lenders: Lenders | None = None, **keys: Any
) -> AsyncIterator[Asking]:
    """A source for ``grant``; ``keys`` are further ones of the credential."""
    async with IdentityProvider() as provider:
        clock = FakeClock()
        carrier = Carrier(clock=clock)
        environ = {"CLIENT_SECRET": CLIENT[1], "PASSWORD": USER[1], "REFRESH_TOKEN": "first"}
        place = (
            Provider(issuer=provider.issuer) if discover else Provider(token_url=provider.token_url)
        )
        credential = replace(_credential(grant, place), **keys)
        source = token_source(
            credential, sender=carrier, secrets=Direct(environ), clock=clock, lenders=lenders
        )
        try:
            yield Asking(provider, carrier, clock, environ, source)
        finally:
            await carrier.close()


def _credential(grant: Grant, provider: Provider) -> Credential:
    return Credential(
        name="api",
        at=AT,
        grant=grant,
        provider=provider,
        client_id=CLIENT[0],
        client_secret=EnvSecret("CLIENT_SECRET", AT),
        client_auth=ClientAuthentication.BASIC,
        username=USER[0],
        password=EnvSecret("PASSWORD", AT),
        refresh_token=EnvSecret("REFRESH_TOKEN", AT),
        token=PlainSecret(Secret("static"), AT),
    )
