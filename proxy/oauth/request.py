"""Builds token requests: RFC 6749 sections 4.1.3, 4.3, 4.4 and 6, RFC 8628 section 3.4.

Decides what goes into the form; knows neither where the secrets come from nor who sends it.
"""

from __future__ import annotations

import json
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
        "code",
        "code_verifier",
        "device_code",
        "redirect_uri",
        "assertion",
        "client_assertion",
        "client_assertion_type",
        "subject_token",
        "subject_token_type",
        "actor_token",
        "actor_token_type",
        "requested_token_type",
    }
)
"""Form fields that have a setting of their own; extra ``params`` may not speak for them."""

DEVICE_CODE: Final = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a token is asked for and in which shape, whatever the grant.

    Attributes:
        scope: separated by spaces (RFC 6749 section 3.3).
        audience, resource: sent once each, in order (RFC 8693 section 2.1, RFC 8707 section 2).
        params: further form fields; they may be confidential and are not shown.
        json_names: None for a form; else the token request is a JSON object, and these are the
            names of its members where they differ from the form's.

    Raises:
        ValueError: ``params`` holds a field that has a setting of its own.
    """

    scope: str | None = None
    audience: tuple[str, ...] = ()
    resource: tuple[str, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    json_names: Mapping[str, str] | None = None

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
    return token_request(url, client, wish, "client_credentials", scope=wish.scope)


def password(url: str, client: Client, wish: Wish, username: str, secret: Secret) -> Request:
    """A resource owner's token for name and password: RFC 6749 section 4.3.2."""
    return token_request(
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
    return token_request(
        url, client, wish, "refresh_token", refresh_token=token.reveal(), scope=scope
    )


def authorization_code(
    url: str, client: Client, wish: Wish, code: Secret, redirect_uri: str, verifier: Secret
) -> Request:
    """A token for the code that a person's browser brought: RFC 6749 section 4.1.3.

    ``redirect_uri`` is the authorization request's, ``verifier`` that of RFC 7636 section 4.5.
    """
    return token_request(
        url,
        client,
        wish,
        "authorization_code",
        code=code.reveal(),
        redirect_uri=redirect_uri,
        code_verifier=verifier.reveal(),
    )


def device_code(url: str, client: Client, wish: Wish, code: Secret) -> Request:
    """A token for what a person allows elsewhere meanwhile: RFC 8628 section 3.4."""
    return token_request(url, client, wish, DEVICE_CODE, device_code=code.reveal())


def device_authorization(url: str, client: Client, wish: Wish) -> Request:
    """A code for a device that has no browser: RFC 8628 section 3.1."""
    scope = (("scope", wish.scope),) if wish.scope else ()
    return _post(url, client, "", [*scope, *wish.extras()])


def revocation(url: str, client: Client, token: Secret, hint: str) -> Request:
    """Have a token of the type ``hint`` end now: RFC 7009 section 2.1."""
    return _post(url, client, "", [("token", token.reveal()), ("token_type_hint", hint)])


def token_request(
    url: str, client: Client, wish: Wish, grant: str, **fields: str | None
) -> Request:
    """A token request of any ``grant``; fields that are None or empty are left out."""
    if wish.json_names is not None:
        given = [("grant_type", grant), *((name, value) for name, value in fields.items() if value)]
        return _json(url, client, [*given, *wish.extras()], wish.json_names)
    form: str = prepare_token_request(grant, **fields)
    # The second step, because the first takes each field once and by keyword only.
    return _post(url, client, form, wish.extras())


def _json(
    url: str, client: Client, pairs: list[tuple[str, str]], names: Mapping[str, str]
) -> Request:
    """The same as a JSON object, for endpoints that want one; a repeated field is an array."""
    proof = prove(client)
    members: dict[str, str | list[str]] = {}
    for name, value in [*pairs, *proof.params]:
        member = names.get(name, name)
        before = members.get(member, [])
        several = [*([before] if isinstance(before, str) else before), value]
        members[member] = several if len(several) > 1 else value
    headers = {
        "Accept": "application/json",
        "Content-Type": "application/json",
        **proof.headers,
    }
    return Request("POST", url, headers, json.dumps(members).encode("ascii"))


def _post(url: str, client: Client, form: str, more: list[tuple[str, str]]) -> Request:
    proof = prove(client)
    body: str = add_params_to_qs(form, [*proof.params, *more])
    headers = {
        "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded",
        **proof.headers,
    }
    return Request("POST", url, headers, body.encode("ascii"))
