"""A session's source against a scripted web application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from proxy.config.model import Credential, EnvSecret, Form, Grant, Position, Provider, SignIn
from proxy.errors import TokenRequestError
from proxy.idp.sources import token_source
from proxy.net.carrier import Carrier
from proxy.secrets.references import Direct
from proxy.tokens.token import RefreshToken, Token
from tests.support.clock import FakeClock
from tests.support.identity_provider import USER
from tests.support.web_application import WebApplication

AT = Position("c.yaml", 1, 1)


async def keep(_: RefreshToken | None) -> None:
    raise AssertionError("a session has no refresh token")


@dataclass(slots=True)
class Signing:
    """An application and who signs in there."""

    app: WebApplication
    carrier: Carrier
    clock: FakeClock
    environ: dict[str, str] = field(default_factory=lambda: {"PASSWORD": USER[1]})
    provider: Provider = field(default_factory=Provider)

    async def obtain(self, url: str = "", form: Form = Form(), **more: Any) -> Token:  # noqa: B008 - frozen
        """A session; ``more`` are further keys of ``SignIn``."""
        credential = Credential(
            name="app",
            at=AT,
            grant=Grant.SESSION,
            provider=self.provider,
            username=USER[0],
            password=EnvSecret("PASSWORD", AT),
            sign_in=SignIn(url or self.app.url, form, **more),
        )
        source = token_source(
            credential, sender=self.carrier, secrets=Direct(self.environ), clock=self.clock
        )
        return await source.obtain(None, keep)

    async def refused(self, url: str = "", **more: Any) -> TokenRequestError:
        """The error that comes instead of a session."""
        with pytest.raises(TokenRequestError) as caught:
            await self.obtain(url, **more)
        return caught.value


@pytest_asyncio.fixture
async def signing() -> AsyncIterator[Signing]:
    """Whoever signs in at an application of their own."""
    async with WebApplication() as app:
        clock = FakeClock()
        carrier = Carrier(clock=clock)
        yield Signing(app, carrier, clock)
        await carrier.close()
