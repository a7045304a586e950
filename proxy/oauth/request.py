"""Builds token requests: RFC 6749 sections 4.3, 4.4 and 6, resource indicators by RFC 8707.

Decides what goes into the form; knows neither where the secrets come from nor who sends it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from authlib.common.urls import add_params_to_qs
from authlib.oauth2.rfc6749.parameters import prepare_token_request

from proxy.message import Request
from proxy.oauth.client import Client, prove
from proxy.secret import Secret

RESERVED: Final = frozenset(
    {
        "grant_type",
        "client_id",
        "client_secret",
        "username",
        "password",
        "refresh_token",
        "scope",
        "audience",
        "resource",
    }
)
"""Form fields that have a setting of their own; extra ``params`` may not speak for them."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a token is asked for, whatever the grant.

    Attributes:
        scope: separated by spaces (RFC 6749 section 3.3).
        audience, resource: sent once each, in order (RFC 8693 section 2.1, RFC 8707 section 2).
        params: further form fields; they may be confidential and are not shown.

    Raises:
        ValueError: ``params`` holds a field that has a setting of its own.
    """

    scope: str | None = None
    audience: tuple[str, ...] = ()
    resource: tuple[str, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        clash = sorted(RESERVED & self.params.keys())
        if clash:
            raise ValueError(f"params may not set {', '.join(clash)}: use the key of that name")

    def extras(self) -> list[tuple[str, str]]:
        """The form fields besides those of the grant and its scope."""
        return [
            *(("audience", name) for name in self.audience),
            *(("resource", name) for name in self.resource),
            *self.params.items(),
        ]


def client_credentials(url: str, client: Client, wish: Wish) -> Request:
    """The client's own token: RFC 6749 section 4.4.2."""
    return _request(url, client, wish, "client_credentials", scope=wish.scope)


def password(url: str, client: Client, wish: Wish, username: str, secret: Secret) -> Request:
    """A resource owner's token for name and password: RFC 6749 section 4.3.2."""
    return _request(
        url,
        client,
        wish,
        "password",
        username=username,
        password=secret.reveal(),
        scope=wish.scope,
    )


def refresh(url: str, client: Client, wish: Wish, token: Secret, scope: str | None) -> Request:
    """A new token for a refresh token: RFC 6749 section 6.

    ``scope`` None asks for what was granted; the section forbids to ask for more, and what was
    granted may be less than what ``wish`` asked for.
    """
    return _request(url, client, wish, "refresh_token", refresh_token=token.reveal(), scope=scope)


def _request(url: str, client: Client, wish: Wish, grant: str, **fields: str | None) -> Request:
    proof = prove(client)
    form: str = prepare_token_request(grant, **fields)
    # The second step, because the first takes each field once and by keyword only.
    body: str = add_params_to_qs(form, [*proof.params, *wish.extras()])
    headers = {
        "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded",
        **proof.headers,
    }
    return Request("POST", url, headers, body.encode("ascii"))
