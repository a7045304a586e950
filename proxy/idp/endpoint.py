"""Where a provider's token endpoint is: written in the configuration, or found by discovery.

Asks for a discovery document only when a token is wanted, and again after a failure or an hour.
"""

from __future__ import annotations

from typing import Final, Protocol

from proxy.clock import Clock, Moment
from proxy.errors import TokenRequestError
from proxy.message import Answer, Request
from proxy.oauth import metadata
from proxy.oauth.metadata import Metadata

FRESH: Final = 3600.0


class Sender(Protocol):
    """Carries a request to a provider; ``net.carrier.Carrier`` is one."""

    async def send(self, request: Request) -> Answer:
        """The answer, whatever its status; TokenRequestError where none came."""


class TokenEndpoint(Protocol):
    """A token endpoint whose URL may have to be found first."""

    async def url(self) -> str:
        """The URL; TokenRequestError where it can't be found."""

    def doubt(self) -> None:
        """A request to the URL failed: look again before the next one."""


class FixedEndpoint:
    """A token endpoint that the configuration names."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def url(self) -> str:
        """The configured URL."""
        return self._url

    def doubt(self) -> None:
        """There is nowhere to look."""


class DiscoveredEndpoint:
    """A token endpoint that the issuer's discovery document names.

    Args:
        issuer: as configured; the document has to name exactly this one.
        sender: fetches the document.
        clock: tells its age.
        allow_insecure: whether it may name an endpoint without https that is not on loopback.
    """

    def __init__(
        self, issuer: str, sender: Sender, clock: Clock, *, allow_insecure: bool = False
    ) -> None:
        self._issuer = issuer
        self._sender = sender
        self._clock = clock
        self._allow_insecure = allow_insecure
        self._known: Metadata | None = None
        self._until: Moment | None = None

    async def url(self) -> str:
        """The URL, from a document that is fresh, or from the last one if none can be had.

        Raises:
            TokenRequestError: there is no document that can be believed, and never was.
        """
        if self._known is not None and self._is_fresh():
            return self._known.token_endpoint
        try:
            self._known = await self._discover()
        except TokenRequestError:
            if self._known is None:
                raise
        else:
            self._until = self._clock.now().later(FRESH)
        return self._known.token_endpoint

    def doubt(self) -> None:
        """Look again before the next request: the provider may have moved."""
        self._until = None

    def _is_fresh(self) -> bool:
        return self._until is not None and self._clock.now().until(self._until) > 0

    async def _discover(self) -> Metadata:
        first, second = metadata.requests(self._issuer)
        answer = await self._sender.send(first)
        if not metadata.is_present(answer):
            answer = await self._sender.send(second)
        return metadata.read(answer, self._issuer, allow_insecure=self._allow_insecure)
