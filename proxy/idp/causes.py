"""What providers' refusals mean, in plain words: one table, the first row that fits wins.

Rows speak of what providers really answer: the vendor's own come before those of RFC 6749
section 5.2, which any provider may send.
"""

from __future__ import annotations

from typing import Final

from proxy.config.model import Grant
from proxy.idp.cause import AUTH0, DEX, EGGPLANT, ENTRA, KEYCLOAK, OKTA, RUNAI, Cause

_SERVICE: Final = frozenset({Grant.CLIENT_CREDENTIALS})
_PASSWORD: Final = frozenset({Grant.PASSWORD})

CAUSES: Final = (
    Cause(
        "realm_unknown",
        "Keycloak runs here but has no realm of this name",
        "check the realm in issuer or token_url: upper and lower case matter",
        status=404,
        pattern="realm does not exist",
    ),
    Cause(
        "realm_disabled",
        "the realm is switched off",
        "have a Keycloak administrator enable it (Realm settings, Enabled)",
        KEYCLOAK,
        pattern="realm not enabled",
    ),
    Cause(
        "license_limit",
        "Eggplant's licence allows no further use now: the key itself is not bad",
        "wait until somebody's use ends, or ask for a larger licence; the sidecar tries again",
        EGGPLANT,
        status=403,
    ),
    Cause(
        "key_revoked",
        "Eggplant does not know this key: it may have been revoked",
        "make a new one in DAI (System, API access) and put its file in the place of the old one",
        EGGPLANT,
        pattern="invalid_client|unauthorized_client",
    ),
    Cause(
        "service_accounts_off",
        "this client may not ask for a token of its own: its service account is off",
        "in Keycloak switch on the client's “Service accounts roles” (it must be confidential:"
        " “Client authentication” on), or use another grant",
        KEYCLOAK,
        pattern="not enabled to retrieve service account",
    ),
    Cause(
        "public_client",
        "the client is public: it has no secret and may not ask for a token of its own",
        "in Keycloak switch on “Client authentication” and “Service accounts roles”, then use its"
        " secret; or use the grant of a person",
        KEYCLOAK,
        pattern="public client not allowed",
    ),
    Cause(
        "direct_grants_off",
        "this client may not log in people by name and password",
        "in Keycloak switch on the client's “Direct access grants”, or use"
        " grant: authorization_code",
        KEYCLOAK,
        pattern="not allowed for direct access grants",
    ),
    Cause(
        "account_not_set_up",
        "the password is right, but Keycloak wants the person to do something first: set a lasting"
        " password, verify the e-mail, fill in the profile (e-mail, first and last name)",
        "log in once by browser as this person, or have an administrator remove the user's"
        " “Required user actions” and complete the profile",
        KEYCLOAK,
        pattern="not fully set up",
    ),
    Cause(
        "account_disabled",
        "the user is switched off",
        "have a Keycloak administrator enable the user",
        KEYCLOAK,
        pattern="account disabled",
    ),
    Cause(
        "wrong_password",
        "user name or password is wrong, or too many wrong tries have locked the account for a"
        " while (Keycloak answers both alike)",
        "check both by a login in the browser; a lock passes or is lifted by an administrator",
        KEYCLOAK,
        error="invalid_grant",
        pattern="invalid user credentials",
    ),
    Cause(
        "consent_needed",
        "the client asks for consent, which only a browser can show",
        "in Keycloak switch off the client's “Consent required”, or use grant: authorization_code",
        KEYCLOAK,
        pattern="requires user consent",
    ),
    Cause(
        "wrong_client_auth",
        "the client is registered to show who it is by a signed JWT and not by a secret",
        "set client_auth: private_key_jwt (or client_secret_jwt), or change the client's"
        " “Client Authenticator” in Keycloak",
        KEYCLOAK,
        pattern="client_assertion",
    ),
    Cause(
        "exchange_off",
        "token exchange is switched off for this client",
        "in Keycloak switch on the client's “Standard token exchange” (before 26.2: start it with"
        " --features=token-exchange and give the permission)",
        KEYCLOAK,
        pattern="token exchange is not (enabled|supported)",
    ),
    Cause(
        "device_off",
        "the client may not log in people by device code",
        "in Keycloak switch on “OAuth 2.0 Device Authorization Grant” of the client",
        KEYCLOAK,
        pattern="device authorization grant",
    ),
    Cause(
        "https_required",
        "the realm answers to https alone",
        "use the https address",
        KEYCLOAK,
        pattern="https required",
    ),
    Cause(
        "unknown_client",
        "there is no client of this id in this realm, or it is disabled",
        "check client_id and the realm; in Keycloak see Clients, and that it is enabled",
        KEYCLOAK,
        error="invalid_client",
        pattern="invalid client",
    ),
    Cause(
        "wrong_secret",
        "the client is known, but its secret is wrong, was renewed, or did not come",
        "copy the secret anew from the client's Credentials tab in Keycloak",
        KEYCLOAK,
        error="unauthorized_client",
        pattern="invalid client",
    ),
    Cause(
        "refresh_dead",
        "the refresh token is not valid any more: its session ended, or it was used twice",
        "log in again",
        KEYCLOAK,
        error="invalid_grant",
        pattern="refresh|not active|stale|session",
    ),
    Cause(
        "grant_unsupported",
        "Dex knows no tokens of a client's own: only people log in",
        "use grant: password (with a password connector) or authorization_code",
        DEX,
        error="unsupported_grant_type",
        grants=_SERVICE,
    ),
    Cause(
        "grant_unsupported",
        "Dex has no connector that takes passwords from a client",
        "set oauth2.passwordConnector in Dex, or use grant: authorization_code or session",
        DEX,
        error="unsupported_grant_type",
        grants=_PASSWORD,
    ),
    Cause(
        "scope_missing",
        "Dex gives no token without the scope openid",
        "set scope: openid (openid offline_access for a refresh token)",
        DEX,
        pattern="missing required scope",
    ),
    Cause(
        "wrong_scope",
        "Dex knows no such scope",
        "Dex knows openid, email, profile, groups, offline_access and audience:server:client_id:…",
        DEX,
        pattern="unrecognized scope|invalid_scope",
    ),
    Cause(
        "wrong_password",
        "user name or password is wrong (Dex's own users are known by their e-mail)",
        "check both by a login in the browser",
        DEX,
        error="access_denied",
    ),
    Cause(
        "unknown_client_or_secret",
        "Dex knows no such client, or its secret is another (it answers both alike)",
        "compare client_id and client_secret with staticClients in Dex's configuration",
        DEX,
        error="invalid_client",
    ),
    Cause(
        "refresh_dead",
        "the refresh token is not valid any more, or another client's",
        "log in again",
        DEX,
        pattern="refresh token is invalid",
    ),
    Cause(
        "wrong_secret",
        "Run:ai does not know this application or its secret",
        "compare with the application's page in Run:ai (Access, Applications)",
        RUNAI,
        status=401,
    ),
    Cause(
        "application_disabled",
        "Run:ai knows the application, but it may not log in",
        "see that the application is enabled and has a role in Run:ai",
        RUNAI,
        status=403,
    ),
    Cause(
        "wrong_secret",
        "the client's secret is wrong or has expired; Entra wants its value, not its id",
        "make a new secret in “Certificates & secrets”",
        ENTRA,
        pattern="AADSTS7000215|AADSTS7000222",
    ),
    Cause(
        "unknown_client",
        "there is no such application in this tenant",
        "check client_id and the tenant in the URL",
        ENTRA,
        pattern="AADSTS700016|AADSTS90002",
    ),
    Cause(
        "wrong_scope",
        "a client's own token needs the scope of one API followed by /.default",
        "set scope: api://…/.default",
        ENTRA,
        pattern="AADSTS70011|AADSTS1002012",
    ),
    Cause(
        "audience_missing",
        "Auth0 wants to know for which API the token is",
        "set audience to the API's identifier, and authorize the application for it",
        AUTH0,
        pattern="audience|service not enabled|not authorized to access resource",
    ),
    Cause(
        "wrong_scope",
        "Okta's authorization server does not have this scope, or the client may not have it",
        "set scope to one of the authorization server's own (not openid for client_credentials)",
        OKTA,
        error="invalid_scope",
    ),
    Cause(
        "wrong_secret",
        "the provider does not know the client, or its secret is wrong",
        "check client_id and client_secret; some providers want client_auth: post or basic_raw"
        " (no %-escapes inside Basic)",
        error="invalid_client",
    ),
    Cause(
        "grant_not_allowed",
        "the client is known, but may not use this grant",
        "have the provider allow it for this client, or use another grant",
        error="unauthorized_client",
    ),
    Cause(
        "wrong_scope",
        "the provider does not give this scope to this client",
        "check scope for typing mistakes, or leave it out",
        error="invalid_scope",
    ),
    Cause(
        "wrong_audience",
        "the provider gives no token for this audience or resource",
        "check audience and resource",
        error="invalid_target",
    ),
    Cause(
        "grant_unsupported",
        "the provider does not offer this grant at its token endpoint",
        "check grant, and that token_url is the token endpoint",
        error="unsupported_grant_type",
    ),
    Cause(
        "wrong_password",
        "user name or password is wrong, or the account is locked",
        "check both by a login in the browser",
        error="invalid_grant",
        grants=_PASSWORD,
    ),
    Cause(
        "grant_dead",
        "what was presented (refresh token, code, assertion) is not valid any more",
        "log in again, or see that the assertion is fresh and for this provider",
        error="invalid_grant",
    ),
    Cause(
        "incomplete_request",
        "the provider misses something in the request, or knows something in it otherwise",
        "compare scope, audience, params and client_auth with the provider's documentation",
        error="invalid_request",
    ),
    Cause(
        "not_a_token_endpoint",
        "there is no token endpoint at this address",
        "check the path of token_url (or set issuer instead)",
        status=404,
    ),
    Cause(
        "not_a_token_endpoint",
        "what is at this address takes no token requests",
        "check the path of token_url (or set issuer instead)",
        status=405,
    ),
    Cause(
        "forbidden",
        "the provider knows who asks and says no: a licence, a network rule, a firewall",
        "ask whoever runs the provider",
        status=403,
    ),
    Cause(
        "too_many_requests",
        "the provider was asked too often",
        "wait; see who else asks with this client",
        status=429,
    ),
)
