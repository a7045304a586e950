"""A token for a token: grants that present one, by RFC 8693 section 2 and RFC 7523 section 2.1.

Decides between asking with what is there to present and refreshing; knows neither where that
comes from nor which of the grants it is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from proxy.clock import Clock
from proxy.errors import TokenRequestError
from proxy.idp.origins import Origin
from proxy.idp.presented import Presented
from proxy.idp.refreshing import is_dead, keeping
from proxy.idp.requests import TokenRequests
from proxy.oauth.response import UnusableAnswerError
from proxy.secret import Secret
from proxy.tokens.ports import Keep
from proxy.tokens.token import RefreshToken, Token

REFUSED: Final = frozenset({"invalid_grant", "invalid_request", "invalid_token"})
"""What providers say of a token that was presented (RFC 8693 section 2.2.2, RFC 7521 4.1.1)."""

Ask = Callable[[Presented], Awaitable[Token]]


class PresentingSource:
    """Asks with each new token that there is to present; refreshes while it stays the same one.

    A refresh token belongs to what was presented for it: it serves when that has ended or can't
    be had (RFC 8693 section 2.2.1), and is forgotten when another one was presented.

    Args:
        requests: refreshes.
        origin: what is presented.
        ask: makes the grant's own request with it.
        clock: tells what has ended.
    """

    def __init__(self, requests: TokenRequests, origin: Origin, ask: Ask, clock: Clock) -> None:
        self._requests = requests
        self._origin = origin
        self._ask = ask
        self._clock = clock
        self._last: Secret | None = None
        self._wanted = requests.use
        self._renewing_helps = True

    async def obtain(self, held: RefreshToken | None, keep: Keep) -> Token:
        """A new token; see ``TokenSource``."""
        usable = None if held is None or held.has_ended(self._clock.now()) else held
        try:
            presented = await self._origin.read()
        except TokenRequestError:
            if usable is None:
                raise
            return await self._refreshed(usable, keep)
        if usable is None or not self._is_old(presented):
            return await self._full(presented, held, keep, renew=True)
        try:
            return await self._refreshed(usable, keep)
        except UnusableAnswerError as error:
            if not error.missing:
                raise
        except TokenRequestError as error:
            if not is_dead(error):
                raise
            await keep(None)
        return await self._full(presented, held, keep, renew=False)

    def _is_old(self, presented: Presented) -> bool:
        """Whether there is nothing to gain by presenting it."""
        ends = presented.ends
        return presented.value == self._last or (ends is not None and ends <= self._clock.wall())

    async def _refreshed(self, held: RefreshToken, keep: Keep) -> Token:
        async with keeping(keep):
            return await self._requests.refresh(held.value, use=self._wanted)

    async def _full(
        self, presented: Presented, held: RefreshToken | None, keep: Keep, *, renew: bool
    ) -> Token:
        async with keeping(keep):
            presented, token = await self._granted(presented, renew=renew)
        self._last = presented.value
        # A refresh has to bring the same field: another one is another credential.
        self._wanted = self._requests.use[: self._requests.use.index(token.field) + 1]
        if held is not None and token.refresh is None:
            await keep(None)
        return token

    async def _granted(self, presented: Presented, *, renew: bool) -> tuple[Presented, Token]:
        try:
            token = await self._ask(presented)
        except TokenRequestError as error:
            newer = None
            if renew and self._renewing_helps and error.error in REFUSED:
                newer = await self._origin.renewed(presented)
            if newer is None:
                raise presented.explain(error, self._clock.wall()) from None
        else:
            self._renewing_helps = True
            return presented, token
        # If a new one is refused as well, it is not the token that is wrong.
        self._renewing_helps = False
        return await self._granted(newer, renew=False)
