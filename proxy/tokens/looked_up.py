"""A source for a single look: the token that a store has already, and nothing in it is changed.

Decides when the provider is asked instead: never where that would spend a stored refresh token.
"""

from __future__ import annotations

from proxy.clock import Clock
from proxy.errors import Failure, StoreError, TokenRequestError
from proxy.tokens.ports import Entry, Keep, TokenSource, TokenStore
from proxy.tokens.presence import still_serves
from proxy.tokens.token import RefreshToken, Token

NOT_ASKED = "not_asked"


class LookedUp:
    """A ``TokenSource`` in front of another one.

    Args:
        store: where the token may be.
        identity: names its entry.
        otherwise: asks, where the store has nothing of use; never with a stored refresh token.
        margin: seconds, as in ``RenewalPolicy``.
        clock: the process's.
    """

    def __init__(
        self, store: TokenStore, identity: str, otherwise: TokenSource, margin: float, clock: Clock
    ) -> None:
        self._store = store
        self._identity = identity
        self._otherwise = otherwise
        self._margin = margin
        self._clock = clock

    async def obtain(self, held: RefreshToken | None, keep: Keep) -> Token:
        """The stored token while it serves; see ``TokenSource``.

        Raises:
            TokenRequestError: also for ``not_asked``: only the sidecar may renew what is stored.
        """
        entry = await self._entry()
        if entry.token is not None and still_serves(entry, self._clock.now(), self._margin):
            return entry.token
        if entry.refresh is not None and not entry.refresh.has_ended(self._clock.now()):
            raise TokenRequestError(
                "its token has ended, and what is stored to renew it with is left to the sidecar",
                failure=Failure.TRANSIENT,
                reason=NOT_ASKED,
            )
        return await self._otherwise.obtain(held, keep)

    async def _entry(self) -> Entry:
        try:
            return await self._store.load(self._identity)
        except StoreError as error:
            raise TokenRequestError(str(error), failure=Failure.TRANSIENT, reason="store") from None
