"""The embedded identity provider's rules, without I/O: who gets a token, and what stands in it.

Access tokens are JWTs signed with RS256 (RFC 7519, 7515); the token endpoint follows RFC 6749
sections 4.3, 4.4, 5.1, 5.2 and 6, the metadata RFC 8414. Every request is counted.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_plus

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

AUDIENCE: Final = "demo-inference-api"
ALGORITHM: Final = "RS256"


@dataclass(frozen=True, slots=True)
class Reply:
    """The token endpoint's answer."""

    status: int
    body: Mapping[str, Any] = field(repr=False)


class RefusalError(Exception):
    """An error of RFC 6749 section 5.2; turned into a reply where the request ends."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.reply = Reply(status, {"error": error, "error_description": description})


class Provider:
    """One issuer with its key, its clients and its users.

    Args:
        issuer: its URL; endpoints lie below it.
        clients: client id -> secret.
        users: name -> password.
        lifetime: seconds that an access token lives.
        wall: seconds since the epoch.
    """

    def __init__(
        self,
        issuer: str,
        *,
        clients: Mapping[str, str],
        users: Mapping[str, str],
        lifetime: int,
        wall: Callable[[], float],
    ) -> None:
        self.issuer = issuer
        self.requests = 0
        self.issued: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self._clients = clients
        self._users = users
        self._lifetime = lifetime
        self._wall = wall
        self._refreshable: dict[str, tuple[str, str]] = {}
        self._key = RSAKey.generate_key(
            2048, {"use": "sig", "alg": ALGORITHM}, private=True, auto_kid=True
        )

    def metadata(self) -> dict[str, Any]:
        """RFC 8414 section 3.2."""
        return {
            "issuer": self.issuer,
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/certs",
            "response_types_supported": [],
            "grant_types_supported": ["client_credentials", "password", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }

    def jwks(self) -> dict[str, Any]:
        """The public key, RFC 7517 section 5."""
        return {**KeySet([self._key]).as_dict(private=False)}

    def ledger(self) -> dict[str, Any]:
        """What was counted: requests to the token endpoint, tokens by subject, errors."""
        return {"requests": self.requests, "issued": self.issued, "errors": self.errors}

    def token(self, body: str, authorization: str | None) -> Reply:
        """Answer one request to the token endpoint."""
        self.requests += 1
        try:
            form = _form(body)
            client = self._authenticate(form, authorization)
            subject = self._grant(form, client)
        except RefusalError as refusal:
            self.errors[refusal.reply.body["error"]] += 1
            return refusal.reply
        self.issued[subject] += 1
        return Reply(200, self._answer(client, subject))

    def _authenticate(self, form: Mapping[str, str], authorization: str | None) -> str:
        """The client's id (RFC 6749 section 2.3.1)."""
        client, secret = form.get("client_id", ""), form.get("client_secret", "")
        if authorization is not None:
            client, secret = _basic(authorization)
        if not _matches(self._clients, client, secret):
            raise RefusalError("invalid_client", "no such client, or not its secret", 401)
        return client

    def _grant(self, form: Mapping[str, str], client: str) -> str:
        """Whom the token speaks for."""
        match form.get("grant_type"):
            case "client_credentials":
                return client
            case "password":
                return self._resource_owner(form)
            case "refresh_token":
                return self._refresh(form.get("refresh_token", ""), client)
        raise RefusalError(
            "unsupported_grant_type", "client_credentials, password or refresh_token"
        )

    def _resource_owner(self, form: Mapping[str, str]) -> str:
        user = form.get("username", "")
        if not _matches(self._users, user, form.get("password", "")):
            raise RefusalError("invalid_grant", "no such user, or not the password")
        return user

    def _refresh(self, value: str, client: str) -> str:
        """A refresh token serves once, and only the client that it was given to."""
        owner, subject = self._refreshable.pop(value, ("", ""))
        if not owner or owner != client:
            raise RefusalError("invalid_grant", "the refresh token is not active")
        return subject

    def _answer(self, client: str, subject: str) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "access_token": self._sign(client, subject),
            "token_type": "Bearer",
            "expires_in": self._lifetime,
        }
        if subject != client:
            refresh = secrets.token_urlsafe(24)
            self._refreshable[refresh] = (client, subject)
            answer["refresh_token"] = refresh
        return answer

    def _sign(self, client: str, subject: str) -> str:
        issued = int(self._wall())
        claims = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": subject,
            "azp": client,
            "iat": issued,
            "exp": issued + self._lifetime,
            "jti": secrets.token_urlsafe(12),
        }
        return jwt.encode({"alg": ALGORITHM, "kid": self._key.kid}, claims, self._key)


def _form(body: str) -> dict[str, str]:
    pairs = parse_qsl(body, keep_blank_values=True)
    if len(dict(pairs)) != len(pairs):
        raise RefusalError("invalid_request", "a parameter is there twice")
    return dict(pairs)


def _basic(authorization: str) -> tuple[str, str]:
    """Client id and secret; both are form-encoded inside (RFC 6749 section 2.3.1)."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        client, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        colon = client = secret = ""
    if scheme.lower() != "basic" or not colon:
        raise RefusalError("invalid_client", "the Authorization field is no Basic credential", 401)
    return unquote_plus(client), unquote_plus(secret)


def _matches(known: Mapping[str, str], name: str, secret: str) -> bool:
    return name in known and hmac.compare_digest(known[name].encode(), secret.encode())
