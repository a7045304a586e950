"""A resource owner's token for name and password: RFC 6749 section 4.3, refreshed by section 6.

Decides when the password is sent: as seldom as it can be.
"""

from __future__ import annotations

from proxy.clock import Clock
from proxy.errors import TokenRequestError
from proxy.idp.refreshing import is_dead, keeping
from proxy.idp.requests import TokenRequests
from proxy.oauth.response import UnusableAnswerError
from proxy.secrets.kept import doubt
from proxy.secrets.source import SecretSource
from proxy.tokens.ports import Keep
from proxy.tokens.token import RefreshToken, Token


class PasswordSource:
    """Refreshes while it can, else sends the password.

    Args:
        requests: makes the requests.
        username: the resource owner.
        password: read only when it is sent.
        clock: tells whether a refresh token has ended.
    """

    def __init__(
        self, requests: TokenRequests, username: str, password: SecretSource, clock: Clock
    ) -> None:
        self._requests = requests
        self._username = username
        self._password = password
        self._clock = clock
        self._wanted = requests.use
        self._refreshing_helps = True

    async def obtain(self, held: RefreshToken | None, keep: Keep) -> Token:
        """A new token, by ``held`` where that helps; see ``TokenSource``."""
        if held is None or held.has_ended(self._clock.now()) or not self._refreshing_helps:
            return await self._full(keep)
        try:
            async with keeping(keep):
                return await self._requests.refresh(held.value, use=self._wanted)
        except UnusableAnswerError as error:
            if not error.missing:
                raise
            # An ID token may be left out of every such answer: OpenID Connect Core section 12.2.
            self._refreshing_helps = False
        except TokenRequestError as error:
            if not is_dead(error):
                raise
            await keep(None)
        return await self._full(keep)

    async def _full(self, keep: Keep) -> Token:
        try:
            async with keeping(keep):
                token = await self._requests.password(self._username, self._password)
        except TokenRequestError as error:
            if not error.unattended:
                doubt(self._password)
            raise
        # A refresh has to bring the same field: another one is another credential.
        self._wanted = self._requests.use[: self._requests.use.index(token.field) + 1]
        return token
