"""The keys of a credential, those of presets included."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from proxy.config.grant_keys import GrantKeys
from proxy.config.keys import RenewKeys
from proxy.config.kinds import Switch, Text, Texts, choice
from proxy.config.model import Grant
from proxy.config.request_fields import PARAMS
from proxy.config.secret_keys import SecretKey
from proxy.oauth.authentication import ClientAuthentication

PRESETS: Final = (
    "wallaroo",
    "seldon",
    "seldon-session",
    "runai",
    "runai-api",
    "eggplant",
    "kubeflow",
)


class CredentialKeys(GrantKeys):
    """One credential: how a token is obtained and renewed."""

    provider: Text | None = Field(
        default=None, description="whose token it is: a name in providers"
    )
    preset: Annotated[str, choice(*PRESETS)] | None = Field(
        default=None, description="a vendor whose settings are filled in; see Presets"
    )
    grant: Annotated[str, choice(*map(str, Grant))] = Field(
        default="client_credentials", description="how a token is obtained"
    )
    client_id: Text | None = Field(default=None, description="the client's identifier")
    client_secret: SecretKey | None = Field(
        default=None, description="its secret: {env: NAME}, {file: path} or another place"
    )
    client_auth: Annotated[str, choice(*map(str, ClientAuthentication))] | None = Field(
        default=None,
        description="how the client shows who it is; default basic with a secret, else none",
    )
    credentials_file: Text | None = Field(
        default=None,
        description="a .csv or .ini with client_id, client_secret and token_url, as downloaded",
    )
    scope: Text | None = Field(default=None, description="scopes, with spaces between them")
    audience: Texts | None = Field(default=None, description="whom the token is for")
    resource: Texts | None = Field(
        default=None, description="which resource the token is for (RFC 8707)"
    )
    params: Annotated[dict[str, str], PARAMS] | None = Field(
        default=None, description="further form fields of the token request"
    )
    use: Texts | None = Field(
        default=None,
        description="the answer's field that is sent; of a list the first that is there; "
        "default access_token",
    )
    required: Switch | None = Field(
        default=None,
        description="whether /readyz waits for it; default true, but false with renew.idle, "
        "where a person logs in, and for subject: request",
    )
    renew: RenewKeys | None = Field(default=None, description="when the token is renewed")

    prefix: Text | None = Field(
        default=None, description="preset wallaroo: before .keycloak, if any"
    )
    suffix: Text | None = Field(default=None, description="preset wallaroo: the domain")
    host: Text | None = Field(
        default=None, description="presets seldon, runai, runai-api: the provider's host"
    )
    realm: Text | None = Field(
        default=None, description="presets seldon, runai: the Keycloak realm"
    )

    clients: list[Text] = Field(
        default=[],
        description="which of clients may fetch this token from the token API over TCP; "
        "default none",
    )
