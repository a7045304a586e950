"""From a credential's configuration to the source of its tokens; asks nobody and reads nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

from proxy.clock import Clock
from proxy.config.model import Credential, Grant, SecretReference
from proxy.idp.by_person import ByPersonSource
from proxy.idp.client_credentials import ClientCredentialsSource
from proxy.idp.endpoint import Endpoints, Sender
from proxy.idp.password import PasswordSource
from proxy.idp.refresh_token import RefreshTokenSource
from proxy.idp.requests import Registration, TokenRequests
from proxy.idp.static import StaticSource
from proxy.oauth.client import ClientAuthentication
from proxy.oauth.request import Wish
from proxy.secrets.references import source
from proxy.secrets.source import SecretSource
from proxy.tokens.ports import TokenSource

T = TypeVar("T")
INCOMPLETE: Final = "an incomplete credential got past the configuration's checks"


def token_source(
    credential: Credential, *, sender: Sender | None, environ: Mapping[str, str], clock: Clock
) -> TokenSource:
    """The source of a credential's tokens.

    Args:
        credential: complete, as ``config`` gives it.
        sender: carries requests to its provider; None for ``static`` alone.
        environ: where environment variables are looked up.
        clock: for expiries.
    """

    def secret(reference: SecretReference | None) -> SecretSource:
        if reference is None:
            raise ValueError(INCOMPLETE)
        return source(reference, environ)

    if credential.grant is Grant.STATIC:
        return StaticSource(secret(credential.token), clock)
    requests = token_requests(credential, _given(sender), environ, clock)
    match credential.grant:
        case Grant.CLIENT_CREDENTIALS:
            return ClientCredentialsSource(requests)
        case Grant.PASSWORD:
            username = _given(credential.username)
            return PasswordSource(requests, username, secret(credential.password), clock)
        case Grant.REFRESH_TOKEN:
            return RefreshTokenSource(requests, secret(credential.refresh_token), clock)
        case Grant.AUTHORIZATION_CODE | Grant.DEVICE_CODE:
            return ByPersonSource(requests, credential.name, clock)
        case _:
            raise NotImplementedError(credential.grant)


def token_requests(
    credential: Credential, sender: Sender, environ: Mapping[str, str], clock: Clock
) -> TokenRequests:
    """What asks a credential's provider, whatever for; the arguments are as above."""
    reference = credential.client_secret
    return TokenRequests(
        Registration(
            client_id=_given(credential.client_id),
            authentication=ClientAuthentication(credential.client_auth.value),
            secret=None if reference is None else source(reference, environ),
        ),
        Endpoints(_given(credential.provider), sender, clock),
        sender,
        clock,
        wish=Wish(credential.scope, credential.audience, credential.resource, credential.params),
        use=credential.use,
        default_lifetime=credential.renew.default_lifetime,
    )


def _given(value: T | None) -> T:
    """What the configuration's checks promise to be there."""
    if value is None:
        raise ValueError(INCOMPLETE)
    return value
