"""From a credential's configuration to the source of its tokens; asks nobody and reads nothing."""

from __future__ import annotations

from typing import Final, TypeVar

from proxy.clock import Clock
from proxy.config.model import Credential, Grant, SecretReference
from proxy.idp.by_person import ByPersonSource
from proxy.idp.client_credentials import ClientCredentialsSource
from proxy.idp.endpoint import Endpoints, Sender
from proxy.idp.exchanging import Exchanging, jwt_bearer_source
from proxy.idp.explaining import explainer
from proxy.idp.origins import Lenders
from proxy.idp.password import PasswordSource
from proxy.idp.refresh_token import RefreshTokenSource
from proxy.idp.registrations import registration
from proxy.idp.requests import TokenRequests
from proxy.idp.static import StaticSource
from proxy.oauth.authentication import ClientAuthentication
from proxy.oauth.request import Wish
from proxy.secrets.references import Sources
from proxy.secrets.source import SecretSource
from proxy.tokens.ports import CallerSources, TokenSource

T = TypeVar("T")
INCOMPLETE: Final = "an incomplete credential got past the configuration's checks"


def token_source(
    credential: Credential,
    *,
    sender: Sender | None,
    secrets: Sources,
    clock: Clock,
    lenders: Lenders | None = None,
) -> TokenSource:
    """The source of a credential's tokens.

    Args:
        credential: complete, as ``config`` gives it.
        sender: carries requests to its provider; None for ``static`` alone.
        secrets: where secrets are looked up.
        clock: for expiries.
        lenders: finds another credential by name, when its token is wanted; None where no
            credential refers to another.
    """
    if credential.grant is Grant.STATIC:
        return StaticSource(_secret(credential.token, secrets), clock)
    if credential.grant is Grant.SESSION:
        return _session_source(credential, _given(sender), secrets, clock)
    return _endpoint_source(credential, _given(sender), secrets, clock, lenders)


def _endpoint_source(
    credential: Credential,
    sender: Sender,
    secrets: Sources,
    clock: Clock,
    lenders: Lenders | None,
) -> TokenSource:
    """The source of a grant that asks a token endpoint."""
    requests = token_requests(credential, sender, secrets, clock)
    match credential.grant:
        case Grant.CLIENT_CREDENTIALS:
            return ClientCredentialsSource(requests)
        case Grant.PASSWORD:
            username = _given(credential.username)
            return PasswordSource(requests, username, _secret(credential.password, secrets), clock)
        case Grant.REFRESH_TOKEN:
            return RefreshTokenSource(requests, _secret(credential.refresh_token, secrets), clock)
        case Grant.AUTHORIZATION_CODE | Grant.DEVICE_CODE:
            return ByPersonSource(requests, credential.name, clock)
        case Grant.TOKEN_EXCHANGE:
            return Exchanging(credential, requests, secrets, lenders, clock).source()
        case Grant.JWT_BEARER:
            return jwt_bearer_source(credential, requests, secrets, clock)
        case _:
            raise NotImplementedError(credential.grant)


def _session_source(
    credential: Credential, sender: Sender, secrets: Sources, clock: Clock
) -> TokenSource:
    from proxy.idp.session.source import SessionSource  # noqa: PLC0415 - who has none pays nothing

    provider = credential.provider
    return SessionSource(
        _given(credential.sign_in),
        _given(credential.username),
        _secret(credential.password, secrets),
        sender,
        clock,
        allow_insecure=provider is not None and provider.allow_insecure,
        default_lifetime=credential.renew.default_lifetime,
    )


def _secret(reference: SecretReference | None, secrets: Sources) -> SecretSource:
    if reference is None:
        raise ValueError(INCOMPLETE)
    return secrets(reference)


def caller_sources(
    credential: Credential,
    *,
    sender: Sender,
    secrets: Sources,
    clock: Clock,
    lenders: Lenders | None = None,
) -> CallerSources:
    """Sources of tokens for callers' own (``subject: request``); the arguments are as above."""
    requests = token_requests(credential, sender, secrets, clock)
    return Exchanging(credential, requests, secrets, lenders, clock).of_caller


def token_requests(
    credential: Credential, sender: Sender, secrets: Sources, clock: Clock
) -> TokenRequests:
    """What asks a credential's provider, whatever for; the arguments are as above."""
    provider = _given(credential.provider)
    asserted = credential.client_auth is ClientAuthentication.FEDERATED
    certified = credential.client_auth is ClientAuthentication.TLS
    if not asserted and credential.grant is not Grant.JWT_BEARER:
        _given(credential.client_id)
    return TokenRequests(
        registration(credential, secrets, clock),
        Endpoints(provider, sender, clock, with_certificate=certified),
        sender,
        clock,
        wish=Wish(
            credential.scope,
            credential.audience,
            credential.resource,
            credential.params,
            provider.json_names,
        ),
        use=credential.use,
        default_lifetime=credential.renew.default_lifetime,
        explain=explainer(credential),
    )


def _given(value: T | None) -> T:
    """What the configuration's checks promise to be there."""
    if value is None:
        raise ValueError(INCOMPLETE)
    return value
