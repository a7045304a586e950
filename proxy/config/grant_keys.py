"""The keys that single grants and single ways of client authentication have."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from proxy.config.grant_values import Claims, Cookies, Port, RedirectUri, TokenType
from proxy.config.keys import Keys, ProviderKeys
from proxy.config.kinds import Switch, Text, Url, choice
from proxy.config.secret_keys import ActorKey, SecretKey, SubjectKey

_ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512"),
    *("PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)


class FormKeys(Keys):
    """A sign-in form; what is not said is found in the page itself."""

    username: Text | None = Field(
        default=None, description="the name of the field for the user; default found in the page"
    )
    password: Text | None = Field(
        default=None,
        description="the name of the field for the password; default found in the page",
    )
    encoding: Annotated[str, choice("urlencoded", "multipart")] | None = Field(
        default=None, description="how the form is sent; default as the page says"
    )


class GrantKeys(ProviderKeys):
    """What belongs to one grant, or to one way of client authentication."""

    username: Text | None = Field(
        default=None, description="password, session: the person who logs in"
    )
    password: SecretKey | None = Field(
        default=None, description="password, session: the person's password"
    )
    refresh_token: SecretKey | None = Field(
        default=None, description="refresh_token: the first one; later ones are kept in the store"
    )
    token: SecretKey | None = Field(default=None, description="static: the token")
    redirect_uri: RedirectUri | None = Field(
        default=None,
        description="authorization_code: sent as it is; default our own on loopback",
    )
    redirect_port: Port | None = Field(
        default=None, description="authorization_code: our port for the answer; default any free"
    )
    paste: Switch | None = Field(
        default=None,
        description="authorization_code: the address with the code is pasted; "
        "default true where redirect_uri does not lead here",
    )
    subject: SubjectKey | None = Field(
        default=None,
        description="token_exchange: whose token: a secret, {credential: NAME}, "
        "or request: the caller's own",
    )
    subject_type: TokenType | None = Field(
        default=None,
        description="token_exchange: its type; default access_token, but id_token where "
        "the other credential sends one",
    )
    requested_type: TokenType | None = Field(
        default=None,
        description="token_exchange: the type that is wanted; default the provider's choice",
    )
    actor: ActorKey | None = Field(
        default=None,
        description="token_exchange: who acts: a secret or {credential: NAME}",
    )
    actor_type: TokenType | None = Field(
        default=None, description="token_exchange: the actor's type; default as subject_type"
    )
    assertion: SecretKey | None = Field(
        default=None, description="jwt_bearer, federated: an assertion that somebody else signed"
    )
    private_key: SecretKey | None = Field(
        default=None, description="jwt_bearer, private_key_jwt: the key that signs: PEM or JWK"
    )
    key_id: Text | None = Field(
        default=None, description="jwt_bearer, private_key_jwt: the key's identifier (kid)"
    )
    algorithm: Annotated[str, choice(*_ALGORITHMS)] | None = Field(
        default=None,
        description="jwt_bearer, private_key_jwt: how it signs; default what suits the key",
    )
    claims: Claims | None = Field(
        default=None,
        description="jwt_bearer: what is signed: sub and others; default iss "
        "the client_id, aud the issuer, else the token endpoint",
    )
    assertion_audience: Text | None = Field(
        default=None,
        description="client_secret_jwt, private_key_jwt: whom the assertion is for; "
        "default the issuer, else the token endpoint",
    )
    url: Url | None = Field(
        default=None, description="session: a page that leads to the login page"
    )
    form: FormKeys | None = Field(
        default=None, description="session: the form's field names; default found in the page"
    )
    connector: Text | None = Field(
        default=None, description="session: which connector to take where Dex offers several"
    )
    cookies: Cookies | None = Field(
        default=None, description="session: names of the cookies to send; default all of that host"
    )
