"""Where a token comes from that a request presents: a secret, another credential, a caller, a key.

Each origin reads it anew and knows what to do when the provider refuses it; what it is presented
for is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import Final, Protocol

from proxy.clock import Clock
from proxy.errors import CredentialUnavailable, Failure, TokenRequestError
from proxy.idp.presented import Presented
from proxy.idp.reading import read_anew, read_secret
from proxy.idp.signer import Signer
from proxy.oauth.assertion import grant_claims
from proxy.secret import Secret
from proxy.secrets.source import SecretSource
from proxy.tokens.lease import Lease
from proxy.tokens.ports import Lender

PATIENCE: Final = 10.0
"""Seconds to wait for another credential: as long as its provider may take to answer."""

Lenders = Callable[[str], Lender]


class Origin(Protocol):
    """One place that tokens to present come from."""

    async def read(self) -> Presented:
        """The token as it is now.

        Raises:
            TokenRequestError: there is none; says where it should be.
        """

    async def renewed(self, presented: Presented) -> Presented | None:
        """Another one after the provider refused ``presented``, or None: there is none yet."""


class Stored:
    """A token that somebody puts where a secret may stand, and renews there."""

    def __init__(self, source: SecretSource, where: str) -> None:
        self._source = source
        self._where = where

    async def read(self) -> Presented:
        """The token; see ``Origin``."""
        return Presented(read_secret(self._source), self._where)

    async def renewed(self, presented: Presented) -> Presented | None:
        """What stands there now, if that is another one."""
        value = await read_anew(self._source)
        return None if value == presented.value else Presented(value, self._where)


class Lent:
    """The token of another credential, which renews it by its own rules.

    Args:
        lenders: finds it by name; not asked before a token is wanted, since it may be made later.
        name: the credential's.
    """

    def __init__(self, lenders: Lenders, name: str) -> None:
        self._lenders = lenders
        self._name = name
        self._generation = 0

    async def read(self) -> Presented:
        """The token; see ``Origin``. Its failure is told as its own."""
        try:
            return self._presented(await self._lenders(self._name).acquire(PATIENCE))
        except CredentialUnavailable as error:
            # Asking again costs no request to anybody: the other one knows when to make one.
            raise TokenRequestError(
                f"the token to present comes from another credential, which has none: {error}",
                failure=Failure.TRANSIENT,
                reason="other_credential",
            ) from None

    async def renewed(self, presented: Presented) -> Presented | None:  # noqa: ARG002 - the port
        """A newer one, as after an API's 401."""
        lease = await self._lenders(self._name).reject(self._generation, PATIENCE)
        return None if lease is None else self._presented(lease)

    def _presented(self, lease: Lease) -> Presented:
        if lease.session is not None:
            raise TokenRequestError(
                f"credential {self._name} is a session: its cookies are no token to present;"
                " name a credential of another grant",
                failure=Failure.TERMINAL,
                reason="other_credential",
            )
        self._generation = lease.generation
        return Presented(
            Secret(lease.value.decode("ascii")),
            f"the token of credential {self._name}",
            lease.field,
        )


class Sent:
    """The bearer token that a caller sent: there is no other one."""

    def __init__(self, bearer: Secret) -> None:
        self._presented = Presented(bearer, "the token that the caller sent")

    async def read(self) -> Presented:
        """The token; see ``Origin``."""
        return self._presented

    async def renewed(self, presented: Presented) -> Presented | None:  # noqa: ARG002 - the port
        """None: the caller has to send another one."""
        return None


class Signed:
    """An assertion signed here, anew each time (RFC 7523 section 3).

    Args:
        signer: has the key.
        claims: what is configured; the rest is filled in.
        client_id: says who issues it where ``claims`` do not; may be empty.
        audience: tells whom it is for where ``claims`` do not.
        clock: stamps it.
        random: makes its ``jti``; hard to guess.
    """

    def __init__(
        self,
        signer: Signer,
        claims: Mapping[str, object],
        client_id: str,
        audience: Callable[[], Awaitable[str]],
        clock: Clock,
        random: Random,
    ) -> None:
        self._signer = signer
        self._claims = claims
        self._client_id = client_id
        self._audience = audience
        self._clock = clock
        self._random = random

    async def read(self) -> Presented:
        """A new assertion; see ``Origin``."""
        unique = f"{self._random.getrandbits(128):032x}"
        audience = await self._audience()
        now = self._clock.wall()
        claims = grant_claims(self._claims, self._client_id, audience, now, unique)
        return Presented(self._signer.sign(claims), "the assertion signed here")

    async def renewed(self, presented: Presented) -> Presented | None:  # noqa: ARG002 - the port
        """One by the key before, if the key changed just now: the provider may not know it yet."""
        if not self._signer.has_other():
            return None
        self._signer.refused()
        return await self.read()
