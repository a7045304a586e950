"""The client's own token: RFC 6749 section 4.4."""

from __future__ import annotations

from dataclasses import replace

from proxy.idp.requests import TokenRequests
from proxy.tokens.ports import Keep
from proxy.tokens.token import RefreshToken, Token


class ClientCredentialsSource:
    """Asks anew each time: a refresh token would save nothing (section 4.4.3)."""

    def __init__(self, requests: TokenRequests) -> None:
        self._requests = requests

    async def obtain(self, held: RefreshToken | None, keep: Keep) -> Token:  # noqa: ARG002 - the port
        """A new token; see ``TokenSource``."""
        return replace(await self._requests.client_credentials(), refresh=None)
