"""From a credential's configuration to the source that presents a token for its own.

Grants token_exchange (RFC 8693) and jwt_bearer (RFC 7523); reads nothing yet.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random, SystemRandom

from proxy.clock import Clock
from proxy.config.model import (
    Credential,
    FromCredential,
    FromRequest,
    SecretReference,
)
from proxy.idp import signer
from proxy.idp.origins import Lenders, Lent, Origin, Sent, Signed, Stored
from proxy.idp.presented import Presented
from proxy.idp.presenting import PresentingSource
from proxy.idp.requests import TokenRequests
from proxy.oauth.exchange import ACCESS_TOKEN, Exchange, type_uri
from proxy.secret import Secret
from proxy.secrets.places import place
from proxy.secrets.references import Sources
from proxy.tokens.ports import TokenSource
from proxy.tokens.token import Token


class Exchanging:
    """One credential's exchanges, whatever their subject.

    Args:
        credential: of grant token_exchange.
        requests: makes them.
        secrets: where secrets are looked up.
        lenders: finds other credentials by name, when their token is wanted.
        clock: tells what has ended.
    """

    def __init__(
        self,
        credential: Credential,
        requests: TokenRequests,
        secrets: Sources,
        lenders: Lenders | None,
        clock: Clock,
    ) -> None:
        self._credential = credential
        self._requests = requests
        self._clock = clock
        self._subject = _origin(credential.subject, "subject", secrets, lenders)
        self._actor = _origin(credential.actor, "actor", secrets, lenders)

    def source(self) -> TokenSource:
        """The source of the credential's own tokens.

        Raises:
            ValueError: its subject is each caller's own.
        """
        if self._subject is None:
            raise ValueError("a credential whose subject is the caller's has a source for each")
        return PresentingSource(self._requests, self._subject, self._exchange, self._clock)

    def of_caller(self, bearer: Secret) -> TokenSource:
        """The source of the tokens for one caller's; they end no later than it does."""
        return PresentingSource(self._requests, Sent(bearer), self._bounded, self._clock)

    async def _exchange(self, subject: Presented, until: float | None = None) -> Token:
        actor = None if self._actor is None else await self._actor.read()
        wanted = self._credential.requested_type
        return await self._requests.token_exchange(
            Exchange(
                subject.value,
                _type(self._credential.subject_type, subject),
                None if actor is None else actor.value,
                ACCESS_TOKEN if actor is None else _type(self._credential.actor_type, actor),
                requested_type=None if wanted is None else type_uri(wanted),
                until=until,
            )
        )

    async def _bounded(self, subject: Presented) -> Token:
        token = await self._exchange(subject, subject.ends)
        # A refresh token would outlive what the caller was given.
        return replace(token, refresh=None)


def jwt_bearer_source(
    credential: Credential,
    requests: TokenRequests,
    secrets: Sources,
    clock: Clock,
    random: Random | None = None,
) -> TokenSource:
    """The source of tokens for an assertion: a ready one, or one that is signed here.

    ``random`` makes each one's ``jti``; None for the system's.
    """
    signing = credential.signing
    if signing is None:
        stored = _origin(credential.assertion, "assertion", secrets, None)
        if stored is None:
            raise ValueError("an incomplete credential got past the configuration's checks")
        return PresentingSource(
            requests, stored, lambda shown: requests.jwt_bearer(shown.value), clock
        )
    signed = Signed(
        signer.with_private_key(signing, secrets, clock),
        signing.claims,
        requests.client_id,
        requests.audience,
        clock,
        random or SystemRandom(),
    )
    return PresentingSource(
        requests, signed, lambda shown: requests.jwt_bearer(shown.value, signed=True), clock
    )


def _origin(
    written: SecretReference | FromCredential | FromRequest | None,
    what: str,
    secrets: Sources,
    lenders: Lenders | None,
) -> Origin | None:
    """Where ``what`` comes from; None where it is each caller's, or not wanted."""
    match written:
        case None | FromRequest():
            return None
        case FromCredential():
            if lenders is None:
                raise ValueError("there are no other credentials here")
            return Lent(lenders, written.credential)
        case _:
            return Stored(secrets(written), f"the {what} {place(written)}")


def _type(written: str | None, shown: Presented) -> str:
    """The type of a presented token: RFC 8693 section 3."""
    if written is not None:
        return type_uri(written)
    return type_uri("id_token") if shown.field == "id_token" else ACCESS_TOKEN
