"""The table of causes, held against what the providers really answer."""

from __future__ import annotations

import pytest

from proxy.config.model import Grant
from proxy.idp.cause import (
    AUTH0,
    DEX,
    EGGPLANT,
    ENTRA,
    KEYCLOAK,
    OKTA,
    RUNAI,
    hear,
    providers_of,
)
from proxy.idp.causes import CAUSES
from tests.support.answers import answer

SERVICE, PASSWORD, REFRESH = Grant.CLIENT_CREDENTIALS, Grant.PASSWORD, Grant.REFRESH_TOKEN
EXCHANGE, DEVICE = Grant.TOKEN_EXCHANGE, Grant.DEVICE_CODE
BAD_CLIENT = "Invalid client or Invalid client credentials"
ROWS = [
    (KEYCLOAK, 401, "unauthorized_client", BAD_CLIENT, SERVICE, "wrong_secret"),
    (KEYCLOAK, 401, "invalid_client", BAD_CLIENT, SERVICE, "unknown_client"),
    (
        *(KEYCLOAK, 401, "unauthorized_client"),
        *("Client not enabled to retrieve service account", SERVICE, "service_accounts_off"),
    ),
    (
        *(KEYCLOAK, 401, "unauthorized_client"),
        *("Public client not allowed to retrieve service account", SERVICE, "public_client"),
    ),
    (
        *(KEYCLOAK, 400, "unauthorized_client"),
        *("Client not allowed for direct access grants", PASSWORD, "direct_grants_off"),
    ),
    (KEYCLOAK, 400, "invalid_grant", "Account is not fully set up", PASSWORD, "account_not_set_up"),
    (KEYCLOAK, 400, "invalid_grant", "Account disabled", PASSWORD, "account_disabled"),
    (KEYCLOAK, 401, "invalid_grant", "Invalid user credentials", PASSWORD, "wrong_password"),
    (KEYCLOAK, 400, "invalid_client", "Client requires user consent", PASSWORD, "consent_needed"),
    (
        *(KEYCLOAK, 400, "invalid_client"),
        *("Parameter client_assertion_type is missing", SERVICE, "wrong_client_auth"),
    ),
    (KEYCLOAK, 400, "invalid_scope", "Invalid scopes: nope", SERVICE, "wrong_scope"),
    (KEYCLOAK, 404, "Realm does not exist", None, SERVICE, "realm_unknown"),
    (KEYCLOAK, 403, "access_denied", "Realm not enabled", SERVICE, "realm_disabled"),
    (KEYCLOAK, 403, "invalid_request", "HTTPS required", SERVICE, "https_required"),
    (KEYCLOAK, 400, "invalid_grant", "Invalid refresh token", REFRESH, "refresh_dead"),
    (KEYCLOAK, 400, "invalid_grant", "Token is not active", REFRESH, "refresh_dead"),
    (
        *(KEYCLOAK, 400, "invalid_request"),
        "Standard token exchange is not enabled for the requested client",
        *(EXCHANGE, "exchange_off"),
    ),
    (
        *(KEYCLOAK, 400, "unauthorized_client"),
        "Client is not allowed to initiate OAuth 2.0 Device Authorization Grant. The flow is"
        " disabled for the client.",
        *(DEVICE, "device_off"),
    ),
    (DEX, 400, "unsupported_grant_type", None, SERVICE, "grant_unsupported"),
    (
        *(DEX, 400, "invalid_request"),
        *('Missing required scope(s) ["openid"].', PASSWORD, "scope_missing"),
    ),
    (DEX, 400, "invalid_request", 'Unrecognized scope(s) ["nope"]', PASSWORD, "wrong_scope"),
    (DEX, 401, "access_denied", "Invalid username or password", PASSWORD, "wrong_password"),
    (
        *(DEX, 401, "invalid_client"),
        *("Invalid client credentials.", PASSWORD, "unknown_client_or_secret"),
    ),
    (
        *(DEX, 400, "invalid_request"),
        "Refresh token is invalid or has already been claimed by another client.",
        *(REFRESH, "refresh_dead"),
    ),
    (EGGPLANT, 403, None, None, SERVICE, "license_limit"),
    (EGGPLANT, 401, "unauthorized_client", BAD_CLIENT, SERVICE, "key_revoked"),
    (RUNAI, 401, None, None, SERVICE, "wrong_secret"),
    (RUNAI, 403, None, None, SERVICE, "application_disabled"),
    (ENTRA, 401, "invalid_client", "AADSTS7000215: Invalid client secret", SERVICE, "wrong_secret"),
    (ENTRA, 400, "unauthorized_client", "AADSTS700016: Application …", SERVICE, "unknown_client"),
    (AUTH0, 403, "access_denied", "Service not enabled within domain", SERVICE, "audience_missing"),
    (OKTA, 400, "invalid_scope", "One or more scopes …", SERVICE, "wrong_scope"),
    (None, 401, "invalid_client", None, SERVICE, "wrong_secret"),
    (None, 400, "invalid_grant", "nope", PASSWORD, "wrong_password"),
    (None, 400, "invalid_grant", "nope", REFRESH, "grant_dead"),
    (None, 400, "invalid_target", None, SERVICE, "wrong_audience"),
    (None, 404, None, None, SERVICE, "not_a_token_endpoint"),
    (None, 405, None, None, SERVICE, "not_a_token_endpoint"),
    (None, 403, None, None, SERVICE, "forbidden"),
    (None, 429, None, None, SERVICE, "too_many_requests"),
]


@pytest.mark.parametrize(("provider", "status", "error", "told", "grant", "cause"), ROWS)
def test_what_a_provider_answers_has_its_cause(
    provider: str | None,
    status: int,
    error: str | None,
    told: str | None,
    grant: Grant,
    cause: str,
) -> None:
    body = {"error": error, "error_description": told}
    providers = frozenset({provider} if provider else set())
    heard = hear(answer(body, status=status), providers, grant)
    found = next(one for one in CAUSES if one.fits(heard))
    assert found.name == cause
    assert found.meaning
    assert found.advice


def test_an_answer_that_is_no_json_fits_by_its_status_alone() -> None:
    heard = hear(answer(b"<html>", status=404), frozenset(), SERVICE)
    assert next(one for one in CAUSES if one.fits(heard)).name == "not_a_token_endpoint"


def test_no_row_stands_behind_one_that_hides_it() -> None:
    conditions = [
        (one.provider, one.status, one.error, one.pattern, one.grants and tuple(one.grants))
        for one in CAUSES
    ]
    assert len(set(conditions)) == len(conditions)


@pytest.mark.parametrize(
    ("url", "provider"),
    [
        ("https://x.example/auth/realms/master", KEYCLOAK),
        ("https://app.run.ai/api/v1/token", RUNAI),
        ("https://eggplant.example.com/auth/realms/x", EGGPLANT),
        ("https://login.microsoftonline.com/tenant/v2.0", ENTRA),
        ("https://dev.okta.com/oauth2/default", OKTA),
        ("https://acme.eu.auth0.com/", AUTH0),
        ("https://kubeflow.example.com/dex", DEX),
    ],
)
def test_a_provider_is_known_by_its_address(url: str, provider: str) -> None:
    assert provider in providers_of(url)
    assert providers_of("https://idp.example.com/token") == frozenset()
