"""Where a provider's endpoints are: written in the configuration, or found by discovery.

Asks for a discovery document only when something of it is wanted, and again after a failure or an
hour.
"""

from __future__ import annotations

from typing import Final, Protocol

from proxy.clock import Clock, Moment
from proxy.config.model import Provider
from proxy.errors import Failure, TokenRequestError
from proxy.message import Answer, Request, origin
from proxy.oauth import metadata
from proxy.oauth.metadata import Metadata

FRESH: Final = 3600.0


class Sender(Protocol):
    """Carries a request to a provider; ``net.carrier.Carrier`` is one."""

    async def send(self, request: Request) -> Answer:
        """The answer, whatever its status; TokenRequestError where none came."""


class Endpoints:
    """A provider's endpoints; one may serve all credentials of the provider.

    Every method raises TokenRequestError where a document is needed and there is none that can be
    believed, and never was.

    Args:
        provider: what is configured; it takes precedence over what discovery says.
        sender: fetches the document, which has to name exactly the configured issuer.
        clock: tells its age.
        with_certificate: the connection proves the client: some endpoints have an alias for that.
    """

    def __init__(
        self, provider: Provider, sender: Sender, clock: Clock, *, with_certificate: bool = False
    ) -> None:
        self._provider = provider
        self._with_certificate = with_certificate
        self._sender = sender
        self._clock = clock
        self._known: Metadata | None = None
        self._until: Moment | None = None

    @property
    def issuer(self) -> str | None:
        """Who issues the tokens, where the configuration says it."""
        return self._provider.issuer

    async def token(self) -> str:
        """The token endpoint (RFC 6749 section 3.2)."""
        if self._provider.token_url is not None:
            return self._provider.token_url
        return (await self.metadata()).token_endpoint

    async def authorization(self) -> str:
        """Where a person's browser is sent (RFC 6749 section 3.1)."""
        return self._provider.authorize_url or _named(
            (await self.metadata()).authorization_endpoint, "authorization_endpoint", self
        )

    async def names_itself(self) -> bool:
        """Whether the authorization endpoint's answers must carry ``iss`` (RFC 9207).

        The document says it; who wrote both endpoints by hand may have none.
        """
        written = self._provider.authorize_url and self._provider.token_url
        if self._provider.issuer is None or written:
            return False
        return (await self.metadata()).names_itself

    async def device_authorization(self) -> str:
        """Where a device asks for a code (RFC 8628 section 3.1)."""
        return self._provider.device_url or _named(
            (await self.metadata()).device_authorization_endpoint,
            "device_authorization_endpoint",
            self,
        )

    async def revocation(self) -> str | None:
        """Where tokens are revoked (RFC 7009), or None where nobody says it."""
        if self._provider.revocation_url or self._provider.issuer is None:
            return self._provider.revocation_url
        return (await self.metadata()).revocation_endpoint

    async def jwks(self) -> str | None:
        """Where the issuer's keys are (RFC 7517), or None where nobody says it."""
        if self._provider.jwks_url or self._provider.issuer is None:
            return self._provider.jwks_url
        return (await self.metadata()).jwks_uri

    async def metadata(self) -> Metadata:
        """The issuer's document: one that is fresh, or the last one if none can be had."""
        if self._known is not None and self._is_fresh():
            return self._known
        try:
            self._known = await self._discover()
        except TokenRequestError:
            if self._known is None:
                raise
        else:
            self._until = self._clock.now().later(FRESH)
        return self._known

    def doubt(self) -> None:
        """A request to an endpoint failed: look again before the next one, it may have moved."""
        self._until = None

    def _is_fresh(self) -> bool:
        return self._until is not None and self._clock.now().until(self._until) > 0

    async def _discover(self) -> Metadata:
        issuer = self._provider.issuer
        if issuer is None:
            raise ValueError("a provider without an issuer has no metadata")
        first, second = metadata.requests(issuer)
        answer = await self._sender.send(first)
        if not metadata.is_present(answer):
            answer = await self._sender.send(second)
        return metadata.read(
            answer,
            issuer,
            allow_insecure=self._provider.allow_insecure,
            with_certificate=self._with_certificate,
        )


def _named(url: str | None, name: str, endpoints: Endpoints) -> str:
    if url is None:
        raise TokenRequestError(
            f"the discovery document of {origin(endpoints.issuer or '')} names no {name};"
            " the provider may not offer this grant",
            failure=Failure.SLOW,
            reason="discovery",
        )
    return url
