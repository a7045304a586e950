"""A provider with a clock that the tests move, and an API that trusts it."""

from __future__ import annotations

import base64

import pytest

from proxy.demo.bearer import Verifier
from proxy.demo.provider import AUDIENCE, Provider

ISSUER = "http://127.0.0.1:1/realms/demo"


class Wall:
    """A wall clock that stands where it is put."""

    def __init__(self) -> None:
        self.seconds = 1_800_000_000.0

    def __call__(self) -> float:
        return self.seconds


class Desk:
    """The provider as a client sees it."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider

    def ask(self, body: str, client: str = "api-client", secret: str = "s3cret") -> dict:
        """The answer to a request with Basic authentication."""
        return dict(self.reply(body, client, secret).body)

    def reply(self, body: str, client: str = "api-client", secret: str = "s3cret"):
        """The same with its status."""
        return self.provider.token(body, basic(client, secret))

    def token(self) -> str:
        """An access token."""
        return self.ask("grant_type=client_credentials")["access_token"]


def basic(client: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode()


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def provider(wall: Wall) -> Provider:
    return Provider(
        ISSUER,
        clients={"api-client": "s3cret", "odd": "a:b c"},
        users={"mary.jane@example.com": "snuggle"},
        lifetime=6,
        wall=wall,
    )


@pytest.fixture
def desk(provider: Provider) -> Desk:
    return Desk(provider)


@pytest.fixture
def verifier(provider: Provider, wall: Wall) -> Verifier:
    return Verifier(provider.jwks(), issuer=ISSUER, audience=AUDIENCE, wall=wall)
