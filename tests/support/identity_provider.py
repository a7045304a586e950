"""An identity provider over real sockets that does as it is told, and misbehaves on demand.

    async with IdentityProvider() as provider:
        provider.lifetime = 5
        provider.script.append(Reply(status=503, headers={"Retry-After": "7"}))
        ... provider.token_url, provider.issuer, provider.jwks_url ...
        assert provider.asked == 2

It judges clients, users and refresh tokens as Keycloak does, unless a scripted reply comes first.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, unquote_plus

from aiohttp import web
from joserfc import jwk, jwt

CLIENT = ("api-client", "s3cr3t-of-the-client")
USER = ("mary.jane@example.com", "pa55-of-mary")
REALM = "/realms/test"


@dataclass(frozen=True, slots=True)
class Reply:
    """What one request gets instead of the usual answer.

    Attributes:
        body: bytes, text, or anything that JSON can say; None for the usual answer.
        delay: seconds to wait first.
        hang: never answer, until the client leaves or the provider is closed.
        close: cut the connection without a word.
        lost: all is done as usual, but the answer never comes.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    hang: bool = False
    close: bool = False
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """One token request as it arrived.

    Attributes:
        form: of a JSON object, its members.
        certificate: the common name of the one that the client showed.
    """

    form: Mapping[str, str]
    pairs: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    at: float
    certificate: str | None = None

    @property
    def authorization(self) -> str | None:
        """The field as it was sent."""
        return self.headers.get("Authorization")

    @property
    def grant(self) -> str:
        """The ``grant_type``."""
        return self.form.get("grant_type", "")


class Refused(Exception):  # noqa: N818 - an answer of RFC 6749 section 5.2
    """The usual answer is an error."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(error)
        self.reply = Reply(status, {"error": error, "error_description": description})


class IdentityProvider:
    """Counts, remembers, issues.

    Attributes:
        clients: id → secret; None for a public client.
        users: name → password.
        lifetime: seconds that an access token lives.
        refresh_lifetime: what ``refresh_expires_in`` says; 0 is never; None sends no refresh token.
        rotate: each refresh gives a new refresh token and kills the old one.
        kills_families: one that was used before kills all that came of the same login
            (RFC 9700 section 4.14.2).
        reused: how often one was used that had been used before.
        signed: tokens are RS256 JWTs instead of ``token-1``, ``token-2``, …
        id_token: answers to full grants carry an ``id_token``, to refreshes too if
            ``id_token_on_refresh``.
        claims: go into each JWT besides the usual ones; whatever is None is left out.
        extra: fields that replace or join those of each successful answer; None removes one.
        clock_ahead: seconds that the provider's clock is wrong by, in ``Date`` and claims.
        script: the next replies to token requests, one each; then ``otherwise``, if there is one.
        discovery: replies to discovery requests, in the same way.
        document: replaces or joins fields of the discovery document; None removes one.
        requests: every token request, oldest first.
        discovered: how often the discovery document was asked for.
        issued: every access token, oldest first.
        busiest: the most token requests that were under way together.
        client_judge: judges clients instead of the list, raising ``Refused``.
        further_grants: ``grant_type`` → what judges such a request, raising ``Refused``.
        further_routes: what else is served; added before the start.
    """

    def __init__(
        self, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        self.clients: dict[str, str | None] = dict([CLIENT])
        self.users: dict[str, str] = dict([USER])
        self.lifetime: float = 60
        self.refresh_lifetime: float | None = None
        self.rotate = True
        self.kills_families = False
        self.reused = 0
        self.signed = False
        self.id_token = False
        self.id_token_on_refresh = True
        self.claims: dict[str, Any] = {}
        self.extra: dict[str, Any] = {}
        self.clock_ahead = 0.0
        self.script: list[Reply] = []
        self.otherwise: Reply | None = None
        self.discovery: list[Reply] = []
        self.document: dict[str, Any] = {}
        self.requests: list[Asked] = []
        self.discovered = 0
        self.issued: list[str] = []
        self.busiest = 0
        self.client_judge: Callable[[Asked], None] | None = None
        self.further_grants: dict[str, Callable[[Asked], None]] = {}
        self.further_routes: list[web.RouteDef] = []
        self._under_way = 0
        self._numbers = itertools.count(1)
        self._families = itertools.count(1)
        self._refresh_tokens: dict[str, int] = {}
        self._spent: dict[str, int] = {}
        self._key: jwk.RSAKey | None = None
        self._host, self._port, self._tls = host, port, tls
        self._runner: web.AppRunner | None = None

    # Where it is

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"{'https' if self._tls else 'http'}://{self._host}:{self._port}"

    @property
    def issuer(self) -> str:
        """What ``iss`` and the discovery document say."""
        return self.url + REALM

    @property
    def token_url(self) -> str:
        """The token endpoint."""
        return self.issuer + "/token"

    @property
    def jwks_url(self) -> str:
        """The keys that its JWTs are signed with."""
        return self.issuer + "/certs"

    # What it saw

    @property
    def asked(self) -> int:
        """How many token requests came."""
        return len(self.requests)

    @property
    def grants(self) -> list[str]:
        """The ``grant_type`` of each token request."""
        return [one.grant for one in self.requests]

    # What else it can do

    def revoke_refresh_tokens(self) -> None:
        """From now on none of those that were given out works."""
        self._refresh_tokens.clear()

    def accept_refresh_token(self, value: str) -> str:
        """Let a refresh token work that was obtained elsewhere."""
        self._refresh_tokens[value] = next(self._families)
        return value

    def honours(self, refresh_token: str) -> bool:
        """Whether a refresh token would be taken now."""
        return refresh_token in self._refresh_tokens

    def public_keys(self) -> dict[str, Any]:
        """The JWKS."""
        return {"keys": [self._signing_key().as_dict(private=False)]}

    def sign(self, **claims: Any) -> str:
        """A JWT with the usual claims and these; whatever is None is left out."""
        now = time.time() + self.clock_ahead
        usual = {"iss": self.issuer, "sub": "somebody", "iat": now, "exp": now + self.lifetime}
        wanted = {**usual, "jti": str(next(self._numbers)), **self.claims, **claims}
        kept = {name: value for name, value in wanted.items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": "key-1"}, kept, self._signing_key())

    async def start(self) -> None:
        """Listen; the port stays the same after the first time."""
        application = web.Application()
        application.router.add_post(f"{REALM}/token", self._token)
        application.router.add_get(f"{REALM}/certs", self._certs)
        for place in (
            f"{REALM}/.well-known/openid-configuration",
            f"/.well-known/oauth-authorization-server{REALM}",
        ):
            application.router.add_get(place, self._metadata)
        application.router.add_routes(self.further_routes)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port, ssl_context=self._tls)
        await site.start()
        self._port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening and cut what is under way; ``start`` brings it back."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # How it answers

    async def _token(self, request: web.Request) -> web.StreamResponse:
        pairs = _pairs(request.content_type, await request.text())
        asked = Asked(
            dict(pairs), pairs, request.headers.copy(), time.time(), _certificate(request)
        )
        self.requests.append(asked)
        self._under_way += 1
        self.busiest = max(self.busiest, self._under_way)
        try:
            return await self._reply(request, self._next(), lambda: self._usual(asked))
        finally:
            self._under_way -= 1

    def _next(self) -> Reply:
        return self.script.pop(0) if self.script else self.otherwise or Reply()

    async def _reply(
        self, request: web.Request, reply: Reply, usual: Callable[[], Reply]
    ) -> web.StreamResponse:
        if reply.hang:
            await asyncio.Event().wait()
        await asyncio.sleep(reply.delay)
        if reply.close:
            assert request.transport is not None
            request.transport.abort()
        said = usual() if reply.body is None and reply.status == 200 else reply
        if reply.lost:
            await asyncio.Event().wait()
        return self._response(said, reply.headers)

    def _response(self, reply: Reply, headers: Mapping[str, str]) -> web.Response:
        date = time.strftime(
            "%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + self.clock_ahead)
        )
        fields = {"Date": date, **reply.headers, **headers}
        match reply.body:
            case bytes() as body:
                return web.Response(status=reply.status, body=body, headers=fields)
            case str() | None as text:
                return web.Response(status=reply.status, text=text or "", headers=fields)
            case other:
                return web.json_response(other, status=reply.status, headers=fields)

    def _usual(self, asked: Asked) -> Reply:
        try:
            self._check_client(asked)
            self._check_grant(asked)
        except Refused as refused:
            return refused.reply
        return Reply(body=_joined(self._issue(asked), self.extra))

    def _check_client(self, asked: Asked) -> None:
        if self.client_judge is not None:
            self.client_judge(asked)
            return
        client_id, secret = _credentials(asked)
        if client_id not in self.clients or self.clients[client_id] != secret:
            raise Refused(401, "invalid_client", "Invalid client or Invalid client credentials")

    def _check_grant(self, asked: Asked) -> None:
        match asked.grant:
            case "client_credentials":
                return
            case "password":
                if self.users.get(asked.form.get("username", "")) != asked.form.get("password"):
                    raise Refused(401, "invalid_grant", "Invalid user credentials")
            case "refresh_token":
                self._check_refresh_token(asked.form.get("refresh_token", ""))
            case grant if grant in self.further_grants:
                self.further_grants[grant](asked)
            case _:
                raise Refused(400, "unsupported_grant_type", "Unsupported grant_type")

    def _check_refresh_token(self, value: str) -> None:
        if value in self._refresh_tokens:
            return
        self.reused += value in self._spent
        if value in self._spent and self.kills_families:
            family, living = self._spent[value], self._refresh_tokens
            self._refresh_tokens = {one: its for one, its in living.items() if its != family}
        raise Refused(400, "invalid_grant", "Token is not active")

    def _issue(self, asked: Asked) -> dict[str, Any]:
        token = self.sign() if self.signed else f"token-{next(self._numbers)}"
        self.issued.append(token)
        answer: dict[str, Any] = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": self.lifetime,
        }
        refreshing = asked.grant == "refresh_token"
        if self.id_token and (not refreshing or self.id_token_on_refresh):
            answer["id_token"] = self.sign(aud=_credentials(asked)[0])
        if self.refresh_lifetime is not None and asked.grant != "client_credentials":
            answer["refresh_token"] = self._refresh_token(asked)
            answer["refresh_expires_in"] = self.refresh_lifetime
        return answer

    def _refresh_token(self, asked: Asked) -> str:
        old = asked.form.get("refresh_token")
        if old and not self.rotate:
            return old
        new = self.accept_refresh_token(f"refresh-{next(self._numbers)}")
        if old:
            self._spent[old] = self._refresh_tokens[new] = self._refresh_tokens.pop(old)
        return new

    async def _metadata(self, request: web.Request) -> web.StreamResponse:
        self.discovered += 1
        document = {
            "issuer": self.issuer,
            "token_endpoint": self.token_url,
            "jwks_uri": self.jwks_url,
        }
        reply = self.discovery.pop(0) if self.discovery else Reply()
        return await self._reply(
            request, reply, lambda: Reply(body=_joined(document, self.document))
        )

    async def _certs(self, _: web.Request) -> web.Response:
        return web.json_response(self.public_keys())

    def _signing_key(self) -> jwk.RSAKey:
        if self._key is None:
            self._key = jwk.RSAKey.generate_key(2048, parameters={"kid": "key-1"})
        return self._key


def _pairs(kind: str, text: str) -> tuple[tuple[str, str], ...]:
    if kind == "application/json":
        return tuple(json.loads(text).items())
    return tuple(parse_qsl(text, keep_blank_values=True))


def _certificate(request: web.Request) -> str | None:
    """The subject's common name, from what the TLS layer checked."""
    transport = request.transport
    shown = (transport.get_extra_info("peercert") if transport else None) or {}
    names = [pair for group in shown.get("subject", ()) for pair in group]
    return dict(names).get("commonName")


def _joined(usual: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**usual, **extra}.items() if value is not None}


def _credentials(asked: Asked) -> tuple[str, str | None]:
    """Client id and secret, from Basic (form-decoded, RFC 6749 section 2.3.1) or from the form."""
    scheme, _, encoded = (asked.authorization or "").partition(" ")
    if scheme.lower() == "basic":
        user, _, password = base64.b64decode(encoded).decode().partition(":")
        return unquote_plus(user), unquote_plus(password)
    return asked.form.get("client_id", ""), asked.form.get("client_secret")
