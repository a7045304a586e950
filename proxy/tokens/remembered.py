"""One caller who is remembered: a credential, and its source while the caller is there.

Holds the caller's bearer only while a token request may need it: before and after that it is with
the request that brought it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from proxy.errors import Failure, TokenRequestError
from proxy.secret import Secret
from proxy.tokens.credential import Credential
from proxy.tokens.lease import Lease
from proxy.tokens.ports import CallerSources, Keep
from proxy.tokens.token import RefreshToken, Token


class Remembered:
    """A caller's credential, and the ``TokenSource`` that it is made with."""

    __slots__ = ("_bearer", "_sources", "_waiting", "credential")

    def __init__(self, sources: CallerSources) -> None:
        self._sources = sources
        self._bearer: Secret | None = None
        self._waiting = 0
        self.credential: Credential

    def busy(self) -> bool:
        """Whether somebody waits for its token, or a token request is under way."""
        return self._waiting > 0 or self.credential.terms().trying

    def refused(self) -> bool:
        """Whether the provider refused it a token."""
        return self.credential.status().state == "refused"

    def current(self, bearer: Secret) -> Lease | None:
        """The lease to send right now, or None; ``bearer`` is what a renewal would need."""
        self._bearer = bearer
        lease = self.credential.current()
        self._forget()
        return lease

    @contextmanager
    def waiting(self, bearer: Secret) -> Iterator[Credential]:
        """Its credential, and somebody who waits for it."""
        self._bearer = bearer
        self._waiting += 1
        try:
            yield self.credential
        finally:
            self._waiting -= 1
            self._forget()

    def _forget(self) -> None:
        if not self.busy():
            self._bearer = None

    async def obtain(self, held: RefreshToken | None, keep: Keep) -> Token:
        """Ask the provider on behalf of whoever is here now."""
        bearer = self._bearer
        if bearer is None:
            raise TokenRequestError(
                "no request has brought the caller's token along",
                failure=Failure.TRANSIENT,
                reason="no_caller",
            )
        try:
            return await self._sources(bearer).obtain(held, keep)
        finally:
            if not self._waiting:
                self._bearer = None
