"""A credential for a single look: its token is obtained once, and lent to whoever needs it.

For commands that ask and end; what runs has a ``Credential``, which renews.
"""

from __future__ import annotations

import asyncio

from proxy.errors import TokenRequestError
from proxy.tokens.absence import PENDING, absent
from proxy.tokens.lease import Lease, lease_of
from proxy.tokens.ports import TokenSource
from proxy.tokens.token import RefreshToken, Token


class Once:
    """One token of one credential; a ``Lender`` too.

    Args:
        name: the credential's.
        source: where the token comes from; it is asked at most once.
    """

    def __init__(self, name: str, source: TokenSource) -> None:
        self._name = name
        self._source = source
        self._asked: asyncio.Task[Token] | None = None

    async def token(self) -> Token:
        """The token.

        Raises:
            TokenRequestError: none came.
        """
        if self._asked is None:
            asked = self._source.obtain(None, _forget)
            self._asked = asyncio.ensure_future(asked)
        return await asyncio.shield(self._asked)

    def current(self) -> Lease | None:
        """None: wait for it."""
        return None

    async def acquire(self, hold: float) -> Lease:
        """A lease of it; see ``Lender``."""
        try:
            token = await asyncio.wait_for(self.token(), hold)
        except TokenRequestError as error:
            raise absent(self._name, error) from None
        except TimeoutError:
            raise absent(self._name, PENDING) from None
        return lease_of(token, 1)

    async def reject(self, generation: int, hold: float) -> Lease | None:  # noqa: ARG002 - the port
        """None: there is no second one."""
        return None


async def _forget(_refresh: RefreshToken | None) -> None:
    """Nothing is kept: the sidecar that runs obtains its own."""
