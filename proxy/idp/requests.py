"""One token request: reads the secrets, builds it, has it carried, has the answer judged.

Decides nothing about which grant comes when; the sources beside it do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from proxy.clock import Clock
from proxy.errors import Failure, SecretError, TokenRequestError
from proxy.idp.endpoint import Endpoints, Sender
from proxy.message import Answer, Request, origin
from proxy.oauth import request, response
from proxy.oauth.circumstances import DEFAULT_LIFETIME, Circumstances
from proxy.oauth.client import Client, ClientAuthentication
from proxy.oauth.refusal import CLIENT_REFUSED
from proxy.oauth.request import Wish
from proxy.secret import Secret
from proxy.secrets.rotating import Rotating
from proxy.secrets.source import SecretSource
from proxy.tokens.token import Token

T = TypeVar("T")
Build = Callable[[str, Client], Request]
Read = Callable[[Answer, Circumstances], T]


@dataclass(frozen=True, slots=True)
class Registration:
    """Who asks, as registered with the provider; ``secret`` None for a public client."""

    client_id: str
    authentication: ClientAuthentication = ClientAuthentication.NONE
    secret: SecretSource | None = None


class TokenRequests:
    """Makes the requests of one credential.

    Args:
        registration: the client.
        endpoints: where to ask.
        sender: carries the requests.
        clock: tells how long ago the client's secret changed.
        wish: what to ask for.
        use: fields of the answer; the first that is there is the token.
        default_lifetime: seconds, where the answer says nothing about time.
    """

    def __init__(
        self,
        registration: Registration,
        endpoints: Endpoints,
        sender: Sender,
        clock: Clock,
        *,
        wish: Wish = Wish(),  # noqa: B008 - frozen
        use: tuple[str, ...] = ("access_token",),
        default_lifetime: float = DEFAULT_LIFETIME,
    ) -> None:
        self._registration = registration
        self._endpoints = endpoints
        self._sender = sender
        secret = registration.secret
        self._secret = None if secret is None else Rotating(secret, clock)
        self._wish = wish
        self._default_lifetime = default_lifetime
        self.use = use

    @property
    def endpoints(self) -> Endpoints:
        """Where to ask."""
        return self._endpoints

    @property
    def client_id(self) -> str:
        """Who asks."""
        return self._registration.client_id

    @property
    def wish(self) -> Wish:
        """What is asked for."""
        return self._wish

    async def client_credentials(self) -> Token:
        """Ask for the client's own token."""
        return await self._ask(
            lambda url, client: request.client_credentials(url, client, self._wish)
        )

    async def password(self, username: str, source: SecretSource) -> Token:
        """Ask with a person's name and password."""
        secret = read_secret(source)
        return await self._ask(
            lambda url, client: request.password(url, client, self._wish, username, secret),
            carried=secret,
            password=True,
        )

    async def refresh(
        self, token: Secret, *, use: tuple[str, ...] | None = None, scoped: bool = False
    ) -> Token:
        """Ask with a refresh token; ``scoped`` names the wished scope again."""
        scope = self._wish.scope if scoped else None
        return await self._ask(
            lambda url, client: request.refresh(url, client, self._wish, token, scope),
            carried=token,
            use=use,
        )

    async def _ask(
        self,
        build: Build,
        *,
        carried: Secret | None = None,
        use: tuple[str, ...] | None = None,
        password: bool = False,
    ) -> Token:
        url = await self._endpoints.token()
        return await self.ask(
            url, build, response.read, carried=carried, use=use, password=password
        )

    async def ask(
        self,
        url: str,
        build: Build,
        read: Read[T],
        *,
        carried: Secret | None = None,
        use: tuple[str, ...] | None = None,
        password: bool = False,
    ) -> T:
        """Ask any endpoint of the provider as this client; what ``read`` makes of the answer.

        ``carried``: what the request brings along besides the client's secret, and no message may
        repeat. ``use``: other fields than usual. ``password``: a person's goes along.
        """
        secret = None if self._secret is None else read_secret(self._secret)
        client = Client(self._registration.client_id, self._registration.authentication, secret)
        about = Circumstances(
            where=origin(url),
            use=use or self.use,
            default_lifetime=self._default_lifetime,
            password=password,
            rotating=self._secret is not None and self._secret.is_recent(),
            secrets=tuple(filter(None, (secret, carried))),
        )
        try:
            return read(await self._sender.send(build(url, client)), about)
        except TokenRequestError as error:
            self._learn(error)
            raise

    def _learn(self, error: TokenRequestError) -> None:
        if error.failure is not Failure.TERMINAL:
            self._endpoints.doubt()
        if error.error in CLIENT_REFUSED and self._secret is not None:
            self._secret.refused()


class Readable(Protocol):
    """Whatever a secret can be read from."""

    def read(self) -> Secret:
        """The value; SecretError where there is none."""


def read_secret(source: Readable) -> Secret:
    """A secret's value for a token request.

    Raises:
        TokenRequestError: it can't be read; transient, since somebody may be replacing it.
    """
    try:
        return source.read()
    except SecretError as error:
        raise TokenRequestError(str(error), failure=Failure.TRANSIENT, reason="secret") from None
