"""The keys of a credential, those of presets and of later versions included."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from proxy.config.keys import ProviderKeys, RenewKeys
from proxy.config.kinds import Kind, Later, SecretKey, Switch, Text, Texts, choice, later
from proxy.config.scalars import UnfitError, text

_GRANTS_LATER: Final = (
    "authorization_code",
    "device_code",
    "token_exchange",
    "jwt_bearer",
    "session",
)
_PROOFS_LATER: Final = ("client_secret_jwt", "private_key_jwt", "tls", "federated")
_RESERVED: Final = (
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
)


def _params(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise UnfitError("must be a mapping of form fields to text")
    if own := [key for key in _RESERVED if key in value]:
        raise UnfitError(f"must not hold {own[0]}: it has a key of its own")
    try:
        return {str(key): text(one) for key, one in value.items()}
    except UnfitError as error:
        raise UnfitError(f"has a field that {error}") from None


_PARAMS: Final = Kind(_params, {"type": "object", "additionalProperties": {"type": "string"}})


class CredentialKeys(ProviderKeys):
    """One credential: how a token is obtained and renewed."""

    provider: Text | None = Field(default=None, description="a name in providers")
    preset: (
        Annotated[
            str,
            choice(
                "wallaroo",
                "seldon",
                "runai",
                "eggplant",
                later=("runai-api", "kubeflow", "seldon-session"),
            ),
        ]
        | None
    ) = Field(default=None, description="a vendor whose settings are filled in")
    grant: Annotated[
        str,
        choice("client_credentials", "password", "refresh_token", "static", later=_GRANTS_LATER),
    ] = Field(default="client_credentials", description="how a token is obtained")
    client_id: Text | None = Field(default=None, description="the client's identifier")
    client_secret: SecretKey | None = Field(default=None, description="its secret: env or file")
    client_auth: (
        Annotated[str, choice("basic", "basic_raw", "post", "none", later=_PROOFS_LATER)] | None
    ) = Field(
        default=None, description="how the client shows who it is; basic with a secret, else none"
    )
    credentials_file: Text | None = Field(
        default=None, description="a csv or ini with client_id, client_secret and token_url"
    )
    username: Text | None = Field(default=None, description="the person, for grant password")
    password: SecretKey | None = Field(
        default=None, description="the person's password: env or file"
    )
    refresh_token: SecretKey | None = Field(
        default=None, description="the first one, for grant refresh_token: env or file"
    )
    token: SecretKey | None = Field(
        default=None, description="the token, for grant static: env or file"
    )
    scope: Text | None = Field(default=None, description="scopes, with spaces between them")
    audience: Texts | None = Field(default=None, description="whom the token is for; or a list")
    resource: Texts | None = Field(default=None, description="RFC 8707 resource; or a list")
    params: Annotated[dict[str, str], _PARAMS] | None = Field(
        default=None, description="further form fields of the token request"
    )
    use: Texts | None = Field(
        default=None,
        description="the answer's field that is sent; of a list the first that is there",
    )
    required: Switch | None = Field(
        default=None, description="readiness waits for it; default true, with renew.idle false"
    )
    renew: RenewKeys | None = Field(default=None, description="when the token is renewed")

    prefix: Text | None = Field(
        default=None, description="preset wallaroo: before .keycloak, if any"
    )
    suffix: Text | None = Field(default=None, description="preset wallaroo: the domain")
    host: Text | None = Field(
        default=None, description="presets seldon, runai: the provider's host"
    )
    realm: Text | None = Field(
        default=None, description="presets seldon, runai: the Keycloak realm"
    )

    clients: Annotated[object, later([])] = Field(
        default=None, description="who may fetch this token over TCP"
    )
    authorize_url: Later = Field(
        default=None, description="authorization_code: where a person logs in"
    )
    redirect_uri: Later = Field(default=None, description="authorization_code: sent as it is")
    redirect_port: Later = Field(
        default=None, description="authorization_code: our port for the answer"
    )
    paste: Later = Field(default=None, description="authorization_code: the code is pasted")
    device_url: Later = Field(default=None, description="device_code: the device endpoint")
    subject: Later = Field(default=None, description="token_exchange: whose token")
    subject_type: Later = Field(default=None, description="token_exchange: its type")
    requested_type: Later = Field(
        default=None, description="token_exchange: the type that is wanted"
    )
    actor: Later = Field(default=None, description="token_exchange: who acts")
    assertion: Later = Field(default=None, description="jwt_bearer, federated: the assertion")
    private_key: Later = Field(default=None, description="jwt_bearer, private_key_jwt: the key")
    key_id: Later = Field(default=None, description="its identifier")
    algorithm: Later = Field(default=None, description="its algorithm")
    claims: Later = Field(default=None, description="jwt_bearer: iss, sub, aud")
    assertion_audience: Later = Field(default=None, description="private_key_jwt: whom it is for")
    url: Later = Field(default=None, description="session: a page that leads to the login")
    form: Later = Field(default=None, description="session: the form's field names")
    connector: Later = Field(default=None, description="session: one of several in Dex")
    cookies: Annotated[object, later([])] = Field(
        default=None, description="session: cookies to send"
    )
