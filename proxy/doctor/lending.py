"""Lends one credential's token to another that is exchanged for it: once, without renewals."""

from __future__ import annotations

from collections.abc import Callable

from proxy.errors import TokenRequestError
from proxy.tokens.absence import absent
from proxy.tokens.lease import Lease, lease_of
from proxy.tokens.ports import Entry
from proxy.tokens.renewal import Renewal


class Once:
    """A ``Lender`` that asks for a token when one is wanted."""

    def __init__(self, name: str, renewal: Callable[[], Renewal]) -> None:
        self._name = name
        self._renewal = renewal

    def current(self) -> Lease | None:
        """None: nothing is kept."""
        return None

    async def acquire(self, hold: float) -> Lease:  # noqa: ARG002 - the port
        """A lease; see ``Lender``."""
        try:
            renewed = await self._renewal().run(Entry(), forced=False)
        except TokenRequestError as error:
            raise absent(self._name, error) from None
        token = renewed.entry.token
        if token is None:
            raise absent(self._name, "no token")
        return lease_of(token, renewed.entry.generation)

    async def reject(self, generation: int, hold: float) -> Lease | None:  # noqa: ARG002 - the port
        """None: the doctor asks once."""
        return None
