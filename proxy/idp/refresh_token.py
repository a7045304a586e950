"""A token for a refresh token that somebody else obtained: RFC 6749 section 6.

The first one comes from the configuration, later ones from the store.
"""

from __future__ import annotations

from proxy.clock import Clock
from proxy.errors import Failure, TokenRequestError
from proxy.idp.reading import read_secret
from proxy.idp.refreshing import is_dead, keeping
from proxy.idp.requests import TokenRequests
from proxy.secret import Secret
from proxy.secrets.kept import doubt
from proxy.secrets.source import SecretSource
from proxy.tokens.ports import Keep
from proxy.tokens.token import RefreshToken, Token


class RefreshTokenSource:
    """Refreshes with what is held, else with the configured one, which may be newer.

    Args:
        requests: makes the requests.
        first: the configured refresh token.
        clock: tells whether a refresh token has ended.
    """

    def __init__(self, requests: TokenRequests, first: SecretSource, clock: Clock) -> None:
        self._requests = requests
        self._first = first
        self._clock = clock

    async def obtain(self, held: RefreshToken | None, keep: Keep) -> Token:
        """A new token; see ``TokenSource``."""
        if held is not None and not held.has_ended(self._clock.now()):
            try:
                return await self._refresh(held.value, keep)
            except TokenRequestError as error:
                if not is_dead(error):
                    raise
                await keep(None)
                if read_secret(self._first) == held.value:
                    doubt(self._first)
                    raise _login_needed(error) from None
        try:
            return await self._refresh(read_secret(self._first), keep)
        except TokenRequestError as error:
            if not is_dead(error):
                raise
            doubt(self._first)
            raise _login_needed(error) from None

    async def _refresh(self, token: Secret, keep: Keep) -> Token:
        async with keeping(keep):
            return await self._requests.refresh(token, scoped=True)


def _login_needed(error: TokenRequestError) -> TokenRequestError:
    return TokenRequestError(
        f"login needed: {error}; log in again and configure the new refresh token",
        failure=Failure.TERMINAL,
        reason="login_needed",
        error=error.error,
    )
