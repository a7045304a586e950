"""Shows a provider who asks: reads what a client's registration names, signs what is to sign.

Decides nothing about grants. A secret that is being replaced is offered in turn with the one
before it, whatever is made of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from proxy.clock import Clock
from proxy.errors import TokenRequestError
from proxy.idp.presented import Presented
from proxy.idp.reading import read_secret
from proxy.idp.signer import Signer
from proxy.oauth.assertion import client_claims
from proxy.oauth.authentication import ClientAuthentication
from proxy.oauth.client import Client
from proxy.oauth.refusal import CLIENT_REFUSED
from proxy.secret import Secret
from proxy.secrets.kept import doubt
from proxy.secrets.rotating import Rotating
from proxy.secrets.source import SecretSource


@dataclass(frozen=True, slots=True)
class Registration:
    """Who asks, as registered with the provider.

    Attributes:
        secret: for those that send it; None for a public client and the others.
        signer: signs the client's assertion, for the two ``_jwt``.
        audience: of that; None for the issuer, else the token endpoint.
        assertion: one that somebody else signed, for ``federated``.
        assertion_where: names its place in messages.
    """

    client_id: str
    authentication: ClientAuthentication = ClientAuthentication.NONE
    secret: SecretSource | None = None
    signer: Signer | None = None
    audience: str | None = None
    assertion: SecretSource | None = None
    assertion_where: str = "the client assertion"


class RegisteredClient:
    """Proves one registration, anew for each request.

    Args:
        registration: the client.
        clock: stamps assertions and tells how long ago a secret changed.
        random: makes each assertion's ``jti``; hard to guess.
    """

    def __init__(self, registration: Registration, clock: Clock, random: Random) -> None:
        self._registration = registration
        self._clock = clock
        self._random = random
        secret = registration.secret
        self._secret = None if secret is None else Rotating(secret, clock)
        self._presented: Presented | None = None

    @property
    def client_id(self) -> str:
        """Who asks."""
        return self._registration.client_id

    @property
    def signs(self) -> bool:
        """Whether what it sends is judged by the time it was signed at."""
        return self._registration.signer is not None

    def show(self, audience: str) -> Client:
        """The client with its proof for one request to the provider called ``audience``.

        Raises:
            TokenRequestError: a secret or key can't be read or used.
        """
        registration = self._registration
        return Client(
            registration.client_id,
            registration.authentication,
            secret=None if self._secret is None else read_secret(self._secret),
            assertion=self._assertion(registration.audience or audience),
        )

    def is_recent(self) -> bool:
        """Whether a refusal may mean nothing; see ``Rotating``."""
        changing = self._registration.signer or self._secret
        return changing is not None and changing.is_recent()

    def believed(self) -> None:
        """A request brought what it should: the secret is the right one."""
        changing = self._registration.signer or self._secret
        if changing is not None:
            changing.accepted()

    def judged(self, error: TokenRequestError) -> TokenRequestError:
        """Learn from a failed request; ``error``, or what explains it better."""
        if error.error not in CLIENT_REFUSED:
            return error
        changing = self._registration.signer or self._secret
        if changing is not None:
            changing.refused()
        if self._registration.assertion is not None:
            doubt(self._registration.assertion)
        presented = self._presented
        return error if presented is None else presented.explain(error, self._clock.wall())

    def _assertion(self, audience: str) -> Secret | None:
        registration = self._registration
        if registration.signer is not None:
            unique = f"{self._random.getrandbits(128):032x}"
            now = self._clock.wall()
            return registration.signer.sign(
                client_claims(registration.client_id, audience, now, unique)
            )
        if registration.assertion is None:
            return None
        value = read_secret(registration.assertion)
        self._presented = Presented(value, registration.assertion_where)
        return value
