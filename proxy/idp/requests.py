"""One token request: reads the secrets, builds it, has it carried, has the answer judged.

Decides nothing about which grant comes when; the sources beside it do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random, SystemRandom
from typing import TypeVar

from proxy.clock import Clock
from proxy.errors import Failure, TokenRequestError
from proxy.idp.client import RegisteredClient, Registration
from proxy.idp.endpoint import Endpoints, Sender
from proxy.idp.explaining import Explain
from proxy.idp.keys import IdTokens
from proxy.idp.reading import read_secret
from proxy.message import Answer, Request, origin
from proxy.oauth import request, response
from proxy.oauth.circumstances import DEFAULT_LIFETIME, Circumstances
from proxy.oauth.client import Client
from proxy.oauth.exchange import Exchange, jwt_bearer, token_exchange
from proxy.oauth.request import Wish
from proxy.oauth.response import UnusableAnswerError
from proxy.secret import Secret
from proxy.secrets.source import SecretSource
from proxy.tokens.token import Token

T = TypeVar("T")
Build = Callable[[str, Client], Request]
Read = Callable[[Answer, Circumstances], T]


class TokenRequests:
    """Makes the requests of one credential.

    Args:
        registration: the client.
        endpoints: where to ask.
        sender: carries the requests.
        clock: tells how long ago the client's secret changed, and stamps assertions.
        wish: what to ask for.
        use: fields of the answer; the first that is there is the token.
        default_lifetime: seconds, where the answer says nothing about time.
        random: makes what an assertion is known by; hard to guess.
        explain: says what an answer without a token means.
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
        random: Random = SystemRandom(),  # noqa: B008 - has no state
        explain: Explain = lambda _: None,
    ) -> None:
        self._client = RegisteredClient(registration, clock, random)
        self._endpoints = endpoints
        self._sender = sender
        self._id_tokens = IdTokens(registration.client_id, endpoints, sender, clock)
        self._wish = wish
        self._default_lifetime = default_lifetime
        self._explain = explain
        self.use = use

    @property
    def endpoints(self) -> Endpoints:
        """Where to ask."""
        return self._endpoints

    @property
    def client_id(self) -> str:
        """Who asks."""
        return self._client.client_id

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

    async def token_exchange(self, exchange: Exchange) -> Token:
        """Ask with somebody's token for another one."""
        return await self._ask(
            lambda url, client: token_exchange(url, client, self._wish, exchange),
            exchange.read,
        )

    async def jwt_bearer(self, assertion: Secret, *, signed: bool = False) -> Token:
        """Ask with an assertion; ``signed``: by ourselves, just now."""

        def read(answer: Answer, about: Circumstances) -> Token:
            return response.read(answer, replace(about, signed=about.signed or signed))

        return await self._ask(
            lambda url, client: jwt_bearer(url, client, self._wish, assertion),
            read,
            carried=assertion,
        )

    async def audience(self) -> str:
        """What the provider is called in an assertion: RFC 7523 section 3, rule 3."""
        return self._endpoints.issuer or await self._endpoints.token()

    async def _ask(
        self,
        build: Build,
        read: Read[Token] = response.read,
        *,
        carried: Secret | None = None,
        use: tuple[str, ...] | None = None,
        password: bool = False,
    ) -> Token:
        url = await self._endpoints.token()
        return await self.ask(url, build, read, carried=carried, use=use, password=password)

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
        client = self._client.show(await self.audience())
        about = Circumstances(
            where=origin(url),
            use=use or self.use,
            default_lifetime=self._default_lifetime,
            password=password,
            rotating=self._client.is_recent(),
            signed=self._client.signs,
            json=self._wish.json_names is not None,
            secrets=tuple(filter(None, (client.secret, client.assertion, carried))),
        )
        answer: Answer | None = None
        try:
            answer = await self._sender.send(build(url, client))
            result = await self._believed(answer, read(answer, about), about)
        except TokenRequestError as error:
            if error.failure is not Failure.TERMINAL:
                self._endpoints.doubt()
            if answer is not None and not isinstance(error, UnusableAnswerError):
                error.explanation = self._explain(answer)
            raise self._client.judged(error) from None
        self._client.believed()
        return result

    async def _believed(self, answer: Answer, result: T, about: Circumstances) -> T:
        """``result``; an ID token among it only after its checks."""
        if isinstance(result, Token) and result.field == "id_token":
            await self._id_tokens.check(answer, where=about.where, refresh=result.refresh)
        return result
